"""Where the bytes of an archive go: a file that a restart can go on with, or a client that waits."""

from __future__ import annotations

import errno
import os
import threading
from collections import deque
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from orthanc_lab.jobs.kinds.zip_writer import DamagedZip, LocalMember, read_members
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock

__all__ = ["FileOutlet", "Outlet", "StreamOutlet", "create_file"]

_NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_FLUSH_SIZE = 1024 * 1024
_ROOM = 4 * 1024 * 1024
_CHUNK = 256 * 1024
_WAIT_SECONDS = 0.05


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

    def close(self) -> None:
        """Stop for now."""
        ...

    def finish(self, *, complete: bool) -> None:
        """Stop for good; an incomplete output is thrown away."""
        ...


def create_file(path: Path) -> None:
    """Make the empty file of an output, so that a folder that cannot be written to is known at once.

    Raises
    ------
    OrthancError
        14 or 19 if that fails.
    """
    try:
        path.open("xb").close()
    except OSError as error:
        raise _explained(error) from error


class FileOutlet:
    """A file that grows."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[bytes] = []
        self._pending_size = 0
        self._descriptor: int | None = None

    def open(self, offset: int) -> bool:
        """Open the file and cut it back to `offset` bytes, or to none if it is shorter."""
        self.close()
        try:
            self._descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | getattr(os, "O_BINARY", 0), 0o644)
            size = os.fstat(self._descriptor).st_size
            start = offset if size >= offset else 0
            if size != start:
                os.ftruncate(self._descriptor, start)
            if start:
                os.lseek(self._descriptor, start, os.SEEK_SET)
        except OSError as error:
            raise _explained(error) from error
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
        assert self._descriptor is not None, "the outlet is not open"
        view = memoryview(b"".join(pending))
        try:
            while view:
                view = view[os.write(self._descriptor, view) :]
        except OSError as error:
            raise _explained(error) from error

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


class StreamOutlet:
    """A client that reads the archive while it is made.

    The job's worker writes, the thread that answers the request iterates. The worker never
    waits longer than a moment: `is_ready` tells it to come back later. A client that takes
    nothing for `patience` seconds while there is no room, or that left, fails the job.

    Parameters
    ----------
    patience
        Seconds without any progress of the client.
    is_abandoned
        Asked by the client's thread while it waits: True once nobody will write any more.
    room
        Bytes that may wait for the client before the worker is held back.
    """

    def __init__(
        self, clock: Clock, *, patience: float, is_abandoned: Callable[[], bool] = lambda: False, room: int = _ROOM
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._is_abandoned = is_abandoned
        self._room = room
        self._changed = threading.Condition()
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._ended = False  # nothing will be written any more …
        self._complete = False  # … since all was
        self._begun = False  # the client has taken something
        self._left = False  # nobody will read any more
        self._last_taken = 0.0

    # -- the worker's side ---------------------------------------------------------

    def open(self, offset: int) -> bool:
        """Return True: a stream goes on where it stands."""
        self._last_taken = self._clock.monotonic()
        return True

    def members(self, offset: int) -> Iterator[tuple[LocalMember, BinaryIO]]:
        """Raise `DamagedZip`: what was sent cannot be read again."""
        raise DamagedZip("what was sent to a client cannot be read again")

    def is_ready(self) -> bool:
        """Return True if there is room, after waiting a moment for it.

        Raises
        ------
        OrthancError
            9 if the client left or takes nothing.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._left or self._waiting_size < self._room, _WAIT_SECONDS)
            if self._left:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
            if self._waiting_size < self._room:
                return True
            if self._clock.monotonic() - self._last_taken >= self._patience:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The client takes nothing of the archive")
            return False

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        OrthancError
            9 if the client left.
        """
        with self._changed:
            if self._left:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
            if not self._waiting_size:
                self._last_taken = self._clock.monotonic()
            self._waiting.append(data)
            self._waiting_size += len(data)
            if self._waiting_size >= _CHUNK:
                self._changed.notify_all()

    def flush(self) -> None:
        """Wake the client."""
        with self._changed:
            self._changed.notify_all()

    def close(self) -> None:
        """Nothing to do: the client waits on across a pause."""

    def finish(self, *, complete: bool) -> None:
        """End the body."""
        with self._changed:
            self._ended = True
            self._complete = complete
            self._changed.notify_all()

    # -- the client's side ---------------------------------------------------------

    def __iter__(self) -> Iterator[bytes]:
        return self

    def __next__(self) -> bytes:
        """Return the next bytes.

        Raises
        ------
        OrthancError
            9 if the archive ends in its middle, so that the HTTP server cuts the connection. One
            that ends before its first byte is an empty body, as on the real server.
        """
        with self._changed:
            while not self._waiting:
                if self._ended or self._left or self._is_abandoned():
                    if self._begun and not self._complete:
                        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The archive ends in its middle")
                    raise StopIteration
                self._changed.wait(0.5)
            self._begun = True
            taken, size = [], 0
            while self._waiting and size < _CHUNK:
                taken.append(self._waiting.popleft())
                size += len(taken[-1])
            self._waiting_size -= size
            self._last_taken = self._clock.monotonic()
            self._changed.notify_all()
        return b"".join(taken)

    def close_client(self) -> None:
        """Take note that the client is gone: the job's next write fails."""
        with self._changed:
            self._left = True
            self._waiting.clear()
            self._waiting_size = 0
            self._changed.notify_all()


def _explained(error: OSError) -> OrthancError:
    if error.errno in _NO_SPACE:
        return OrthancError(ErrorCode.FULL_STORAGE, "No space left for the archive")
    return OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the archive: {error.strerror or error}")
