"""A thread that looks at a server repeatedly; the base of recorder and watch."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Self

from orthanc_lab.frames.sampling import Look, Wait, check_interval, look_repeatedly
from orthanc_lab.protocol.ports import Clock

__all__ = ["BackgroundLooks"]


class BackgroundLooks:
    """Looks every `interval` seconds in a thread, from `start` (or ``with``) until `close`.

    Something unexpected in the thread ends it, and is raised by `close`.
    """

    def __init__(self, look: Look, interval: float, clock: Clock, wait: Wait) -> None:
        check_interval(interval)
        self.interval = interval
        self._look = look
        self._clock = clock
        self._wait = wait
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._error: BaseException | None = None

    @property
    def is_running(self) -> bool:
        """Whether the thread looks."""
        return self._thread is not None and self._thread.is_alive()

    def start(self) -> Self:
        """Start the thread; nothing happens if it runs already."""
        if not self.is_running:
            self._stop = threading.Event()
            self._thread = threading.Thread(target=self._run, name="orthanc-lab frames", daemon=True)
            self._thread.start()
        return self

    def _run(self) -> None:
        try:
            look_repeatedly(self._look, self.interval, self._stop, clock=self._clock, wait=self._wait)
        except Exception as error:
            self._error = error

    def end(self) -> None:
        """Look no more after the look that is going on, without waiting for it."""
        self._stop.set()

    def close(self) -> None:
        """End the thread and wait for its end; what was recorded stays."""
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
