"""Runs actions in the background, one after another, on a thread that exists only while there is work."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

__all__ = ["SerialQueue"]

Result = TypeVar("Result")


class SerialQueue(Generic[Result]):
    """A queue of actions; widgets live until the kernel ends, so none of them may keep an idle thread.

    Examples
    --------
    >>> queue = SerialQueue()
    >>> queue.submit(lambda: 6 * 7).result()
    42
    """

    def __init__(self) -> None:
        self._waiting: deque[tuple[Future[Result], Callable[[], Result]]] = deque()
        self._lock = threading.Lock()
        self._is_working = False
        self._is_closed = False

    def submit(self, action: Callable[[], Result]) -> Future[Result]:
        """Run an action after all earlier ones; after `close`, the future is cancelled.

        Raises
        ------
        RuntimeError
            If the system has no thread left: the action is not run.
        """
        future: Future[Result] = Future()
        with self._lock:
            if self._is_closed:
                _cancel(future)
                return future
            if not self._is_working:  # the thread waits for the lock
                threading.Thread(target=self._work, name="orthanc-lab serial queue", daemon=True).start()
                self._is_working = True
            self._waiting.append((future, action))
        return future

    def close(self) -> None:
        """Start no further actions; one that is running continues to its end."""
        with self._lock:
            self._is_closed = True
            waiting, self._waiting = self._waiting, deque()
        for future, _ in waiting:
            _cancel(future)

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_working = False
                    return
                future, action = self._waiting.popleft()
            if not future.set_running_or_notify_cancel():
                continue
            try:
                result = action()
            except BaseException as error:
                future.set_exception(error)
            else:
                future.set_result(result)


def _cancel(future: Future[Result]) -> None:
    future.cancel()
    future.set_running_or_notify_cancel()
