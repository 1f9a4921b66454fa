"""The status line, and whether a browser shows it."""

from __future__ import annotations

from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.widgets import Status
from orthanc_lab.widgets.elements.status import LEASE
from tests.widgets.browser import hear


def test_one_message_shows_a_text_and_none_an_equal_one():
    with hear() as recorder:
        status = Status()
        status.warn("Gone")
        status.warn("Gone")
    [(_, data, _)] = recorder.taken()
    assert data["state"] == {"text": "Gone", "is_warning": True}


def test_a_view_that_the_busy_kernel_could_not_hear_is_not_forgotten():
    clock, waiting = ManualClock(), []
    status = Status(clock, waiting.append)
    status._handle_custom_msg({"view": "a", "here": True}, [])
    clock.advance(LEASE + 1)  # a cell runs
    status.drop_silent_views()
    status.drop_silent_views()
    assert status.is_seen
    status._handle_custom_msg({"view": "a", "here": True}, [])  # the cell is over, what waited is heard
    [ask] = waiting
    ask()
    assert status.is_seen
    clock.advance(LEASE + 1)
    status.drop_silent_views()
    waiting[1]()
    assert not status.is_seen


def test_a_farewell_of_a_stranger_changes_nothing():
    status = Status()
    status._handle_custom_msg({"view": "a", "here": True}, [])
    status._handle_custom_msg({"view": "b", "here": False}, [])
    assert status.is_seen
