"""Actions in the background, one after the other."""

from __future__ import annotations

import threading

import pytest

from orthanc_lab.widgets.errands import Errands


def test_they_are_done_in_their_order():
    errands, done = Errands(), []
    for number in range(20):
        last = errands.submit(lambda number=number: done.append(number))
    last.result(10)
    assert done == list(range(20))


def test_an_error_is_the_result_and_the_next_is_done():
    errands = Errands()
    failed = errands.submit(lambda: 1 // 0)
    assert errands.submit(lambda: 2).result(10) == 2
    with pytest.raises(ZeroDivisionError):
        failed.result(10)


def test_no_thread_is_left_when_all_is_done():
    before = threading.active_count()
    many = [Errands() for _ in range(50)]
    for errands in many:
        errands.submit(lambda: None).result(10)
    for thread in threading.enumerate():
        if thread.name == "orthanc-lab errand":
            thread.join(10)
    assert threading.active_count() <= before


def test_after_a_close_nothing_begins():
    errands, begun, go = Errands(), threading.Event(), threading.Event()
    first = errands.submit(lambda: (begun.set(), go.wait(10)))
    second = errands.submit(lambda: None)
    assert begun.wait(10)
    errands.close()
    go.set()
    assert first.result(10)
    assert second.cancelled()
    assert errands.submit(lambda: None).cancelled()
