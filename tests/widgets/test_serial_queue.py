"""Actions in the background, one after the other."""

from __future__ import annotations

import threading

import pytest

from orthanc_lab.widgets.serial_queue import SerialQueue


def test_they_are_done_in_their_order():
    queue, done = SerialQueue(), []
    for number in range(20):
        last = queue.submit(lambda number=number: done.append(number))
    last.result(10)
    assert done == list(range(20))


def test_an_error_is_the_result_and_the_next_is_done():
    queue = SerialQueue()
    failed = queue.submit(lambda: 1 // 0)
    assert queue.submit(lambda: 2).result(10) == 2
    with pytest.raises(ZeroDivisionError):
        failed.result(10)


def test_no_thread_is_left_when_all_is_done():
    before = threading.active_count()
    many = [SerialQueue() for _ in range(50)]
    for queue in many:
        queue.submit(lambda: None).result(10)
    for thread in threading.enumerate():
        if thread.name == "orthanc-lab serial queue":
            thread.join(10)
    assert threading.active_count() <= before


def test_after_a_close_nothing_begins():
    queue, begun, go = SerialQueue(), threading.Event(), threading.Event()
    first = queue.submit(lambda: (begun.set(), go.wait(10)))
    second = queue.submit(lambda: None)
    assert begun.wait(10)
    queue.close()
    go.set()
    assert first.result(10)
    assert second.cancelled()
    assert queue.submit(lambda: None).cancelled()


def test_an_action_for_which_there_is_no_thread_is_refused_and_the_next_is_done(monkeypatch):
    queue, done = SerialQueue(), []

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            queue.submit(lambda: done.append("refused"))
    queue.submit(lambda: done.append("next")).result(10)
    assert done == ["next"]
