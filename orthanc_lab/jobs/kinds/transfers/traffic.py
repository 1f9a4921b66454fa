"""How much a transfer has moved, and how fast."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.protocol.ports import Clock

__all__ = ["Traffic"]

_SHORTEST = 0.01  # seconds that are enough to tell a speed


class Traffic:
    """Bytes on the wire since the transfer began, and those since it last went on."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.size = 0  # bytes
        self._before = 0
        self._start = self._last = clock.monotonic()

    def restart(self) -> None:
        """Begin to measure the speed."""
        self._before = self.size
        self._start = self._last = self._clock.monotonic()

    def add(self, size: int) -> None:
        """Count a bucket."""
        self.size += size
        self._last = self._clock.monotonic()

    @property
    def speed(self) -> int:
        """Kilobytes per second, up to the last bucket."""
        seconds = self._last - self._start
        return 0 if seconds < _SHORTEST else int((self.size - self._before) / 1024 / seconds)

    def encode(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {"size": self.size}

    def decode(self, saved: Mapping[str, Any]) -> None:
        """Take over what `encode` returned."""
        self.size = saved["size"]
