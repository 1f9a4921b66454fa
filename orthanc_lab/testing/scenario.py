"""Scenarios: sequences of exchanges, one per line.

A line is::

    captures = VERB PATH [Header: value | Header: value] BODY

Only verb and path are required. ``#`` begins a comment line; a line that begins with ``+`` continues
the previous one.

captures
    Comma-separated names for values of the response. ``job`` takes the field ``ID`` of a JSON
    object (or a whole text response), ``study:ParentStudy`` takes another field,
    ``first:0.ID`` follows a path.
BODY
    ``@name`` is a named body (bytes); anything else is the text itself. POST and PUT without
    one have an empty body.

``{name}`` stands for a captured value, ``{b64:name}`` for a named body in base64, ``{peer}`` for
the URL of the scenario's peer, ``{node}`` for the port of its DICOM node. A brace in a path is written as ``%7B``.

Lines that are not exchanges::

    WAIT {job}              until the job has ended (Success or Failure)
    WAIT {job} Running      until the job is in this state
    HOLD                    from now on, the peer holds all uploads
    LET GO                  the peer answers held uploads and all further ones
    SEEN                    compares what the peers and nodes have received since the last SEEN
    RESTART                 stops both servers and starts them again with the same data
    RESTART {"Name": "x"}   the same, with these options besides
    GENERATES               from here on, the servers generate resources (implied by /modify and the like)
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Capture", "Scenario", "Send", "Special", "Wait", "generates", "parse"]

_EXCHANGE = re.compile(
    r"(?:(?P<captures>[a-z][\w:., -]*?) = )?"
    r"(?P<verb>[A-Z]+) (?P<path>\S+)"
    r"(?: \[(?P<headers>[A-Za-z][\w-]*: ?[^\n]*?)\](?= |$))?"
    r"(?: (?P<body>.*))?"
)
_WAIT = re.compile(r"WAIT (?P<job>\S+)(?: (?P<state>\w+))?")
_GENERATING = ("create-dicom", "modify", "anonymize", "split", "merge", "media")
_RESTART = "RESTART "
_SPECIALS = frozenset({"HOLD", "LET GO", "SEEN", "GENERATES", "RESTART"})


@dataclass(frozen=True, slots=True)
class Capture:
    """A value from a response that later lines refer to by name."""

    name: str
    where: str = "ID"  # keys and indices, separated by dots


@dataclass(frozen=True, slots=True)
class Send:
    """A line that is an exchange; names in braces are not yet filled in."""

    line: str  # as written: the exchange's name in reports and in the ledger
    method: str
    path: str
    headers: Mapping[str, str]
    body: str | None
    captures: tuple[Capture, ...]

    @property
    def generates(self) -> bool:
        """Whether the server generates resources to answer it."""
        return generates(self.path)

    @property
    def resource(self) -> str:
        """The last part of the path."""
        return self.path.partition("?")[0].rpartition("/")[2]


@dataclass(frozen=True, slots=True)
class Wait:
    """A line that waits for a job."""

    line: str
    job: str
    state: str  # empty: Success or Failure


@dataclass(frozen=True, slots=True)
class Special:
    """A line that controls the peer or the servers, or declares that resources are generated."""

    line: str

    @property
    def restarts_with(self) -> dict[str, Any] | None:
        """The further options of a restart; None if it is none."""
        if self.line == _RESTART.strip():
            return {}
        options: dict[str, Any] | None = None
        if self.line.startswith(_RESTART):
            options = json.loads(self.line.removeprefix(_RESTART))
        return options


@dataclass(frozen=True, slots=True)
class Scenario:
    """Exchanges to be sent in order to two fresh servers with the same options."""

    name: str
    text: str
    before: str = ""  # preparatory lines: also sent and compared, but counted where they are defined
    options: Mapping[str, Any] = field(default_factory=dict)
    peer: bool = False  # whether it needs an HTTP server that acts as the peer
    node: bool = False  # whether it needs a DICOM node

    @property
    def exchanges(self) -> int:
        """Number of exchanges, without the preparatory ones."""
        return sum(isinstance(step, Send) for step in parse(self.text))


def parse(text: str) -> list[Send | Wait | Special]:
    """Parse the lines of a scenario.

    Raises
    ------
    ValueError
        If a line has none of the forms above.
    """
    return [_parse_line(line) for line in _joined(text)]


def generates(path: str) -> bool:
    """Whether a server generates resources to answer a request."""
    return any(mark in path for mark in _GENERATING)


def _joined(text: str) -> list[str]:
    lines: list[str] = []
    for line in map(str.strip, text.splitlines()):
        if line.startswith("+"):
            lines[-1] += line[1:].lstrip()
        elif line and not line.startswith("#"):
            lines.append(line)
    return lines


def _parse_line(line: str) -> Send | Wait | Special:
    if line in _SPECIALS or line.startswith(_RESTART):
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
