"""Certifying a server: the shipped scenarios on it, beside the answers of Orthanc 1.12.7."""

from __future__ import annotations

import hashlib
import io
import warnings
from collections.abc import Callable, Collection, Iterator, Mapping
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias

import pydicom

from orthanc_lab.testing.certify.configuration import visible_options
from orthanc_lab.testing.certify.expected import Expected, ExpectedScenario
from orthanc_lab.testing.certify.fitting import misfit, numbers
from orthanc_lab.testing.certify.results import GONE, Certificate, ScenarioResult
from orthanc_lab.testing.certify.scenario_run import Circumstances, run_scenario
from orthanc_lab.testing.certify.target import Target, TargetError
from orthanc_lab.testing.certify.traces import Traces
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build

__all__ = ["Certification", "Progress"]

Progress: TypeAlias = Callable[[ScenarioResult], None]


class Certification:
    """Compares the answers of a server with those that Orthanc 1.12.7 gave to the same requests.

    Making it only reads from the server; `run` writes, and takes away again what it made. Nobody else should use the
    server meanwhile.

    Parameters
    ----------
    address
        Its address, ``http://user:password@localhost:8042``.
    accepted
        Differences that are accepted.
    among_studies
        Whether a server that holds studies already is certified, too. What tells of all studies is not compared then.
    only
        Only scenarios whose names contain one of these texts; all if omitted.
    verify
        False accepts any certificate.
    expected
        Answers to compare with, instead of those that the package brings.

    Raises
    ------
    ValueError
        If it is not the address of an HTTP server; for a text of `only` that no name contains.
    TargetError
        If there is no Orthanc that could be certified, with the reason.

    Examples
    --------
    >>> import orthanc_lab
    >>> with orthanc_lab.serve() as server:
    ...     certification = Certification(server.url, only=["browse-protection"])
    ...     print(certification.run())
    http://..., compared with Orthanc 1.12.7: no difference (18 answers compared)
    """

    def __init__(
        self,
        address: str,
        *,
        accepted: Ledger | None = None,
        among_studies: bool = False,
        only: Collection[str] = (),
        verify: bool = True,
        expected: Expected | None = None,
    ) -> None:
        self._expected = expected or Expected.read()
        self._ledger = accepted or Ledger([])
        self._target = Target.at(address, verify=verify)
        self._scenarios = _named(only) if only else SCENARIOS
        self.system = _system(self._target)
        self._traces = Traces(self._target, _patients())
        if "studies" in self._traces.held:
            self._refuse_unless(among_studies)
        self.options = visible_options(self._target, self.system, self._expected.system)

    @property
    def url(self) -> str:
        """The address of the server, without credentials."""
        return self._target.url

    def plan(self) -> str:
        """Return what will be done to the server, in words."""
        count, requests = numbers(self._fitting())
        held = ", ".join(f"{number} {kind}" for kind, number in self._traces.held.items()) or "nothing"
        options = "".join(f"; {name} is {value}" for name, value in self.options.items())
        more = "" if self._traces.held else ", clear the logs of changes and exports, add peers and modalities"
        return (
            f"{self.url}: Orthanc {self.system.get('Version')}, which holds {held}{options}.\n"
            f"It is sent {requests:,} requests in {count} scenarios. They upload small synthetic studies and some of\n"
            "pydicom's test files, create, modify, anonymize and delete studies, attach files, labels and metadata,\n"
            f"run jobs, change log levels and some settings{more}.\n"
            "Scripts, plug-ins and auto-routing of the server see these studies, too. After each scenario, what it\n"
            "made is deleted and settings are put back. Nobody else should use the server meanwhile."
        )

    def run(self, progress: Progress | None = None) -> Certificate:
        """Run the scenarios and compare the answers.

        Parameters
        ----------
        progress
            Called with the result of each scenario.
        """
        results: list[ScenarioResult] = []
        left: list[str] = []
        for result in self._results(left):
            results.append(result)
            if progress is not None:
                progress(result)
        return Certificate(
            self.url, self._expected.version, self.system, self.options, results, list(dict.fromkeys(left))
        )

    def _results(self, left: list[str]) -> Iterator[ScenarioResult]:
        around = Circumstances(
            self._target,
            self._traces,
            _bodies(),
            self._ledger,
            self._now(),
            tuple(self._traces.held),
            tuple(self.options),
        )
        gone = ""
        for scenario in self._scenarios:
            expected = self._expected.scenarios.get(scenario.name)
            reason = gone or misfit(scenario, self._traces.held)
            if reason or expected is None:
                yield ScenarioResult(scenario.name, not_run=reason or "have no recorded answers")
                continue
            try:
                yield self._run(scenario, expected, around, left)
            except (OSError, TargetError) as error:
                left.append(f"what {scenario.name} made: {error}")
                gone = GONE
                yield ScenarioResult(scenario.name, not_run=GONE)

    def _run(
        self, scenario: Scenario, expected: ExpectedScenario, around: Circumstances, left: list[str]
    ) -> ScenarioResult:
        try:
            return run_scenario(scenario, expected, around)
        finally:
            left += self._traces.remove()

    def _fitting(self) -> list[Scenario]:
        return [
            scenario
            for scenario in self._scenarios
            if scenario.name in self._expected.scenarios and not misfit(scenario, self._traces.held)
        ]

    def _now(self) -> datetime:
        answer = self._target.ask("GET", "/tools/now")
        try:
            return datetime.strptime(answer.body.decode("latin-1").strip() + "+0000", "%Y%m%dT%H%M%S%z")
        except ValueError:
            raise TargetError("GET /tools/now is not answered with a time") from None

    def _refuse_unless(self, among_studies: bool) -> None:
        if not among_studies:
            raise TargetError(
                f"The server holds {self._traces.held['studies']} studies. A server without studies tells more; to "
                "certify this one, say so (--among-studies)"
            )
        if self.system.get("MaximumPatientCount") or self.system.get("MaximumStorageSize"):
            raise TargetError("The server holds studies, and may delete some to make room (MaximumStorageSize)")
        if clashes := self._traces.clashes:
            raise TargetError(f"The server holds patients that the scenarios upload: {', '.join(sorted(clashes))}")


def _named(texts: Collection[str]) -> list[Scenario]:
    for text in texts:
        if not any(text in scenario.name for scenario in SCENARIOS):
            families = sorted({scenario.name.partition("-")[0] for scenario in SCENARIOS})
            raise ValueError(f"No scenario's name contains {text!r}; the names begin with {', '.join(families)}")
    return [scenario for scenario in SCENARIOS if any(text in scenario.name for text in texts)]


def _system(target: Target) -> dict[str, Any]:
    """Return what the server says of itself.

    Raises
    ------
    TargetError
        If it is no Orthanc, does not let us in, or is read-only.
    """
    try:
        answer = target.ask("GET", "/system")
    except OSError as error:
        raise TargetError(f"There is no server at {target.url}: {error}") from error
    if answer.status in (401, 403):
        raise TargetError(f"{target.url} wants a user name and a password: http://user:password@… (or ORTHANC_URL)")
    system = target.get("/system")
    if not isinstance(system, dict) or "ApiVersion" not in system:
        raise TargetError(f"{target.url} is not an Orthanc")
    if system.get("ReadOnly") is True:
        raise TargetError(f"{target.url} is read-only (option ReadOnly), so that hardly anything can be tried")
    return system


@cache
def _bodies() -> Mapping[str, bytes]:
    return build()


@cache
def _patients() -> frozenset[str]:
    """Return the Orthanc identifiers of the patients of all DICOM files that are uploaded."""
    return frozenset(map(_orthanc_id, _patient_ids()))


def _patient_ids() -> Iterator[str]:
    for body in _bodies().values():
        if body[128:132] == b"DICM":
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore")
                    file = pydicom.dcmread(io.BytesIO(body), specific_tags=["PatientID"], stop_before_pixels=True)
            except Exception:  # noqa: S112 - some are broken on purpose, in any way; Orthanc refuses these
                continue
            yield str(file.get("PatientID") or "")


def _orthanc_id(patient: str) -> str:
    digits = hashlib.sha1(patient.encode(), usedforsecurity=False).hexdigest()
    return "-".join(digits[start : start + 8] for start in range(0, 40, 8))
