"""The answers of Orthanc 1.12.7, recorded scenario by scenario on fresh servers with the default configuration."""

from __future__ import annotations

import base64
import hashlib
import json
import lzma
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from orthanc_lab.testing.exchange import Answer
from orthanc_lab.testing.scenario import Scenario

__all__ = ["ANSWERS", "Expected", "ExpectedScenario", "ExpectedStep", "digest"]

ANSWERS = Path(__file__).parent / "answers.json.xz"
"""Written by ``python -m tests.certify.record``."""

_FORMAT = 1


@dataclass(frozen=True, slots=True)
class ExpectedStep:
    """What Orthanc answers to a line of a scenario, or the state in which it leaves the job that a line waits for."""

    answer: Answer | None = None
    state: str = ""
    depends: tuple[str, ...] = ()  # options that change the answer; PAST for what the server did before
    shortened: bool = False  # only status and headers were kept: the body is large, and does not become small


@dataclass(frozen=True, slots=True)
class ExpectedScenario:
    """The answers to a scenario."""

    digest: str  # of its lines
    recorded: datetime
    steps: tuple[ExpectedStep, ...]


@dataclass(frozen=True, slots=True)
class Expected:
    """All answers."""

    version: str  # of the Orthanc that gave them
    system: Mapping[str, Any]  # what /system says with the default configuration
    scenarios: Mapping[str, ExpectedScenario] = field(default_factory=dict)

    @classmethod
    def read(cls, path: Path = ANSWERS) -> Expected:
        """Read a file that `write` has written.

        Raises
        ------
        ValueError
            If it is none, or is damaged.
        """
        try:
            document = json.loads(lzma.decompress(path.read_bytes()))
            if document["format"] != _FORMAT:
                raise ValueError(f"{path} has format {document['format']}; this version reads {_FORMAT}")
            bodies = [_decoded(body) for body in document["bodies"]]
            scenarios = {name: _scenario(entry, bodies, document) for name, entry in document["scenarios"].items()}
            return cls(document["version"], document["system"], scenarios)
        except (lzma.LZMAError, KeyError, IndexError, TypeError) as error:
            raise ValueError(f"{path} does not hold recorded answers: {error!r}") from error

    def write(self, path: Path = ANSWERS) -> None:
        """Write them to a file."""
        bodies: dict[bytes, int] = {}
        headers: dict[str, int] = {}
        scenarios = {
            name: {
                "digest": entry.digest,
                "recorded": entry.recorded.astimezone(UTC).isoformat(timespec="seconds"),
                "steps": [_entry(step, bodies, headers) for step in entry.steps],
            }
            for name, entry in self.scenarios.items()
        }
        document = {
            "format": _FORMAT,
            "version": self.version,
            "system": dict(self.system),
            "headers": [json.loads(text) for text in headers],
            "bodies": [_encoded(body) for body in bodies],
            "scenarios": scenarios,
        }
        text = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
        path.write_bytes(lzma.compress(text.encode(), preset=9))


def digest(scenario: Scenario) -> str:
    """Return a hash of the lines of a scenario."""
    return hashlib.sha256(f"{scenario.before}\n{scenario.text}".encode()).hexdigest()[:16]


def _entry(step: ExpectedStep, bodies: dict[bytes, int], headers: dict[str, int]) -> dict[str, Any]:
    depends = {"depends": list(step.depends)} if step.depends else {}
    answer = step.answer
    if answer is None:
        return {"state": step.state} | depends
    head = json.dumps(dict(answer.headers))
    entry = {
        "status": answer.status,
        "headers": headers.setdefault(head, len(headers)),
        "body": bodies.setdefault(answer.body, len(bodies)),
    }
    flags = {"complete": False} if not answer.complete else {}
    return entry | flags | ({"shortened": True} if step.shortened else {}) | depends


def _scenario(entry: Mapping[str, Any], bodies: list[bytes], document: Mapping[str, Any]) -> ExpectedScenario:
    steps = tuple(_step(step, bodies, document) for step in entry["steps"])
    return ExpectedScenario(entry["digest"], datetime.fromisoformat(entry["recorded"]), steps)


def _step(entry: Mapping[str, Any], bodies: list[bytes], document: Mapping[str, Any]) -> ExpectedStep:
    depends = tuple(entry.get("depends", ()))
    if "state" in entry:
        return ExpectedStep(state=entry["state"], depends=depends)
    headers = document["headers"][entry["headers"]]
    answer = Answer(entry["status"], headers, bodies[entry["body"]], entry.get("complete", True))
    return ExpectedStep(answer, depends=depends, shortened=entry.get("shortened", False))


def _encoded(body: bytes) -> str | list[str]:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError:
        return [base64.b64encode(body).decode()]


def _decoded(entry: str | Iterable[str]) -> bytes:
    return entry.encode("utf-8") if isinstance(entry, str) else base64.b64decode("".join(entry))
