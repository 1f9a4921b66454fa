"""Where the bytes of an archive go; here: a file that a restart can go on with."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, LocalMember, read_members
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["FileOutlet", "Outlet", "cannot_write", "check_writable"]

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FLUSH_SIZE = 1024 * 1024
_SMALL = 32 * 1024  # bytes of an archive that is not worth a file


class Outlet(Protocol):
    """The output of a ZIP job. Only the job's worker calls it."""

    def open(self, offset: int) -> bool:
        """Go on behind the first `offset` bytes; what follows them is cut off.

        Returns
        -------
        bool
            False if there are fewer bytes than that; then the output is empty.
        """
        ...

    def members(self, offset: int) -> Iterator[tuple[LocalMember, BinaryIO]]:
        """Yield the members in the first `offset` bytes, each with the output to read it from.

        Raises
        ------
        DamagedZip
            If they do not end there.
        """
        ...

    def is_ready(self) -> bool:
        """Return True if it takes more now; waits a moment for that."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    def flush(self) -> None:
        """Hand on all that was written."""
        ...

    def end(self) -> None:
        """Hand on all that was written; nothing follows."""
        ...

    def close(self) -> None:
        """Stop for now."""
        ...

    def finish(self, *, complete: bool) -> None:
        """Stop for good; an incomplete output is thrown away."""
        ...


def check_writable(folder: Path) -> None:
    """Find out at once whether a file can be made in a folder; the job makes it when it starts.

    Raises
    ------
    OrthancError
        14 if it cannot.
    """
    if not os.access(folder, os.W_OK | os.X_OK):
        raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the archive: no access to {folder.name}")


class FileOutlet:
    """A file that grows.

    Parameters
    ----------
    small
        An archive that ends before much of it was written makes no file: it is in `content`.
    """

    def __init__(self, path: Path, *, small: bool = False) -> None:
        self.path = path
        self.content: bytes | None = None
        self._small = small
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._descriptor: int | None = None

    def open(self, offset: int) -> bool:
        """Open the file and cut it back to `offset` bytes, or to none if it is shorter."""
        self.close()
        if self._small and not offset:
            return True  # the file is made once it is needed
        return self._open(offset)

    def _open(self, offset: int) -> bool:
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            size = os.fstat(self._descriptor).st_size
            start = offset if size >= offset else 0
            if size != start:
                os.ftruncate(self._descriptor, start)
            if start:
                os.lseek(self._descriptor, start, os.SEEK_SET)
        except OSError as error:
            raise cannot_write(error) from error
        return start == offset

    def members(self, offset: int) -> Iterator[tuple[LocalMember, BinaryIO]]:
        """Yield the members in the first `offset` bytes of the file."""
        try:
            with self.path.open("rb", buffering=0) as file:
                for member in read_members(file, offset):
                    yield member, file
        except OSError as error:
            raise DamagedZip(str(error)) from error

    def is_ready(self) -> bool:
        """Return True: a file always takes more."""
        return True

    def write(self, data: bytes) -> None:
        """Take the next bytes; small pieces are gathered."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= _FLUSH_SIZE:
            self.flush()

    def flush(self) -> None:
        """Give all bytes to the operating system."""
        pending, self._pending, self._pending_size = self._pending, [], 0
        if not pending:
            return
        if self._descriptor is None:
            self._open(0)
        assert self._descriptor is not None
        view = memoryview(b"".join(pending))
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise cannot_write(error) from error

    def end(self) -> None:
        """Give all bytes to the operating system, or keep them as `content`."""
        if self._small and self._descriptor is None and self._pending_size <= _SMALL:
            self.content = b"".join(self._pending)
        else:
            self.flush()

    def close(self) -> None:
        """Close the file; what was not flushed is forgotten."""
        self._pending, self._pending_size = [], 0
        descriptor, self._descriptor = self._descriptor, None
        if descriptor is not None:
            os.close(descriptor)

    def finish(self, *, complete: bool) -> None:
        """Close the file, and remove it if it is incomplete."""
        self.close()
        if not complete:
            self.path.unlink(missing_ok=True)


def cannot_write(error: OSError) -> OrthancError:
    """Return the error of an output that cannot be written: 19 for a full disk, else 14."""
    if error.errno in _NO_SPACE:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left for the archive")
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the archive: {error.strerror or error}")
