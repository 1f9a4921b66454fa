"""Files that exist although their place does not show them yet."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orthanc_lab.protocol.pausing import pause
from orthanc_lab.protocol.ports import Clock

__all__ = ["LateFiles"]

_FIRST_PAUSE = 0.05  # seconds
_LONGEST_PAUSE = 1.0


@dataclass(frozen=True, slots=True)
class LateFiles:
    """Looks again for a file that is missing, as long as somebody refers to it.

    Servers of buckets that have just been started do not know all of their files in the first moments.

    Parameters
    ----------
    is_known
        Tells whether something refers to the file with this UUID.
    seconds
        Until it is taken for lost.
    """

    clock: Clock
    is_known: Callable[[str], bool]
    seconds: float = 10.0

    def read(self, uuid: str, read: Callable[[], bytes]) -> bytes:
        """Return what `read` reads of a file.

        Raises
        ------
        FileNotFoundError
            If it is still missing in the end, or nothing refers to it any more.
        """
        end = self.clock.monotonic() + self.seconds
        seconds = _FIRST_PAUSE
        while True:
            try:
                return read()
            except FileNotFoundError:
                if self.clock.monotonic() + seconds > end or not self.is_known(uuid):
                    raise
            pause(self.clock, seconds)
            seconds = min(2 * seconds, _LONGEST_PAUSE)
