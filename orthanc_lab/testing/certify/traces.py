"""What a certification leaves on a server, and its removal: only what the server's answers named as made by it."""

from __future__ import annotations

import re
import time
from collections.abc import Collection, Iterable, Iterator

from orthanc_lab.testing.certify.target import Target, TargetError
from orthanc_lab.testing.exchange import Answer, Exchange

__all__ = ["Traces"]

_RESOURCE = re.compile(rb"\b[0-9a-f]{8}(?:-[0-9a-f]{8}){4}\b")
_JOB = re.compile(rb"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
_IDENTIFIER = re.compile(r"[0-9a-f-]{36,44}")
_READING = re.compile(r"/tools/(find|lookup|count-resources|bulk-content|labels)")
_NAMED = re.compile(r"/(peers|modalities)/([^/?]+)")
_LOG_LEVELS = ("", "-generic", "-plugins", "-http", "-sqlite", "-dicom", "-jobs", "-lua")
_SETTINGS = (
    "/tools/default-encoding",
    "/tools/accepted-transfer-syntaxes",
    "/tools/unknown-sop-class-accepted",
    "/tools/metrics",
    *(f"/tools/log-level{category}" for category in _LOG_LEVELS),
)
_FINAL = re.compile(rb'"State" ?: ?"(Success|Failure)"')
_JOB_SECONDS = 20


class Traces:
    """Remembers what a server held, notes what it makes for us, and takes that away again.

    Parameters
    ----------
    target
        The server.
    patients
        Orthanc identifiers of the patients whose files the scenarios upload.
    """

    def __init__(self, target: Target, patients: Collection[str]) -> None:
        self._target = target
        self._patients = frozenset(patients)
        self._held = {
            path: set(self._list(path)) for path in ("/patients", "/studies", "/jobs", "/peers", "/modalities")
        }
        self._settings = dict(self._read_settings())
        self._made: set[str] = set()
        self._jobs: set[str] = set()
        self._names: set[tuple[str, str]] = set()
        self._touched = False

    @property
    def held(self) -> dict[str, int]:
        """Numbers of studies, jobs, peers and modalities that the server held before; only those that are not 0."""
        return {path[1:]: len(names) for path, names in self._held.items() if names and path != "/patients"}

    @property
    def clashes(self) -> set[str]:
        """Patients that the server held before, and that the scenarios would upload."""
        return self._held["/patients"] & self._patients

    def protects(self, exchange: Exchange) -> bool:
        """Whether a request could change a patient or study that the server held before."""
        if exchange.method == "GET":
            return False
        named = set(_texts(_RESOURCE.findall(exchange.path.encode() + b" " + (exchange.body or b""))))
        return bool(named & (self._held["/patients"] | self._held["/studies"]))

    def note(self, exchange: Exchange, answer: Answer) -> None:
        """Take note of what an answer says was made."""
        path = exchange.path
        if path.startswith("/jobs/"):
            self._made.update(_texts(_RESOURCE.findall(answer.body)))
        if exchange.method == "GET" or _READING.match(path):
            return
        self._made.update(_texts(_RESOURCE.findall(answer.body)))
        self._jobs.update(_texts(_JOB.findall(answer.body)))
        if named := _NAMED.match(path):
            self._names.add((named[1], named[2]))
        self._touched |= path.startswith(_SETTINGS)

    def remove(self) -> list[str]:
        """Take away what was made since the last call; return what is left that was not there before."""
        for job in self._new("/jobs"):
            self._remove_job(job)
        left = [f"patient {patient}" for patient in self._new("/patients") if not self._remove_patient(patient)]
        for study in self._new("/studies"):  # of patients that were there before
            if study in self._made:
                self._target.ask("DELETE", f"/studies/{study}")
        for kind, name in self._names:
            if name not in self._held[f"/{kind}"]:
                self._target.ask("DELETE", f"/{kind}/{name}")
        if self._touched:
            self._restore_settings()
        self._jobs.clear()
        self._names.clear()
        self._made.clear()
        self._touched = False
        return left

    def _new(self, path: str) -> list[str]:
        new = [identifier for identifier in self._list(path) if identifier not in self._held[path]]
        if not all(map(_IDENTIFIER.fullmatch, new)):
            raise TargetError(f"GET {path} was answered with something that is no identifier")
        return new

    def _remove_patient(self, patient: str) -> bool:
        if patient not in self._made | self._patients:
            studies = self._target.get(f"/patients/{patient}").get("Studies", [])
            if not self._made.intersection(studies):
                return False
        self._target.ask("DELETE", f"/patients/{patient}")
        return True

    def _remove_job(self, job: str) -> None:
        deadline = time.monotonic() + _JOB_SECONDS
        answer = self._target.ask("GET", f"/jobs/{job}")
        named = self._jobs | self._made
        if self.held and job not in named and not named.intersection(_texts(_RESOURCE.findall(answer.body))):
            return  # of somebody else; of a synchronous job, no answer tells the name
        while answer.status == 200 and not _FINAL.search(answer.body) and time.monotonic() < deadline:
            self._target.ask("POST", f"/jobs/{job}/cancel", "")
            time.sleep(0.02)
            answer = self._target.ask("GET", f"/jobs/{job}")
        self._target.ask("DELETE", f"/jobs/{job}")

    def _list(self, path: str) -> list[str]:
        value = self._target.get(path)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise TargetError(f"GET {path} was not answered with a list of identifiers")
        return value

    def _read_settings(self) -> Iterator[tuple[str, bytes]]:
        for path in _SETTINGS:
            answer = self._target.ask("GET", path)
            if answer.status == 200:
                yield path, answer.body

    def _restore_settings(self) -> None:
        for path, value in self._settings.items():
            if self._target.ask("GET", path).body != value:
                self._target.ask("PUT", path, value.decode("utf-8", "replace"))


def _texts(found: Iterable[bytes]) -> Iterator[str]:
    return (value.decode() for value in found)
