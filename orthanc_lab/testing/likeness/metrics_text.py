"""Comparing metrics in Prometheus format: their names, their layout, and the values of counts."""

from __future__ import annotations

import re
from collections.abc import Iterator

from orthanc_lab.testing.likeness.difference import Difference

__all__ = ["compare_metrics"]

_LINE = re.compile(r"(?P<name>[a-z_0-9]+) (?P<value>-?[0-9.e+-]+) (?P<time>\d{13})")
_EXACT = re.compile(r"orthanc_(count_|jobs_|last_change)")
"""Metrics with equal values; the others are durations, sizes and caches, which depend on the server."""


def compare_metrics(ours: str, real: str) -> Iterator[Difference]:
    """Compare two metrics texts line by line."""
    mine, theirs = _lines(ours), _lines(real)
    for name in sorted({*mine, *theirs}):
        if name not in mine or name not in theirs:
            yield Difference.of(f"metric {name}", mine.get(name, "(absent)"), theirs.get(name, "(absent)"))
        elif _EXACT.match(name) and mine[name] != theirs[name]:
            yield Difference.of(f"metric {name}", mine[name], theirs[name])
    if list(mine) != sorted(mine) or ours[-1:] != real[-1:]:
        yield Difference.of("metrics layout", list(mine), list(theirs))


def _lines(text: str) -> dict[str, str]:
    """Return the value of each metric by name; a malformed line is its own name."""
    values = {}
    for line in text.splitlines():
        match = _LINE.fullmatch(line)
        values[match["name"] if match else line] = match["value"] if match else "malformed"
    return values
