"""A thread that polls a server; the base of `Recorder` and `JobWatch`."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from orthanc_lab.frames.polling import Poll, Wait, check_interval, poll_repeatedly
from orthanc_lab.protocol.ports import Clock

__all__ = ["BackgroundPolling"]


class BackgroundPolling:
    """Polls every `interval` seconds in a thread, from `start` (or ``with``) until `close`.

    An unexpected error ends the thread, and is raised by `close`.
    """

    def __init__(self, poll: Poll, interval: float, clock: Clock, wait: Wait) -> None:
        check_interval(interval)
        self.interval = interval
        self._poll = poll
        self._clock = clock
        self._wait = wait
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread is running."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Self:
        """Start the thread, unless it is already running; one that was told to end finishes its poll first.

        Raises
        ------
        RuntimeError
            If the system has no thread left.
        """
        before = self._thread
        if before is None or not before.is_alive() or self._stop.is_set():
            stop = threading.Event()
            thread = threading.Thread(target=self._run, args=(stop, before), name="orthanc-lab frames", daemon=True)
            thread.start()
            self._stop, self._thread = stop, thread
        return self

    def _run(self, stop: threading.Event, before: threading.Thread | None) -> None:
        if before is not None:
            before.join()
        try:
            poll_repeatedly(self._poll, self.interval, stop, clock=self._clock, wait=self._wait)
        except Exception as error:
            self._error = error

    def end(self) -> None:
        """Stop polling, without waiting for a poll that is in progress."""
        self._stop.set()

    def close(self) -> None:
        """Stop polling and wait for the thread to end; what was recorded is kept."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()
            self._thread = None
        error, self._error = self._error, None
        if error is not None:
            raise error

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
