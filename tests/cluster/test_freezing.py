"""At each call of a job to the database or the files, its server freezes, loses the job to another one, and thaws.

What the other has made of the job is what an undisturbed run makes, and stays as it is: nothing is missing, nothing is
there twice, nothing is left behind.
"""

from __future__ import annotations

import hashlib
import io
import logging
import random
import re
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import pydicom
import pytest

import orthanc_lab
from orthanc_lab import EmbeddedServer
from orthanc_lab.extensions import Job
from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob
from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.testing.contracts.dicom_files import dicom
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.cluster.freezing import AtRest, Calls, Pair, Server, counted, elsewhere
from tests.storage.conftest import files_in

COUNT = 4  # instances of the study
STUDY = orthanc_id("A", "1.1")
SERIES = [orthanc_id("A", "1.1", f"1.1.{number}") for number in (1, 2)]
OTHER_STUDY = orthanc_id("A", "1.2")
_NOT_COMPARED = ("ArchiveSize", "ID", "NetworkSpeedKBs", "Path", "PatientID", "TargetStudy", "TargetStudyUID")


class Reporting(Job):
    """Labels a study and leaves an output in each of its steps."""

    route = "/report"

    def prepare(self) -> None:
        self.state = {"done": 0}

    def step(self) -> bool:
        number = self.state["done"]
        self.orthanc.put(f"/studies/{STUDY}/labels/step-{number}", b"")
        self.output(f"part-{number}", random.Random(number).randbytes(50_000), "application/octet-stream")
        self.state["done"] = number + 1
        self.content["Done"] = number + 1
        return bool(number < 2)


class Submitting(Job):
    """Submits a job in each of its steps."""

    route = "/submit"

    def step(self) -> bool:
        self.orthanc.post(f"/studies/{OTHER_STUDY}/archive", {"Asynchronous": True})
        self.state["done"] = self.state.get("done", 0) + 1
        return bool(self.state["done"] < 2)


def source(size: int) -> list[bytes]:
    return [
        dicom(
            patient="A",
            study="1.1",
            series=f"1.1.{1 + number % 2}",
            instance=f"1.1.9.{number}",
            number=str(number),
            series_description="Old",
            pixels=random.Random(number).randbytes(size),
        )
        for number in range(COUNT)
    ]


@dataclass(frozen=True)
class Kind:
    """A job, and what it works on."""

    path: str
    body: dict[str, Any]
    size: int = 40_000  # bytes of an instance: more than stand in the index
    grain: int = 1 << 23
    at_far: bool = False  # the study is at the peer


_RANDOM = re.compile(r"[0-9.]{20,64}|[-0-9a-f]{36}|Anonymized\d+")
OTHER = dicom(patient="A", study="1.2", series="1.2.1", instance="1.2.1.1", number="9", pixels=b"small")
IN_PLACE = {"KeepSource": True, "Force": True, "Keep": ["StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID"]}
KINDS = {
    "a small archive": Kind(f"/studies/{STUDY}/archive", {}, size=100),
    "an archive": Kind(f"/studies/{STUDY}/archive", {}),
    "an archive in parts": Kind(f"/studies/{STUDY}/archive", {}, grain=50_000),
    "media": Kind(f"/studies/{STUDY}/media", {}, grain=50_000),
    "modify": Kind(f"/studies/{STUDY}/modify", {"Replace": {"StudyDescription": "New"}}),
    "modify, sources go": Kind(
        f"/studies/{STUDY}/modify", {"Replace": {"StudyDescription": "New"}, "KeepSource": False}
    ),
    "modify in place": Kind(
        f"/studies/{STUDY}/modify", {"Replace": {"StudyDescription": "New", "PatientID": "A"}, **IN_PLACE}
    ),
    "modify a series in place": Kind(
        f"/series/{SERIES[0]}/modify",
        {
            "Replace": {"SeriesDescription": "New"},
            "Keep": ["SeriesInstanceUID", "SOPInstanceUID"],
            "Force": True,
            "KeepSource": False,
        },
    ),
    "anonymize": Kind(f"/studies/{STUDY}/anonymize", {}),
    "anonymize, sources go": Kind(f"/studies/{STUDY}/anonymize", {"KeepSource": False}),
    "merge": Kind(f"/studies/{OTHER_STUDY}/merge", {"Resources": [STUDY], "KeepSource": False}),
    "split": Kind(f"/studies/{STUDY}/split", {"Series": [SERIES[0]], "KeepSource": False}),
    "store to a peer": Kind("/peers/far/store", {"Resources": [STUDY]}),
    "store to a modality": Kind("/modalities/far/store", {"Resources": [STUDY]}),
    "pull": Kind(
        "/transfers/pull",
        {"Peer": "far", "Compression": "none", "Resources": [{"Level": "Study", "ID": STUDY}]},
        at_far=True,
    ),
    "push": Kind(
        "/transfers/send",
        {"Peer": "far", "Compression": "none", "Resources": [{"Level": "Study", "ID": STUDY}]},
    ),
    "an extension": Kind("/report", {}),
    "an extension that submits": Kind("/submit", {}),
}


_USUAL = ("an archive in parts", "modify, sources go", "pull", "an extension that submits")
_NAMES = [pytest.param(name, marks=[] if name in _USUAL else pytest.mark.long) for name in KINDS]


@pytest.fixture(scope="module")
def far() -> Iterator[EmbeddedServer]:
    """The server that others send to, and pull from."""
    with orthanc_lab.serve(DicomServerEnabled=True, DicomAet="FAR", OverwriteInstances=True) as server:
        yield server


@pytest.fixture(scope="module")
def pair(
    postgresql_server: PostgresqlServer, tmp_path_factory: pytest.TempPathFactory, far: EmbeddedServer
) -> Iterator[Pair]:
    folder, database = tmp_path_factory.mktemp("freezing"), postgresql_server.create_database()
    options = {
        **database.settings,
        "StorageDirectory": str(folder / "files"),
        "Cluster": {"LeaseDuration": 60},
        "ConcurrentJobs": 1,
        "JobsHistorySize": 50,
        "MediaArchiveSize": 50,
        "OverwriteInstances": True,
        "OrthancPeers": {"far": [far.url]},
        "DicomModalities": {"far": ["FAR", "127.0.0.1", far.dicom_port]},
        "Transfers": {"BucketSize": 32, "Threads": 2},
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("orthanc_lab.jobs.shared.shared_jobs.ThreadExecutor", AtRest)
        patch.setattr("orthanc_lab.jobs.kinds.rewriting.rewrite_job._INSTANCES_A_STEP", 2)
        patch.setattr("orthanc_lab.jobs.kinds.rewriting.rewrite_job._DELETIONS_A_STEP", 2)
        servers: list[Server] = []

        def calls_of(database: object) -> Calls | None:
            return next((server.calls for server in servers if server.database is database), None)

        for name in ("one", "other"):
            mine = {"Name": name, "DatabaseServerIdentifier": name, "IndexDirectory": str(folder / name)}
            servers.append(Server(folder / "files", {**options, **mine}, [Reporting, Submitting]))
        with counted(patch, calls_of):
            yield Pair(servers[0], servers[1], folder / "files")
        for server in servers:
            server.http.stop()
    postgresql_server.drop_database(database)


class Case:
    """One job, which one server begins and another one finishes."""

    def __init__(self, pair: Pair, far: EmbeddedServer, kind: Kind, caplog: pytest.LogCaptureFixture) -> None:
        self.pair, self.far, self.kind, self.log = pair, far, kind, caplog
        self.jobs: list[str] = []
        self.known = 0  # jobs that there are when the first server goes on
        self._clear()
        for content in source(kind.size):
            if kind.at_far:
                far.session.post(f"{far.url}/instances", data=content)
            else:
                pair.other("POST", "/instances", data=content)
        pair.other("POST", "/instances", data=OTHER)
        pair.one.go_on(1)
        pair.other.go_on(1)
        self.first_change = pair.other("GET", "/changes?last")["Last"]
        caplog.clear()

    def _clear(self) -> None:
        one, other = self.pair.one, self.pair.other
        one.calls.forget()
        for job in other("GET", "/jobs"):
            other("DELETE", f"/jobs/{job}")
        self.delete_all()
        one.errors.clear()
        other.errors.clear()

    def delete_all(self) -> None:
        other = self.pair.other
        for patient in other("GET", "/patients"):
            other("DELETE", f"/patients/{patient}")
        for patient in self.far.session.get(f"{self.far.url}/patients").json():
            self.far.session.delete(f"{self.far.url}/patients/{patient}")

    def run(self, at: int = 0, *, after: bool = False, meanwhile: Callable[[], None] | None = None) -> bool:
        """Run the job; return whether its server has frozen at the call."""
        one = self.pair.one
        one.calls.expect(at, after=after, happens=partial(elsewhere, meanwhile or self.finish_at_other))
        job = one("POST", self.kind.path, json={**self.kind.body, "Asynchronous": True})["ID"]
        one.finish(job)
        has_happened = one.calls.has_happened
        one.calls.forget()
        one.go_on(3)
        self.jobs = [job]
        if self.known and len(one.engine.ids()) > self.known:
            raise AssertionError("a run that was lost has submitted a job")
        return has_happened

    def undisturbed(self) -> dict[str, Any]:
        """Return the outcome of a run that nothing disturbs."""
        self.run()
        expected = self.outcome()
        assert expected["job"][0] == "Success"
        self.check_that_nothing_is_left()
        return expected

    def finish_at_other(self) -> None:
        """Take the job over, and finish it."""
        self.pair.take_lease()
        self.pair.other.go_on(1)
        for job in self.pair.other.engine.ids():
            self.pair.other.finish(job)
        self.known = len(self.pair.other.engine.ids())

    def outcome(self) -> dict[str, Any]:
        """Return what can be compared with that of another run."""
        other = self.pair.other
        (job,) = self.jobs
        document = other("GET", f"/jobs/{job}")
        assert document == self.pair.one("GET", f"/jobs/{job}") | {"Timestamp": document["Timestamp"]}
        found: dict[str, Any] = {"job": (document["State"], document["ErrorCode"], document["Type"])}
        found["content"] = {key: value for key, value in document["Content"].items() if key not in _NOT_COMPARED}
        found["outputs"] = {key: self._output(job, key) for key in sorted(self._keys(job))}
        storage = other.http.services.storage
        resources = [one for level in LEVELS for one in storage.list_resources(level)]
        found["resources"] = sorted(self._resource(one) for one in resources)
        found["far"] = sorted(
            (one["MainDicomTags"].get("InstanceNumber", ""), one["FileSize"])
            for one in self.far.session.get(f"{self.far.url}/instances?expand").json()
        )
        changes = other("GET", f"/changes?since={self.first_change}&limit=1000")["Changes"]
        found["changes"] = Counter(one["ChangeType"] for one in changes if "Stable" not in one["ChangeType"])
        return found

    def check(self, expected: dict[str, Any]) -> None:
        """Compare with what is expected, and see that nothing is left, was said, or does not go on."""
        found = self.outcome()
        differences = {key: (found[key], value) for key, value in expected.items() if found[key] != value}
        if differences:
            raise AssertionError(f"found and expected: {differences}")
        self.check_that_nothing_is_left()
        self.check_that_nothing_was_said()

    def _keys(self, job: str) -> list[str]:
        (entry,) = [entry for entry in self.pair.other.engine._mirror.table.entries() if entry.id == job]
        return list(entry.outputs)

    def _output(self, job: str, key: str) -> Any:
        content = self.pair.other("GET", f"/jobs/{job}/{key}")
        if not content.startswith(b"PK"):
            return hashlib.md5(content).hexdigest()
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            return [(name, _digest(name, archive.read(name))) for name in archive.namelist()]

    def _resource(self, one: Any) -> Any:
        content = {type: kept.uncompressed_size // 1000 for type, kept in one.attachments.items()}
        tags = {tag: value for tag, value in one.tags.items() if not _RANDOM.fullmatch(value)}
        return (one.level.name, str(sorted(tags.items())), str(sorted(content.items())), str(sorted(one.labels)))

    def check_that_nothing_is_left(self) -> None:
        one, other = self.pair.one, self.pair.other
        database = other.database
        one.go_on(2)
        other.go_on(2)
        outputs = other.engine._retention._outputs
        outputs.drop_orphans("0 seconds")  # type: ignore[attr-defined] # those of PostgreSQL
        assert self._files() == self._needed()
        names = database.fetch("SELECT DISTINCT name FROM output_parts")
        saved = " ".join(outputs for (outputs,) in database.fetch("SELECT outputs FROM jobs"))
        assert [name for (name,) in names if name not in saved] == []

    def _files(self) -> list[str]:
        trash = {key for (key,) in self.pair.other.database.fetch("SELECT key FROM output_trash")}
        return [name for name in files_in(self.pair.folder) if name not in trash]

    def _needed(self) -> list[str]:
        query = "SELECT uuid FROM files UNION ALL SELECT key FROM output_parts WHERE key <> ''"
        return sorted(name for (name,) in self.pair.other.database.fetch(query))

    def check_that_nothing_was_said(self) -> None:
        said = [record.getMessage() for record in self.log.records if record.levelno >= logging.ERROR]
        assert (said, self.pair.one.errors, self.pair.other.errors) == ([], [], [])

    def check_that_the_first_goes_on(self) -> None:
        one = self.pair.one
        one("POST", "/instances", data=OTHER)
        job = one("POST", f"/studies/{OTHER_STUDY}/archive", json={"Asynchronous": True})["ID"]
        one.finish(job)
        assert one.state_of(job) is JobState.SUCCESS


def _digest(name: str, content: bytes) -> Any:
    if name == "DICOMDIR":
        records = pydicom.dcmread(io.BytesIO(content)).DirectoryRecordSequence
        return [(record.DirectoryRecordType, record.get("InstanceNumber")) for record in records]
    return hashlib.md5(content).hexdigest()


@pytest.fixture
def share(pytestconfig: pytest.Config) -> int:
    """Of so many calls, one is tried."""
    return 7 if pytestconfig.option.long else 13


@pytest.fixture
def begin(
    pair: Pair,
    far: EmbeddedServer,
    request: pytest.FixtureRequest,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> Callable[[], Case]:
    """Begins a case of the kind of job that the test is given."""
    kind = KINDS[request.node.callspec.params["name"]]
    monkeypatch.setattr("orthanc_lab.jobs.postgresql.outputs._GRAIN", kind.grain)
    if kind.grain < 1 << 20:
        monkeypatch.setattr(ZipJob.__init__, "__kwdefaults__", {"durable": False, "saved": None, "step_seconds": 0})
    return lambda: Case(pair, far, kind, caplog)


def try_each_call(begin: Callable[[], Case], share: int, check: Callable[[Case, int, bool], bool]) -> None:
    """Check one call in so many, before it is carried out or before its answer comes, until the job ends earlier."""
    problems: dict[str, list[str]] = {}
    at, is_after, reached = 1, False, True
    while reached:
        case = begin()
        try:
            reached = check(case, at, is_after)
        except AssertionError as error:
            where = f"{'after' if is_after else 'before'} {at}: {''.join(case.pair.one.calls.made[-1:])}"
            problems.setdefault(re.sub(r"[0-9a-f]{8}-[-0-9a-f]+", "…", str(error))[:1000], []).append(where)
        at, is_after = at + share, not is_after
    begin().check_that_the_first_goes_on()
    assert problems == {}, "\n".join(f"{len(where)} × {what} {where[:9]}" for what, where in problems.items())


@pytest.mark.parametrize("name", _NAMES)
def test_a_job_is_taken_over(begin: Callable[[], Case], name: str, share: int) -> None:
    expected = begin().undisturbed()

    def check(case: Case, at: int, is_after: bool) -> bool:
        reached = case.run(at, after=is_after)
        case.check(expected)
        return reached

    try_each_call(begin, share, check)


@pytest.mark.parametrize("name", _NAMES)
def test_what_was_made_is_deleted_meanwhile(begin: Callable[[], Case], name: str, share: int) -> None:
    """Nothing of it comes back."""
    expected = begin().undisturbed()

    def check(case: Case, at: int, is_after: bool) -> bool:
        was_deleted = False

        def finish_and_delete() -> None:
            nonlocal was_deleted
            case.finish_at_other()
            if case.pair.other.engine.ids():
                case.delete_all()
                was_deleted = True

        reached = case.run(at, after=is_after, meanwhile=finish_and_delete)
        if was_deleted:
            case.check({"job": expected["job"], "content": expected["content"], "resources": []})
        return reached

    try_each_call(begin, share + 2, check)


class Commands:
    """What is done at the other server while the first one is frozen, and what must have become of it."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self.one, self.other = case.pair.one, case.pair.other
        self.job = ""

    def give(self, command: str) -> None:
        """Take the job over, and give a command; nothing if there is none yet, or none any more."""
        jobs = self.other.engine.ids()
        state = self.other.state_of(jobs[0]) if jobs else None
        if state is None or state.is_final:
            self.case.finish_at_other()
            return
        (self.job,) = jobs
        if command == "cancel before":
            assert self.other.engine.cancel(self.job)
        self.case.pair.take_lease()
        getattr(self, f"_give_{command.replace(' ', '_')}")()

    def _give_cancel_before(self) -> None:
        self.other.go_on(1)

    def _give_pause(self) -> None:
        assert self.other.engine.pause(self.job)

    def _give_cancel(self) -> None:
        assert self.other.engine.cancel(self.job)

    def _give_resubmit(self) -> None:
        assert self.other.engine.cancel(self.job)
        assert self.other.engine.resubmit(self.job)
        self.other.finish(self.job)

    def _give_delete(self) -> None:
        self.other.finish(self.job)
        assert self.other.engine.delete(self.job)

    def _give_delete_output(self) -> None:
        self.other.finish(self.job)
        for key in self.case._keys(self.job):
            assert self.other.engine.delete_output(self.job, key)

    def check(self, command: str, expected: dict[str, Any]) -> None:
        """See that both servers know the outcome of the command."""
        job, servers = self.job, (self.one, self.other)
        states = [server.state_of(job or self.case.jobs[0]) for server in servers]
        if job and command == "pause":
            assert states == [JobState.PAUSED] * 2
            assert self.one.engine.resume(job)
            self.one.finish(job)
            self.case.check(expected)
        elif job and command in ("cancel", "cancel before"):
            assert states == [JobState.FAILURE] * 2
            self.case.check_that_nothing_was_said()
        elif job and command == "delete":
            assert states == [None, None]
            self.case.check_that_nothing_is_left()
            self.case.check_that_nothing_was_said()
        elif job and command == "delete output":
            assert self.case._keys(job) == []
            self.case.check({**expected, "outputs": {}})
        else:
            self.case.check(expected)


_COMMANDS = {
    "an archive in parts": ("pause", "cancel", "cancel before", "delete", "delete output"),
    "modify, sources go": ("pause", "cancel", "cancel before", "resubmit", "delete"),
    "an extension": ("pause", "cancel", "cancel before", "resubmit", "delete", "delete output"),
    "pull": ("pause", "cancel", "cancel before", "resubmit", "delete"),
}


@pytest.mark.parametrize(
    ("name", "command"),
    [
        pytest.param(name, command, marks=[] if name == "an archive in parts" else pytest.mark.long)
        for name, commands in _COMMANDS.items()
        for command in commands
    ],
)
def test_a_command_is_given_meanwhile(begin: Callable[[], Case], name: str, command: str, share: int) -> None:
    expected = begin().undisturbed()

    def check(case: Case, at: int, is_after: bool) -> bool:
        commands = Commands(case)
        reached = case.run(at, after=is_after, meanwhile=partial(commands.give, command))
        commands.check(command, expected)
        return reached

    try_each_call(begin, share + 2, check)


@pytest.mark.parametrize("name", ["an extension", "modify"])
def test_a_server_freezes_while_it_is_commanded(begin: Callable[[], Case], name: str) -> None:
    """It cancels a job that it holds paused; the other one does so too, and runs the job again."""
    case = begin()
    expected = case.undisturbed()
    middle = len(case.pair.one.calls.made) // 2

    def check(case: Case, at: int, is_after: bool) -> bool:
        one, other = case.pair.one, case.pair.other

        def pause() -> None:
            for job in other.engine.ids():
                assert other.engine.pause(job)

        case.run(middle, meanwhile=pause)
        (job,) = case.jobs
        assert one.state_of(job) is JobState.PAUSED

        def run_again() -> None:
            case.pair.take_lease()
            other.engine.cancel(job)
            assert other.engine.resubmit(job)
            other.finish(job)

        one.calls.expect(at, after=is_after, happens=partial(elsewhere, run_again))
        assert one.engine.cancel(job)
        reached = one.calls.has_happened
        one.calls.forget()
        one.go_on(3)
        if reached:
            case.check(expected)
        return reached

    try_each_call(begin, 1, check)
