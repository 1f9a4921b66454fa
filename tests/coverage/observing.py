"""What the exchanges of the twin scenarios really hit: operations, options, metrics, types of jobs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from orthanc_lab.server.api_document import openapi
from orthanc_lab.testing.exchange import Answer, Exchange
from orthanc_lab.testing.scenario import Scenario

__all__ = ["KINDS", "REAL", "SEEN", "Observation", "operations", "read_json"]

REAL = Path(__file__).parent / "real.json"
"""The operations and the options of the real server."""
SEEN = Path(__file__).parent / "seen.json"
"""Each thing that was hit, and the first scenario that did it."""
KINDS = ("operations", "options", "metrics", "jobs")

_METRIC = re.compile(r"^(orthanc_\w+)", re.MULTILINE)


def read_json(path: Path) -> Any:
    """Return the contents of a file of this folder."""
    return json.loads(path.read_text("utf-8"))


@dataclass(frozen=True, slots=True)
class _Template:
    verb: str
    parts: tuple[str, ...]
    name: str

    def matches(self, verb: str, parts: tuple[str, ...]) -> bool:
        if verb != self.verb or len(parts) < len(self.parts):
            return False
        if len(parts) > len(self.parts) and self.parts[-1] != "{path}":
            return False
        return all(own.startswith("{") or own == part for own, part in zip(self.parts, parts, strict=False))

    @property
    def literals(self) -> int:
        return sum(not part.startswith("{") for part in self.parts)


def operations() -> dict[str, bool]:
    """Return every operation, ``GET /instances/{id}``, and whether this server has it.

    They are those of the real server's ``--openapi``, and those of ours that it does not mention, without the ones
    below ``/orthanc-lab``, which no Orthanc has.
    """
    ours = [f"{verb.upper()} {path}" for path, verbs in json.loads(openapi())["paths"].items() for verb in verbs]
    real: list[str] = read_json(REAL)["operations"]
    has = {_bare(name) for name in ours}
    known = {_bare(name) for name in real}
    found = {name: _bare(name) in has for name in real}
    return found | {name: True for name in ours if _bare(name) not in known and " /orthanc-lab/" not in name}


def _bare(operation: str) -> str:
    return re.sub(r"{[^}]*}", "{}", operation)


@cache
def _templates() -> Sequence[_Template]:
    found = []
    for name in operations():
        verb, path = name.split(" ")
        found.append(_Template(verb, tuple(path.split("/")[1:]), name))
    return tuple(sorted(found, key=lambda template: -template.literals))


class Observation:
    """What one scenario hits; an operation counts if both servers answered it alike, and with success."""

    def __init__(self, scenario: Scenario) -> None:
        self.found: Mapping[str, set[str]] = {kind: set() for kind in KINDS}
        self.found["options"].update(scenario.options)
        self._templates = _templates()

    def __call__(self, exchange: Exchange, ours: Answer, real: Answer) -> None:
        """Note an exchange."""
        if ours.status != real.status or not 200 <= ours.status < 400:
            return
        path = exchange.path.partition("?")[0]
        parts = tuple(part for part in path.split("/") if part)
        name = next((t.name for t in self._templates if t.matches(exchange.method, parts)), None)
        if name is not None:
            self.found["operations"].add(name)
        if parts[:1] == ("jobs",) and ours.media_type == "application/json":
            self.found["jobs"].update(_types(ours) & _types(real))
        if parts == ("tools", "metrics-prometheus"):
            self.found["metrics"].update(_metrics(ours) & _metrics(real))

    def wrong(self, name: str, seen: Mapping[str, Mapping[str, str]]) -> list[str]:
        """Return what `seen` does not know of this scenario, or credits it with wrongly."""
        return list(_differences(name, self.found, seen))


def _metrics(answer: Answer) -> set[str]:
    return set(_METRIC.findall(answer.body.decode()))


def _types(answer: Answer) -> set[str]:
    found = json.loads(answer.body)
    jobs = found if isinstance(found, list) else [found]
    return {job["Type"] for job in jobs if isinstance(job, dict) and "State" in job}


def _differences(name: str, found: Mapping[str, Iterable[str]], seen: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    for kind in KINDS:
        yield from (f"{item} is hit, and not recorded" for item in sorted(set(found[kind]) - set(seen[kind])))
        credited = {item for item, scenario in seen[kind].items() if scenario == name}
        yield from (f"{item} is recorded, and not hit" for item in sorted(credited - set(found[kind])))
