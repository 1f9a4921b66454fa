"""``python -m tests.certify.record``: record the answers of the real Orthanc 1.12.7 that ``certify`` compares with.

With ``--all`` all of them, else those of scenarios that have changed.

Each of these scenarios runs on a fresh server with the default configuration. Then they run on servers with other
options, and among all others on one that is not fresh: an answer that differs there is marked with what it depends on.
"""

from __future__ import annotations

import lzma
import sys
from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import requests

from orthanc_lab.testing.certify.certification import Certification
from orthanc_lab.testing.certify.configuration import PAST
from orthanc_lab.testing.certify.expected import ANSWERS, Expected, ExpectedScenario, ExpectedStep, digest
from orthanc_lab.testing.certify.fitting import misfit
from orthanc_lab.testing.exchange import Answer
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenario import Scenario, Send, Wait, parse
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.side import Side

LARGEST = 12_000  # bytes of a body that is shipped, packed; the few dozen larger ones would be 3/4 of all
USUAL = {"DicomServerEnabled": True}
VARIANTS: Mapping[str, Mapping[str, Any]] = {
    PAST: {},
    "AuthenticationEnabled": {"AuthenticationEnabled": True, "RegisteredUsers": {"alice": "secret"}},
    "CheckRevisions": {"CheckRevisions": True},
    "DefaultEncoding": {"DefaultEncoding": "Utf8"},
    "DicomAet": {"DicomAet": "ANOTHER"},
    "ExtraMainDicomTags": {"ExtraMainDicomTags": {"Instance": ["Rows"], "Study": ["Manufacturer"]}},
    "HttpCompressionEnabled": {"HttpCompressionEnabled": True},
    "HttpDescribeErrors": {"HttpDescribeErrors": False},
    "IngestTranscoding": {"IngestTranscoding": "1.2.840.10008.1.2"},
    "LimitFindResults": {"LimitFindResults": 2, "LimitFindInstances": 2},
    "MaximumPatientCount": {"MaximumPatientCount": 100},
    "MaximumStorageSize": {"MaximumStorageSize": 1000},
    "MetricsEnabled": {"MetricsEnabled": False},
    "Name": {"Name": "another"},
    "OrthancExplorerEnabled": {"OrthancExplorerEnabled": False},
    "OverwriteInstances": {"OverwriteInstances": True},
    "RemoteAccessAllowed": {"RemoteAccessAllowed": False},
    "StableAge": {"StableAge": 1},
    "StorageCompression": {"StorageCompression": True},
    "SynchronousZipStream": {"SynchronousZipStream": False},
    "UserMetadata": {"UserMetadata": {"mine": 1030}},
}


def answers_of(scenario: Scenario, bodies: Mapping[str, bytes]) -> ExpectedScenario:
    """Return the answers of a fresh server."""
    steps: list[ExpectedStep] = []
    now = datetime.now(UTC)
    with RealOrthanc(**USUAL) as real:
        side = Side(real.url, bodies)
        for step in parse(scenario.before) + parse(scenario.text):
            if isinstance(step, Send):
                answer: Answer = side.send(side.exchange(step))
                side.capture(step.captures, answer)
                steps.append(_kept(answer))
            elif isinstance(step, Wait):
                waited = side.wait(step)
                assert waited.reached, f"{scenario.name}: {step.line}"
                steps.append(ExpectedStep(state=waited.state))
    return ExpectedScenario(digest(scenario), now, tuple(steps))


def _kept(answer: Answer) -> ExpectedStep:
    if len(answer.body) > LARGEST and len(lzma.compress(answer.body)) > LARGEST:
        return ExpectedStep(replace(answer, body=b""), shortened=True)
    return ExpectedStep(answer)


def recorded(names: Collection[str]) -> Expected:
    """Return the answers of fresh servers to these scenarios."""
    with RealOrthanc(**USUAL) as real:
        system = requests.get(f"{real.url}/system", timeout=30).json()
    bodies = build()
    scenarios = {scenario.name: answers_of(scenario, bodies) for scenario in SCENARIOS if scenario.name in names}
    return Expected(system["Version"], system, scenarios)


def marked(expected: Expected, cause: str, options: Mapping[str, Any], rounds: int) -> Expected:
    """Return the answers, those marked that differ on a server with these options that has a past."""
    plain = {name: replace(entry, steps=_unmarked(entry.steps)) for name, entry in expected.scenarios.items()}
    differing: dict[str, set[int]] = {name: set() for name in plain}
    with RealOrthanc(**USUAL, **options) as real:
        address = real.url.replace("//", "//alice:secret@") if "RegisteredUsers" in options else real.url
        for _ in range(rounds):
            certificate = Certification(address, only=list(plain), expected=replace(expected, scenarios=plain)).run()
            for result in certificate.results:
                if not result.not_run:
                    here = {index for index, one in enumerate(result.compared) if one.differences}
                    missing = range(len(result.compared), len(plain[result.name].steps))  # after a job in another state
                    differing[result.name] |= here.union(missing)
    print(f"{cause}: {sum(map(len, differing.values()))} answers", flush=True)
    scenarios = {
        name: replace(entry, steps=_marked(entry.steps, differing[name], cause))
        for name, entry in expected.scenarios.items()
    }
    return replace(expected, scenarios=scenarios)


def _unmarked(steps: tuple[ExpectedStep, ...]) -> tuple[ExpectedStep, ...]:
    return tuple(replace(step, depends=()) for step in steps)


def _marked(steps: tuple[ExpectedStep, ...], differing: set[int], cause: str) -> tuple[ExpectedStep, ...]:
    return tuple(
        replace(
            step, depends=(*(one for one in step.depends if one != cause), *([cause] if index in differing else []))
        )
        for index, step in enumerate(steps)
    )


def main(words: list[str]) -> None:
    """Record the scenarios that have changed, with ``--all`` all of them."""
    fitting = {scenario.name: digest(scenario) for scenario in SCENARIOS if not misfit(scenario)}
    known = {} if "--all" in words else dict(Expected.read().scenarios)
    same = {name: entry for name, entry in known.items() if fitting.get(name) == entry.digest}
    if set(same) == set(fitting) == set(known):
        print("Nothing has changed.")
        return
    expected = recorded(set(fitting) - set(same))
    for cause, options in VARIANTS.items() if expected.scenarios else ():
        around = same if cause == PAST else {}
        answers = marked(replace(expected, scenarios=around | dict(expected.scenarios)), cause, options, 2)
        expected = replace(answers, scenarios={name: answers.scenarios[name] for name in expected.scenarios})
    everything = same | dict(expected.scenarios)
    replace(expected, scenarios={name: everything[name] for name in fitting}).write(ANSWERS)


if __name__ == "__main__":
    main(sys.argv[1:])
