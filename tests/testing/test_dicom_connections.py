"""The pause of pynetdicom's thread: it says that it is paused only while it waits."""

from __future__ import annotations

import threading
from types import SimpleNamespace

from orthanc_lab.testing.dicom_connections import _Checkpoint
from tests.waiting import until


def test_a_thread_that_has_just_passed_is_waited_for():
    association = SimpleNamespace(_is_paused=False)
    checkpoint = _Checkpoint(association)
    association._is_paused = True  # the thread has said so, and passes
    assert checkpoint.wait()
    checkpoint.clear()
    assert not association._is_paused  # although the thread has not come to the next line yet
    association._is_paused = False
    thread = threading.Thread(target=checkpoint.wait)
    thread.start()
    until(lambda: association._is_paused)
    checkpoint.set()
    thread.join(10)
    assert not thread.is_alive()


def test_a_thread_that_says_so_too_early_says_so_again():
    association = SimpleNamespace(_is_paused=True)
    checkpoint = _Checkpoint(association)
    checkpoint.clear()  # between the thread's word and its wait
    thread = threading.Thread(target=checkpoint.wait)
    thread.start()
    until(lambda: association._is_paused)
    checkpoint.set()
    thread.join(10)
    assert not thread.is_alive()
