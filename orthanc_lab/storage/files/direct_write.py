"""Writing a large file past the cache of the operating system, which would spend as much time on a copy of it.

What was stored last is in our own cache anyhow (`cache`). Where a file system or a disk does not offer this, nothing
is written here, and the rest of a file is always left: the last bytes fill no block.
"""

from __future__ import annotations

import errno
import mmap
import os

try:
    import fcntl
except ImportError:  # Windows
    _DIRECT = 0
else:
    _DIRECT = getattr(os, "O_DIRECT", 0)  # macOS has none

__all__ = ["PIECE", "DirectWriter"]

PIECE = 1 << 20
"""Bytes written at once; a smaller file is not worth it."""
_BLOCK = 4096  # bytes: disks and file systems want multiples of this, at such a place in memory
_KEPT = 4  # buffers


class DirectWriter:
    """Writes the beginning of files from buffers that lie as the disk wants it; safe to use from many threads."""

    def __init__(self) -> None:
        self._buffers: list[mmap.mmap] = []

    def write(self, descriptor: int, data: bytes) -> int:
        """Write as much as possible of `data` to an empty file; return how many bytes that was.

        Raises
        ------
        OSError
            If the disk is full or fails.
        """
        if len(data) < PIECE or not _set_direct(descriptor, on=True):
            return 0
        try:
            buffer = self._buffers.pop()
        except IndexError:
            buffer = mmap.mmap(-1, PIECE)
        try:
            return _write(descriptor, memoryview(data), buffer)
        finally:
            if len(self._buffers) < _KEPT:
                self._buffers.append(buffer)
            _set_direct(descriptor, on=False)


def _set_direct(descriptor: int, *, on: bool) -> bool:
    """Tell whether what is written to a file goes, or goes no more, past the cache."""
    if not _DIRECT:
        return False
    flags = fcntl.fcntl(descriptor, fcntl.F_GETFL)
    try:
        fcntl.fcntl(descriptor, fcntl.F_SETFL, flags | _DIRECT if on else flags & ~_DIRECT)
    except OSError:  # such as a file system in memory
        return False
    return True


def _write(descriptor: int, data: memoryview, buffer: mmap.mmap) -> int:
    done = 0
    with memoryview(buffer) as aligned:
        while size := min(PIECE, (len(data) - done) // _BLOCK * _BLOCK):
            aligned[:size] = data[done : done + size]
            try:
                written = os.write(descriptor, aligned[:size])
            except OSError as error:
                if error.errno != errno.EINVAL:  # of larger blocks
                    raise
                return done
            done += written
            if written < size:  # what comes next would not begin with a block
                return done
    return done
