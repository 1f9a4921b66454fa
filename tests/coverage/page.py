"""COVERAGE.md: each operation, option, metric and type of job of Orthanc 1.12.7, and how far this server has it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from orthanc_lab.jobs.kinds import KINDS as JOB_KINDS
from orthanc_lab.server.options.option_table import OPTIONS
from tests.coverage.observing import REAL, SEEN, operations, read_json

__all__ = ["LEFT_OUT", "PAGE", "Row", "page", "rows"]

PAGE = Path(__file__).parents[2] / "COVERAGE.md"
LEFT_OUT = Path(__file__).parent / "left_out.toml"

_HEAD = """\
# Coverage

How much of Orthanc 1.12.7 there is here: each operation of its REST API, each option of its configuration, each
metric, each type of job. This page is generated from the code and from what the twin tests saw
(`python -m tests.coverage.record`); a test compares it with both.

- **twin-tested**: requests of the named scenario hit it on this server and on the real one, and both answered alike.
  An operation counts only when it succeeded, an option when a scenario sets it.
- **implemented**: it is there; no such request has hit it.
- **left out**: with the reason.
"""


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the page."""

    name: str
    has: bool  # whether this server has it
    scenario: str  # that hit it, empty if none did
    reason: str  # why it is left out

    @property
    def state(self) -> str:
        """The words for it."""
        if self.scenario:
            return f"twin-tested: {self.scenario}"
        return "implemented" if self.has else f"left out: {self.reason}"


def rows() -> dict[str, list[Row]]:
    """Return the lines of the page by kind."""
    real, seen = read_json(REAL), read_json(SEEN)
    reasons = tomllib.loads(LEFT_OUT.read_text("utf-8"))
    options = {name: name in OPTIONS and OPTIONS[name].honoured for name in {*real["options"], *OPTIONS}}
    metrics = {name: name in seen["metrics"] for name in {*real["metrics"], *seen["metrics"]}}
    jobs = {name: name in {kind.type for kind in JOB_KINDS} for name in real["jobs"]}
    names = {"operations": operations(), "options": options, "metrics": metrics, "jobs": jobs}
    return {kind: list(_rows(has, seen[kind], reasons.get(kind, {}))) for kind, has in names.items()}


def _rows(has: Mapping[str, bool], seen: Mapping[str, str], reasons: Mapping[str, str]) -> Iterator[Row]:
    for name in sorted(has, key=_place):
        known = next((reason for pattern, reason in reasons.items() if fnmatchcase(name, pattern)), "")
        scenario = seen.get(name, "") if has[name] else ""
        is_there = has[name] and (bool(scenario) or not known)  # a route may be there to refuse
        yield Row(name, is_there, scenario, "" if is_there else known or _fallback(name))


def _fallback(name: str) -> str:
    return "accepted, and not honoured yet" if name in OPTIONS else ""


def _place(name: str) -> tuple[str, str]:
    verb, _, path = name.rpartition(" ")
    return path.lower(), verb


def page() -> str:
    """Return the page."""
    titles = {"operations": "Operations", "options": "Options", "metrics": "Metrics", "jobs": "Types of jobs"}
    parts = [_HEAD]
    found = rows()
    for kind, title in titles.items():
        parts.append(f"\n## {title}\n\n{_summary(found[kind])}\n\n| | |\n|---|---|\n")
        parts += [f"| `{row.name}` | {row.state} |\n" for row in found[kind]]
    return "".join(parts)


def _summary(found: Iterable[Row]) -> str:
    lines = list(found)
    tested = sum(bool(row.scenario) for row in lines)
    there = sum(row.has for row in lines)
    return f"{len(lines)}: {tested} twin-tested, {there - tested} implemented, {len(lines) - there} left out."
