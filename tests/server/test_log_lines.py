"""Log lines: what comes from outside stays on its line, and commands no terminal."""

import logging
import re

import pytest

import orthanc_lab
from orthanc_lab.server.log_lines import LogTail
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
def tail(monkeypatch):
    tail = LogTail()
    logger = logging.getLogger("orthanc_lab")
    monkeypatch.setattr(logger, "propagate", False)  # pytest-xdist cannot pass on captured lines with half a character
    level = logger.level
    logger.setLevel(logging.INFO)
    yield tail
    logger.setLevel(level)
    tail.close()


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_a_message(tail, text):
    logging.getLogger("orthanc_lab.http").warning("GET /%s", f"a{text}b")
    (line,) = tail.lines(10)
    assert LINE.match(line)
    assert line.isprintable()


@pytest.mark.parametrize("text", NASTY, ids=ascii)
def test_an_error(tail, text):
    try:
        raise ValueError(text + "W1128 10:00:00.000000 forged")
    except ValueError:
        logging.getLogger("orthanc_lab").exception("Failed")
    first, *others = tail.lines(100)
    assert LINE.match(first)
    assert any("ValueError" in line for line in others)
    for line in others:
        assert not LINE.match(line)
        assert line.isprintable()


def test_a_path(tail):
    with orthanc_lab.serve() as server:
        exchange(server.port, b"GET /x%0aE1128%20FORGED%1b%5b31m HTTP/1.1\r\nHost: localhost\r\n\r\n")
    lines = [line for line in tail.lines(100) if "FORGED" in line]
    assert len(lines) == 1
    assert LINE.match(lines[0])
    assert lines[0].endswith(r"] GET /x\nE1128 FORGED\x1b[31m")
