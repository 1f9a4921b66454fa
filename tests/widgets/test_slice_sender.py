"""How slices are sent: what is seen first, and no more ahead than the browser keeps up with."""

from __future__ import annotations

import threading

import numpy as np
import pytest

from orthanc_lab.client import NotFoundError, UnreachableError
from orthanc_lab.widgets.elements.slice_image import SliceImage
from orthanc_lab.widgets.elements.slice_sender import SliceSender

MEGABYTE = SliceImage.of(np.zeros((1024, 1024), "u1"))


@pytest.fixture
def sender():
    sent: list[dict] = []
    failed: list[Exception] = []
    made = SliceSender(lambda told, data: sent.append(told), failed.append, budget=100 << 20)
    made.sent, made.failed = sent, failed
    yield made
    made.close()


def positions(sender):
    sender.wait_until_sent()
    found = [told["position"] for told in sender.sent]
    sender.sent.clear()
    return found


def test_nothing_is_sent_before_a_page_is_there(sender):
    sender.show(1, 3, lambda number: MEGABYTE, 1)
    sender.resume()
    assert positions(sender) == []
    sender.listen()
    assert positions(sender) == [1, 2, 0]
    sender.listen()  # the page was loaded again
    assert positions(sender) == [1, 2, 0]


def test_what_is_sent_ahead_waits_for_the_browser(sender):
    sender.show(1, 80, lambda number: MEGABYTE, 0)
    sender.listen()
    sender.want_whole(True)
    assert positions(sender) == [*range(33)]
    sender.move(70)  # what is seen never waits
    assert positions(sender) == [70]
    sender.confirm(30 << 20)
    ahead = positions(sender)
    assert ahead[:4] == [71, 69, 72, 68]
    assert len(ahead) == 29
    sender.confirm(1 << 60)  # more than was sent
    assert len(positions(sender)) == 17
    assert sender.failed == []


def test_a_slice_that_fails_says_so_and_stops_no_other(sender, caplog):
    def load(number):
        if number == 1:
            raise ZeroDivisionError
        if number == 2:
            raise NotFoundError(404, 7, "Unknown resource", "", "GET /instances/x")
        return MEGABYTE

    sender.show(1, 4, load, 0)
    sender.listen()
    sender.wait_until_sent()
    words = {told["position"]: told["words"] for told in sender.sent}
    assert words == {0: "", 1: "This slice failed: ZeroDivisionError: ", 2: words[2], 3: ""}
    assert words[2].startswith("Unknown resource")
    assert "\n" not in words[2]
    assert "A slice failed" in caplog.text


def test_a_server_that_does_not_answer_is_asked_again_on_resume(sender):
    answers = [UnreachableError("http://127.0.0.1:1", OSError("away")), MEGABYTE]

    def load(number):
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    sender.show(1, 1, load, 0)
    sender.listen()
    assert positions(sender) == []
    assert [type(error) for error in sender.failed] == [UnreachableError]
    sender.resume()
    assert positions(sender) == [0]


def test_it_goes_on_when_there_is_a_thread_for_it(sender, monkeypatch):
    def refuse(thread):
        raise RuntimeError("can't start new thread")

    sender.show(1, 3, lambda number: MEGABYTE, 1)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            sender.listen()
    sender.resume()
    assert positions(sender) == [1, 2, 0]


def test_it_goes_on_after_a_message_that_could_not_be_sent():
    sent, broken = [], [True]

    def send(told, data):
        if broken:
            broken.clear()
            raise OSError("no kernel")
        sent.append(told["position"])

    sender = SliceSender(send, lambda error: None, budget=100 << 20)
    sender.show(1, 3, lambda number: MEGABYTE, 1)
    sender.listen()
    sender.wait_until_sent()
    sender.resume()
    sender.wait_until_sent()
    assert sent == [2, 0]
    sender.close()
