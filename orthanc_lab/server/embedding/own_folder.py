"""The folder of a server inside another program."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Self

from orthanc_lab.protocol.private_files import FILE_MODE

__all__ = ["OwnFolder", "Stoppable", "remove_abandoned_folders"]

_PREFIX = "orthanc-lab-"
_OWNED = ".owned"  # locked for as long as the program lives


class OwnFolder:
    """A folder that was given, or a temporary one that is removed at the end."""

    def __init__(self, given: Path | None) -> None:
        self._temporary = None if given else tempfile.TemporaryDirectory(prefix=_PREFIX)
        self.path = given or Path(self._temporary.name if self._temporary else ".")
        self._give_up = _own(self.path) if self._temporary else None

    @property
    def is_temporary(self) -> bool:
        """True if its files are ours to remove."""
        return self._temporary is not None

    def remove(self) -> None:
        """Remove a temporary folder; a given one stays."""
        if self._temporary is not None:
            self._temporary.cleanup()
        if self._give_up is not None:
            self._give_up()
            self._give_up = None


def remove_abandoned_folders() -> int:
    """Remove the temporary folders of programs that were killed; return how many there were.

    A folder is abandoned if it was made by `OwnFolder`, for this user, and nobody holds its lock any more.
    """
    try:
        import fcntl  # noqa: PLC0415 - there are platforms without it
    except ImportError:
        return 0
    removed = 0
    for mark in Path(tempfile.gettempdir()).glob(f"{_PREFIX}*/{_OWNED}"):
        try:
            descriptor = os.open(mark, os.O_RDWR | os.O_NOFOLLOW)
        except OSError:  # of another user, or just removed
            continue
        try:
            if os.fstat(descriptor).st_uid == os.getuid():
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                shutil.rmtree(mark.parent)
                removed += 1
        except OSError:  # its program lives, or a file is not ours to remove
            pass
        finally:
            os.close(descriptor)
    return removed


def _own(folder: Path) -> Callable[[], None] | None:
    try:
        import fcntl  # noqa: PLC0415 - there are platforms without it
    except ImportError:
        return None
    descriptor = os.open(folder / _OWNED, os.O_RDWR | os.O_CREAT, FILE_MODE)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    return lambda: os.close(descriptor)


class Stoppable:
    """Something that the end of a ``with`` block stops."""

    def __enter__(self) -> Self:
        return self

    def stop(self) -> None:
        """Stop; a second time does no harm."""
        raise NotImplementedError

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
