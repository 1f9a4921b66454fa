"""An archive that is sent to a client while it is made."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from typing import BinaryIO

from orthanc_lab.jobs.kinds.archives.zip_writer import DamagedZip, LocalMember
from orthanc_lab.jobs.ports import NotReady
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor, Happening
from orthanc_lab.protocol.ports import Clock

__all__ = ["StreamOutlet"]

_ROOM = 4 * 1024 * 1024
_CHUNK = 256 * 1024


class StreamOutlet:
    """A client that reads the archive while it is made.

    The job's worker writes, the thread that answers the request iterates. The worker never
    waits here: `wait_for` returns what to wait for between two steps. A client that takes
    nothing for `patience` seconds while there is no room, or that left, fails the job.

    Parameters
    ----------
    executor
        Where the client waits for the job.
    patience
        Seconds without any progress of the client.
    room
        Bytes that may wait for the client before the worker is held back.
    """

    def __init__(self, clock: Clock, executor: Executor, *, patience: float, room: int = _ROOM) -> None:
        self._clock = clock
        self._executor = executor
        self._patience = patience
        self._room = room
        self._lock = threading.Lock()  # guards all below
        self._news: Happening | None = None  # what the client waits for
        self._wake_job: Callable[[], None] | None = None  # the job waits for the client
        self._waiting: deque[bytes] = deque()
        self._waiting_size = 0
        self._ended = False  # nothing more will be written …
        self._complete = False  # … since all was
        self._begun = False  # the client has taken something
        self._left = False  # nothing more will be read
        self._last_taken = 0.0

    # -- the worker's side ---------------------------------------------------------

    def open(self, offset: int) -> bool:
        """Return True: a stream continues where it is."""
        self._last_taken = self._clock.monotonic()
        return True

    def members(self, offset: int) -> Iterator[tuple[LocalMember, BinaryIO]]:
        """Raise `DamagedZip`: what was sent cannot be read again."""
        raise DamagedZip("what was sent to a client cannot be read again")

    def wait_for(self) -> NotReady | None:
        """Return None if there is room.

        Raises
        ------
        OrthancError
            9 if the client left or takes nothing.
        """
        with self._lock:
            if self._left:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
            if self._waiting_size < self._room:
                return None
            left = self._last_taken + self._patience - self._clock.monotonic()
            if left <= 0:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The client takes nothing of the archive")
        return NotReady(left, self._when_ready)

    def _when_ready(self, wake: Callable[[], None]) -> None:
        with self._lock:
            is_ready = self._left or self._waiting_size < self._room
            self._wake_job = None if is_ready else wake
        if is_ready:
            wake()

    def write(self, data: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        OrthancError
            9 if the client left.
        """
        with self._lock:
            if self._left:
                raise OrthancError(ErrorCode.NETWORK_PROTOCOL)
            if not self._waiting_size:
                self._last_taken = self._clock.monotonic()
            self._waiting.append(data)
            self._waiting_size += len(data)
            if self._waiting_size >= _CHUNK:
                self._let_client_go_on()

    @property
    def is_full(self) -> bool:
        """True: the client gets all at once."""
        return True

    def flush(self) -> None:
        """Let the client take what there is."""
        with self._lock:
            self._let_client_go_on()

    def end(self) -> None:
        """Let the client take what there is."""
        self.flush()

    def close(self) -> None:
        """Do nothing: the client waits on across a pause."""

    def finish(self, *, complete: bool) -> None:
        """End the body."""
        with self._lock:
            self._ended = True
            self._complete = complete
            self._let_client_go_on()

    def _let_client_go_on(self) -> None:
        if self._news is not None:
            self._news.set()
            self._news = None

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
        while True:
            with self._lock:
                if self._waiting:
                    data = self._take()
                    wake = self._wake_job if self._waiting_size < self._room else None
                    if wake is not None:
                        self._wake_job = None
                    break
                if self._ended or self._left:
                    if self._begun and not self._complete:
                        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The archive ends in its middle")
                    raise StopIteration
                news = self._news = self._executor.happening()
            news.wait()
        if wake is not None:
            wake()
        return data

    def _take(self) -> bytes:
        self._begun = True
        taken, size = [], 0
        while self._waiting and size < _CHUNK:
            taken.append(self._waiting.popleft())
            size += len(taken[-1])
        self._waiting_size -= size
        self._last_taken = self._clock.monotonic()
        return b"".join(taken)

    def close_client(self) -> None:
        """Take note that the client is gone: the job's next write fails."""
        with self._lock:
            self._left = True
            self._waiting.clear()
            self._waiting_size = 0
            wake, self._wake_job = self._wake_job, None
        if wake is not None:
            wake()
