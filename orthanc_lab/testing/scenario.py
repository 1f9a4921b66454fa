"""Scenarios: sequences of exchanges, written one a line.

A line is::

    captures = VERB PATH [Header: value | Header: value] BODY

Only verb and path are needed. ``#`` begins a comment line; a line that begins with ``+`` goes on
with the one before.

captures
    Names, separated by commas, for what the answer says. ``job`` takes the field ``ID`` of a JSON
    object (or the whole text of a text answer), ``study:ParentStudy`` takes another field,
    ``first:0.ID`` a path into it.
BODY
    ``@name`` is a named body (bytes); anything else is the text itself. POST and PUT without
    one have an empty body.

``{name}`` stands for a captured value, ``{b64:name}`` for a named body in base64, ``{peer}`` for
the URL of the peer that the scenario was given. A path may contain ``%7B`` where it needs a brace.

Lines that are no exchange::

    WAIT {job}              until the job is at its end (Success or Failure)
    WAIT {job} Running      until the job has this state
    HOLD                    from now on the peer answers no upload
    LET GO                  the peer answers what waits, and what comes
    SEEN                    compares what the peers have received since the last SEEN
    RESTART                 both servers are stopped, and started again on the same data
    GENERATES               from here on the servers make up resources (implied by /modify and the like)
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Capture", "Scenario", "Send", "Special", "Wait", "parse"]

_EXCHANGE = re.compile(
    r"(?:(?P<captures>[a-z][\w:., -]*?) = )?"
    r"(?P<verb>[A-Z]+) (?P<path>\S+)"
    r"(?: \[(?P<headers>[A-Za-z][\w-]*: ?[^\n]*?)\](?= |$))?"
    r"(?: (?P<body>.*))?"
)
_WAIT = re.compile(r"WAIT (?P<job>\S+)(?: (?P<state>\w+))?")
_SPECIALS = frozenset({"HOLD", "LET GO", "SEEN", "GENERATES", "RESTART"})


@dataclass(frozen=True, slots=True)
class Capture:
    """A value of an answer that later lines use by name."""

    name: str
    where: str = "ID"  # keys and indices, separated by dots


@dataclass(frozen=True, slots=True)
class Send:
    """A line that is an exchange; names in braces are not filled in yet."""

    line: str  # as written: the exchange's name in reports and in the ledger
    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    captures: tuple[Capture, ...]


@dataclass(frozen=True, slots=True)
class Wait:
    """A line that waits for a job."""

    line: str
    job: str
    state: str  # empty: Success or Failure


@dataclass(frozen=True, slots=True)
class Special:
    """A line that moves the peer, or says that resources are generated."""

    line: str


@dataclass(frozen=True, slots=True)
class Scenario:
    """Exchanges that are sent in order to a pair of fresh servers with the same options."""

    name: str
    text: str
    before: str = ""  # lines that prepare it: sent and compared too, but counted where they are defined
    options: Mapping[str, Any] = field(default_factory=dict)
    peer: bool = False  # whether it needs an HTTP server that plays the peer

    @property
    def exchanges(self) -> int:
        """How many exchanges of its own it has."""
        return sum(isinstance(step, Send) for step in parse(self.text))


def parse(text: str) -> list[Send | Wait | Special]:
    """Read the lines of a scenario.

    Raises
    ------
    ValueError
        A line is none of the forms above.
    """
    return [_parse_line(line) for line in _joined(text)]


def _joined(text: str) -> list[str]:
    lines: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("+"):
            lines[-1] += line[1:].lstrip()
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def _parse_line(line: str) -> Send | Wait | Special:
    if line in _SPECIALS:
        return Special(line)
    if match := _WAIT.fullmatch(line):
        return Wait(line, match["job"], match["state"] or "")
    match = _EXCHANGE.fullmatch(line)
    if match is None:
        raise ValueError(f"not a line of a scenario: {line}")
    headers = dict(pair.split(":", 1) for pair in (match["headers"] or "").split(" | ") if pair)
    body = match["body"]
    if body is None and match["verb"] in {"POST", "PUT"}:
        body = ""
    captures = tuple(Capture(*name.strip().split(":", 1)) for name in (match["captures"] or "").split(",") if name)
    return Send(
        line=line,
        method=match["verb"],
        path=match["path"],
        headers={name: value.strip() for name, value in headers.items()},
        body=body,
        captures=captures,
    )
