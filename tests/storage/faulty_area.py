"""A storage area whose disk fails on demand."""

from __future__ import annotations

import errno
import os
from pathlib import Path

from orthanc_lab.storage.files.area import DiskArea


class FaultyArea:
    """A `DiskArea` that raises an error at the operations named in `faults`.

    ``short`` writes half of a file and then fails, as a disk that fills up; ``crash`` leaves what
    is written and raises something that nobody expects.
    """

    def __init__(self, folder: Path) -> None:
        self._real = DiskArea(folder)
        self.faults: dict[str, int | str] = {}

    def _fail(self, operation: str) -> None:
        fault = self.faults.get(operation)
        if isinstance(fault, int):
            raise OSError(fault, os.strerror(fault))

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        self._fail("write")
        if self.faults.get("write") == "short":
            self._real.write(name, data[: len(data) // 2], sync=False)
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        self._real.write(name, data, sync=sync)

    def sync(self, name: str) -> None:
        self._fail("sync")
        self._real.sync(name)

    def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
        self._fail("read")
        return self._real.read(name, size, offset)

    def remove(self, name: str) -> None:
        self._fail("remove")
        self._real.remove(name)
