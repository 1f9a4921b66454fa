"""An archive that is sent to a client while it is made."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO

from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, LocalMember
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock

__all__ = ["StreamOutlet"]

_ROOM = 4 * 1024 * 1024
_CHUNK = 256 * 1024
_WAIT_SECONDS = 0.05


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

    def end(self) -> None:
        """Wake the client."""
        self.flush()

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
