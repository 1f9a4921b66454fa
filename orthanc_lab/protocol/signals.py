"""Signals that ask a command to end: the first one asks, a further one ends it at once.

Nothing that was acknowledged needs an orderly end: what a server has answered is on disk.
"""

from __future__ import annotations

import os
import queue
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

__all__ = ["ENDING", "EndedBySignal", "Ending", "FirstAsks", "ending", "exit_code_of", "listen", "raising"]

ENDING = tuple(getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name))
"""Ctrl-C, the usual request to end, and the closing of the terminal."""

_SAME_S = 0.3  # timeout(1) sends its signal twice, and a terminal and a launcher each their own
_LOOK_FOR_SIGNALS_S = 0.5
_DIED_OF = 128  # the exit code of a shell, plus the number of the signal


class EndedBySignal(KeyboardInterrupt):
    """A signal that ends a command.

    Attributes
    ----------
    exit_code
        130 for Ctrl-C, 143 for SIGTERM, 129 for the closing of the terminal.
    """

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.exit_code = _DIED_OF + number


def exit_code_of(interrupt: KeyboardInterrupt) -> int:
    """Return the exit code of a command that was interrupted."""
    return interrupt.exit_code if isinstance(interrupt, EndedBySignal) else _DIED_OF + signal.SIGINT


class FirstAsks:
    """A handler of several signals: the first calls `ask`, the next, unless it comes together with it, ends at once."""

    def __init__(self, ask: Callable[[int], None]) -> None:
        self._ask = ask
        self._since: float | None = None

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        now = time.monotonic()
        if self._since is None:
            self._since = now
            self._ask(number)
        elif now - self._since > _SAME_S:
            # Not sys.stderr: the handler may have interrupted it in the middle of a line.
            os.write(2, b"Asked to end again: ended at once\n")
            os._exit(_DIED_OF + number)


def listen(handler: Callable[[int, FrameType | None], None]) -> None:
    """Handle the signals of `ENDING`, from the main thread."""
    for number in ENDING:
        if number != getattr(signal, "SIGHUP", None) or signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, handler)  # but nohup is obeyed


@contextmanager
def raising() -> Iterator[None]:
    """Raise `EndedBySignal` for the first of these signals, so that a command cleans up behind itself.

    It is raised at the end again if something has made another error of it, as Python does while it makes a class.
    """
    asked: list[int] = []

    def end(number: int) -> None:
        asked.append(number)
        raise EndedBySignal(number)

    with _listening(FirstAsks(end)):
        try:
            yield
        except Exception as error:
            if asked:
                raise EndedBySignal(asked[0]) from error
            raise


class Ending:
    """The end, which signals and threads ask for."""

    def __init__(self) -> None:
        # Not an Event: a handler of signals that sets it may meet its own thread inside of the Event's lock.
        self._asked: queue.SimpleQueue[None] = queue.SimpleQueue()

    def ask(self) -> None:
        """Ask for it; from anywhere."""
        self._asked.put(None)

    def wait(self) -> None:
        """Wait until it is asked for."""
        while True:
            # With a timeout: a signal that comes just before this wait does not end it, and its handler runs
            # only in this thread.
            with suppress(queue.Empty):
                return self._asked.get(timeout=_LOOK_FOR_SIGNALS_S)


@contextmanager
def ending() -> Iterator[Ending]:
    """Return an `Ending` that these signals ask for."""
    asked = Ending()
    with _listening(FirstAsks(lambda number: asked.ask())):
        yield asked


@contextmanager
def _listening(handler: FirstAsks) -> Iterator[None]:
    """Handle these signals; afterwards they do what they did before."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set handlers
        yield
        return
    before = [signal.getsignal(number) for number in ENDING]
    listen(handler)
    try:
        yield
    finally:
        for number, usual in zip(ENDING, before, strict=True):
            signal.signal(number, usual)
