"""Pauses that go by a clock."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.pausing import Closing
from orthanc_lab.protocol.ports import ManualClock


class _Clock(ManualClock):
    """Tells when somebody begins to wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = threading.Semaphore(0)

    def wait_until(self, condition: threading.Condition, moment: float | None) -> None:
        self.waits.release()
        super().wait_until(condition, moment)


class _Pauses:
    """A thread that pauses for a minute of a clock that stands still."""

    def __init__(self) -> None:
        self.clock = _Clock()
        self.closing = Closing(self.clock)
        self.answers: list[bool] = []
        self._thread = threading.Thread(target=lambda: self.answers.append(self.closing.pause(60)))
        self._thread.start()
        assert self.clock.waits.acquire(timeout=20)

    def end(self) -> list[bool]:
        self._thread.join(20)
        return self.answers


def test_a_pause_ends_when_its_time_has_come() -> None:
    pauses = _Pauses()
    pauses.clock.advance(59)
    assert pauses.clock.waits.acquire(timeout=20)
    assert not pauses.answers
    pauses.clock.advance(1)
    assert pauses.end() == [False]


def test_closing_ends_it_at_once_and_all_later_ones() -> None:
    pauses = _Pauses()
    pauses.closing.set()
    assert pauses.end() == [True]
    assert pauses.closing.is_set
    assert pauses.closing.pause(60)
