"""Signals that end a command: the first one asks, the next one ends it at once; in processes of their own."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from orthanc_lab.protocol.signals import ENDING, EndedBySignal, exit_code_of, raising
from tests.waiting import until

ORDERLY = """
import time
from orthanc_lab.protocol.signals import ending
with ending() as end:
    print("ready", flush=True)
    end.wait()
    time.sleep(1)
print("done")
"""
SLOW = """
import time
from orthanc_lab.protocol.signals import raising
with raising():
    try:
        print("ready", flush=True)
        time.sleep(60)
    finally:
        print("cleaning", flush=True)
        time.sleep(60)
"""


def started(code: str, *before: str) -> subprocess.Popen[str]:
    process = subprocess.Popen(
        [*before, sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    return process


@pytest.mark.parametrize("number", ENDING)
def test_the_first_signal_asks(number: signal.Signals) -> None:
    process = started(ORDERLY)
    process.send_signal(number)
    process.send_signal(number)  # as timeout(1) does
    assert process.communicate(timeout=20) == ("done\n", "")
    assert process.returncode == 0


@pytest.mark.parametrize("number", ENDING)
def test_the_next_signal_ends_at_once(number: signal.Signals) -> None:
    process = started(SLOW)
    process.send_signal(number)
    assert process.stdout is not None
    assert process.stdout.readline() == "cleaning\n"

    def ended() -> bool:
        process.send_signal(number)
        return process.poll() is not None

    until(ended)
    assert process.communicate(timeout=20) == ("", "Asked to end again: ended at once\n")
    assert process.returncode == 128 + number


def test_nohup_is_obeyed() -> None:
    process = started(ORDERLY, "sh", "-c", 'trap "" HUP; exec "$@"', "sh")
    process.send_signal(signal.SIGHUP)
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(1)
    process.send_signal(signal.SIGTERM)
    assert process.communicate(timeout=20) == ("done\n", "")


def test_a_caller_has_its_handlers_back() -> None:
    before = [signal.getsignal(number) for number in ENDING]
    with pytest.raises(EndedBySignal) as caught, raising():
        signal.raise_signal(signal.SIGTERM)
    assert exit_code_of(caught.value) == 143
    assert exit_code_of(KeyboardInterrupt()) == 130
    assert [signal.getsignal(number) for number in ENDING] == before


@pytest.mark.parametrize("number", ENDING)
def test_a_signal_that_became_another_error_ends_it_too(number: signal.Signals) -> None:
    class Named:
        def __set_name__(self, owner: type, name: str) -> None:
            signal.raise_signal(number)

    with pytest.raises(EndedBySignal) as ended, raising():
        type("Made", (), {"named": Named()})  # before 3.12, Python says RuntimeError
    assert ended.value.exit_code == 128 + number


def test_an_error_without_a_signal_stays_as_it_is() -> None:
    with pytest.raises(ZeroDivisionError), raising():
        raise ZeroDivisionError
