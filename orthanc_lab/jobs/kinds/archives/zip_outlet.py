"""Where the bytes of an archive go; here: the output store, where a restart can go on with them."""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from itertools import groupby
from typing import BinaryIO, Protocol

from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, LocalMember, read_members
from orthanc_lab.jobs.output_store import OutputStore, OutputWriter
from orthanc_lab.jobs.ports import NotReady
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Outlet", "StoredOutlet", "cannot_write"]

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FLUSH_SIZE = 1024 * 1024
_JOINED = 64 * 1024  # bytes up to which a copy costs less than a write
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

    def wait_for(self) -> NotReady | None:
        """Return None if it takes more now, else what the job has to wait for."""
        ...

    def write(self, data: bytes) -> None:
        """Take the next bytes."""
        ...

    @property
    def is_full(self) -> bool:
        """Whether so much was written that it is worth to hand it on."""
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


class StoredOutlet:
    """An output that grows.

    Parameters
    ----------
    small
        An archive that ends before much of it was written is not put into the store: it is in `content`.
    """

    def __init__(self, store: OutputStore, name: str, *, small: bool = False) -> None:
        self.name = name
        self.content: bytes | None = None
        self._store = store
        self._small = small
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._writer: OutputWriter | None = None

    def open(self, offset: int) -> bool:
        """Open the output and cut it back to `offset` bytes, or to none if it is shorter."""
        self.close()
        if self._small and not offset:
            return True  # it is made once it is needed
        _, start = self._open(offset)
        return start == offset

    def _open(self, offset: int) -> tuple[OutputWriter, int]:
        try:
            self._writer, start = self._store.append(self.name, offset)
        except OSError as error:
            raise cannot_write(error) from error
        return self._writer, start

    def members(self, offset: int) -> Iterator[tuple[LocalMember, BinaryIO]]:
        """Yield the members in the first `offset` bytes of the output."""
        try:
            with self._store.open(self.name) as file:
                for member in read_members(file, offset):
                    yield member, file
        except OSError as error:
            raise DamagedZip(str(error)) from error

    def wait_for(self) -> None:
        """Return None: an output always takes more."""

    def write(self, data: bytes) -> None:
        """Take the next bytes; small pieces are gathered."""
        self._pending.append(data)
        self._pending_size += len(data)
        if self._pending_size >= max(_FLUSH_SIZE, self._store.grain):
            self.flush()

    @property
    def is_full(self) -> bool:
        """Whether the store is given what was written so far."""
        return self._pending_size >= self._store.grain

    def flush(self) -> None:
        """Write all bytes to the store."""
        pending, self._pending, self._pending_size = self._pending, [], 0
        if not pending:
            return
        writer = self._writer if self._writer is not None else self._open(0)[0]
        try:
            for piece in [b"".join(pending)] if self._store.grain else _joined(pending):
                writer.write(piece)
        except OSError as error:
            raise cannot_write(error) from error

    def end(self) -> None:
        """Write all bytes to the store, or keep them as `content`."""
        if self._small and self._writer is None and self._pending_size <= _SMALL:
            self.content = b"".join(self._pending)
        else:
            self.flush()

    def close(self) -> None:
        """Close the output; what was not flushed is forgotten."""
        self._pending, self._pending_size = [], 0
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close()

    def finish(self, *, complete: bool) -> None:
        """Close the output, and remove it if it is incomplete."""
        self.close()
        if not complete:
            self._store.remove(self.name)


def _joined(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Yield pieces with the small ones joined; large ones are not copied."""
    for is_large, run in groupby(pieces, lambda piece: len(piece) > _JOINED):
        if is_large:
            yield from run
        else:
            yield b"".join(run)


def cannot_write(error: OSError) -> OrthancError:
    """Return the error of an output that cannot be written: 19 for a full disk, else 14."""
    if error.errno in _NO_SPACE:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left for the archive")
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the archive: {error.strerror or error}")
