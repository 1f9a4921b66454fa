"""A schedule as text: what goes on, line by line, until everything takes its usual course."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from itertools import groupby, zip_longest
from typing import NamedTuple

from orthanc_lab.protocol.arguments import check_text

__all__ = ["FORMAT_VERSION", "Line", "check_name", "read_schedule", "to_lines", "write_schedule"]

FORMAT_VERSION = 1
_HEAD = "orthanc-lab schedule"
_LONGEST = 1 << 20  # characters
_LINE = re.compile(r"(?P<name>\S(?:[^\n]*?\S)??)(?: [×x] (?P<count>[1-9]\d{0,5}))?")


class Line(NamedTuple):
    """One line of a schedule: what goes on, and how often in a row."""

    name: str
    times: int = 1


def check_name(name: str) -> str:
    """Return a name that can stand in a schedule.

    Raises
    ------
    ValueError
        For another one.
    """
    found = _LINE.fullmatch(name)
    if not name.isprintable() or len(name) > 80 or found is None or found["count"] or name.startswith("#"):
        raise ValueError(f'{name!r:.100} cannot stand in a schedule: take a short name like "cancel"')
    if " #" in name:
        raise ValueError(f'{name!r} cannot stand in a schedule: what follows " #" is a comment there')
    return name


def to_lines(names: Iterable[str]) -> list[Line]:
    """Return what happened in lines."""
    return [Line(name, len(list(group))) for name, group in groupby(names)]


def write_schedule(lines: Sequence[Line], notes: Sequence[str] = ()) -> str:
    """Return a schedule as text, with a comment behind each line.

    Examples
    --------
    >>> print(write_schedule([Line("jobs-worker-0", 3), Line("cancel")], ["", "job 1: Running → Failure"]))
    orthanc-lab schedule 1
    jobs-worker-0 × 3
    cancel             # job 1: Running → Failure
    """
    written = [line.name if line.times == 1 else f"{line.name} × {line.times}" for line in lines]
    width = max(map(len, written), default=0)
    noted = (f"{line:{width}}  # {note}" if note else line for line, note in zip_longest(written, notes, fillvalue=""))
    return "\n".join((f"{_HEAD} {FORMAT_VERSION}", *noted))


def read_schedule(text: str) -> list[Line]:
    """Read a schedule; empty lines and comments after ``#`` do not matter.

    Raises
    ------
    ValueError
        For a text that is none, or that of another version.
    """
    check_text(text, "the text of a schedule, as testing.explore prints it")
    if len(text) > _LONGEST:
        raise ValueError(f"A schedule has {_LONGEST:,} characters at most, not {len(text):,}")
    numbered = enumerate((raw.partition(" #")[0].strip() for raw in text.splitlines()), start=1)
    told = [(number, line) for number, line in numbered if line and not line.startswith("#")]
    if not told or not told[0][1].startswith(f"{_HEAD} "):
        raise ValueError(f'A schedule begins with the line "{_HEAD} {FORMAT_VERSION}"')
    version = told[0][1].removeprefix(f"{_HEAD} ")
    if version != str(FORMAT_VERSION):
        raise ValueError(
            f"This schedule is of version {version:.20}; this orthanc-lab reads version {FORMAT_VERSION}."
            " Explore the scenario again to find one of this version"
        )
    return [_read_line(number, line) for number, line in told[1:]]


def _read_line(number: int, text: str) -> Line:
    found = _LINE.fullmatch(text)
    if found is None:
        raise ValueError(f"Line {number} of the schedule cannot be read: {text!r:.100}")
    return Line(found["name"], int(found["count"] or 1))
