"""Log lines: what comes from outside stays on its line, and commands no terminal."""

import logging
import re
import sys

import pytest

import orthanc_lab
from orthanc_lab.protocol.verbosity import set_verbosity, verbosity_of
from orthanc_lab.server.log_lines import LineFormatter, LogTail
from tests.server.wire import exchange

LINE = re.compile(r"[EWIT]\d{4} \d\d:\d\d:\d\d\.\d{6} ")
NASTY = [
    "\n",
    "\r",
    "\r\nE1128 10:00:00.000000 FORGED",
    "\x1b[31m",
    "\0",
    "\x9b2J",
    "\u2028",
    "\u202e",
    "\x85",
    "\x7f",
    "\ud800",
]


@pytest.fixture
def tail():
    tail = LogTail()
    before = verbosity_of("http")
    set_verbosity("verbose", "http")
    yield tail
    set_verbosity(before, "http")
    tail.close()


def record(message, *args, exc_info=None):
    """Return a record that pytest does not capture: pytest-xdist cannot pass on half a character."""
    return logging.LogRecord("orthanc_lab", logging.WARNING, __file__, 1, message, args, exc_info)


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_a_message(tail, text):
    tail.handle(record("GET /%s", f"a{text}b"))
    (line,) = tail.lines(10)
    assert LINE.match(line)
    assert line.isprintable()


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_an_error(tail, text):
    try:
        raise ValueError(text + "W1128 10:00:00.000000 forged")
    except ValueError:
        tail.handle(record("Failed", exc_info=sys.exc_info()))
    first, *others = tail.lines(100)
    assert LINE.match(first)
    assert any("ValueError" in line for line in others)
    for line in others:
        assert not LINE.match(line)
        assert line.isprintable()


def test_what_a_client_sent_makes_no_endless_line():
    line = LineFormatter().format(record("GET %s", "x" * 1_000_000))
    assert len(line) < 5000
    assert line.endswith("x… (1,000,004 characters)")


def test_a_path(tail):
    with orthanc_lab.serve() as server:
        exchange(server.port, b"GET /x%0aE1128%20FORGED%1b%5b31m HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lines = [line for line in tail.lines(100) if "FORGED" in line]
    assert len(lines) == 1
    assert LINE.match(lines[0])
    assert lines[0].endswith(r"] GET /x\nE1128 FORGED\x1b[31m")
