"""Sends the slices of one stack to the browser, those around the visible one first."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from orthanc_lab.client import ClientError, UnreachableError
from orthanc_lab.widgets.elements.slice_feed import SliceFeed
from orthanc_lab.widgets.elements.slice_image import SliceImage
from orthanc_lab.widgets.serial_queue import SerialQueue

__all__ = ["SliceSender"]

Load = Callable[[int], SliceImage]

_UNDERWAY = 32 << 20  # bytes that the browser has not confirmed; what is sent ahead waits, not what is seen

_log = logging.getLogger(__name__)


class SliceSender:
    """Loads slices in a thread and sends each of them once, as long as the browser has room for it.

    Parameters
    ----------
    send
        Called with a message and the values.
    failed
        Called with the error if the server does not answer; `resume` continues afterwards.
    budget
        Maximum number of bytes that the browser holds.
    """

    def __init__(
        self, send: Callable[[dict[str, Any], bytes], object], failed: Callable[[ClientError], object], budget: int
    ) -> None:
        self._send = send
        self._failed = failed
        self._budget = budget
        self._lock = threading.Lock()
        self._queue: SerialQueue[None] = SerialQueue()
        self._is_feeding = False
        self._has_listener = False
        self._load: Load = lambda number: SliceImage()
        self._feed = SliceFeed(0)
        self._stack = 0
        self._position = 0
        self._sent = self._confirmed = 0  # bytes

    def show(self, stack: int, count: int, load: Load, position: int) -> None:
        """Replace the stack by another, which has its own number; `resume` begins to send."""
        with self._lock:
            self._stack, self._load, self._position = stack, load, position
            self._feed = SliceFeed(count, budget=self._budget)

    def move(self, position: int) -> None:
        """Send what is missing around another slice."""
        self._position = position
        self.resume()

    def want_whole(self, is_wanted: bool) -> None:
        """Send all slices that there is room for, not only those around the visible one."""
        with self._lock:
            self._feed.is_whole_wanted = is_wanted
        self.resume()

    def listen(self) -> None:
        """Begin to send: a page was loaded, and its browser holds nothing yet."""
        with self._lock:
            self._has_listener = True
            self._confirmed = self._sent
            self._feed.forget()
        self.resume()

    def confirm(self, sent: int) -> None:
        """Record that the browser has received that many bytes since the beginning."""
        with self._lock:
            self._confirmed = max(self._confirmed, min(sent, self._sent))
        self.resume()

    def resume(self) -> None:
        """Send what is missing around the visible slice."""
        with self._lock:
            if self._is_feeding or not self._has_listener:
                return
            self._is_feeding = True
        with self._stopping_at_an_error():
            self._queue.submit(self._feed_all)

    def wait_until_sent(self) -> None:
        """Wait until the browser has all slices around the visible one."""
        self._queue.submit(lambda: None).result()

    def close(self) -> None:
        """Stop sending."""
        self._queue.close()

    @contextmanager
    def _stopping_at_an_error(self) -> Iterator[None]:
        """Let the next `resume` begin again after an error."""
        try:
            yield
        except BaseException:
            with self._lock:
                self._is_feeding = False
            raise

    def _feed_all(self) -> None:
        try:
            with self._stopping_at_an_error():
                self._feed_missing()
        except ClientError as error:
            self._failed(error)

    def _feed_missing(self) -> None:
        while True:
            with self._lock:
                feed, load, stack = self._feed, self._load, self._stack
                number = feed.missing(self._position)
                if number != self._position and self._sent - self._confirmed > _UNDERWAY:
                    number = None  # until the browser confirms
                self._is_feeding = number is not None
            if number is None:
                return
            picture = _loaded(load, number)
            with self._lock:
                if feed is self._feed:
                    dropped = feed.put(self._position, number, max(len(picture.data), 1))
                    self._sent += len(picture.data)
                    told = {"stack": stack, "position": number, "dropped": dropped, "sent": self._sent}
                    told |= picture.plain()
                    self._send(told, picture.data)


def _loaded(load: Load, number: int) -> SliceImage:
    try:
        return load(number)
    except UnreachableError:
        raise
    except ClientError as error:  # concerns this slice only
        return SliceImage(words=str(error).partition("\n")[0])
    except Exception as error:  # a fault must be visible, and must not stop the other slices
        _log.exception("A slice failed")
        return SliceImage(words=f"This slice failed: {type(error).__name__}: {error}")
