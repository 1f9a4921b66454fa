"""Time that a test moves by hand, and waits that a test lets pass."""

from __future__ import annotations

import queue
import threading

from orthanc_lab.protocol.ports import ManualClock

DEADLINE = 20.0  # seconds


class SteppedWait:
    """A wait that moves the clock at once: recordings in the foreground take no time."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock

    def __call__(self, stop: threading.Event, seconds: float) -> bool:
        self.clock.advance(seconds)
        return stop.is_set()


class GatedWait:
    """A wait that ends when the test says so; `looked` returns when the thread waits."""

    def __init__(self, clock: ManualClock) -> None:
        self.clock = clock
        self._arrived: queue.Queue[float] = queue.Queue()
        self._go: queue.Queue[float] = queue.Queue()

    def __call__(self, stop: threading.Event, seconds: float) -> bool:
        self._arrived.put(seconds)
        while not stop.is_set():
            try:
                more = self._go.get(timeout=0.01)
            except queue.Empty:
                continue
            self.clock.advance(seconds + more)
            break
        return stop.is_set()

    def looked(self) -> float:
        """Wait until a look is done, and return the seconds to the next one."""
        return self._arrived.get(timeout=DEADLINE)

    def next(self, late: float = 0.0) -> float:
        """Let the next look happen, `late` seconds after its time, and wait until it is done."""
        self._go.put(late)
        return self.looked()
