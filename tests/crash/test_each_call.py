"""Each call that reaches the disk fails once, or all from it on, or is the last one before the process is killed.

What was answered well is there as a whole, what was answered with an error is there as a whole or not at all; the next
request is served, and the next start leaves no file behind.
"""

from __future__ import annotations

import errno
import hashlib
import io
import random
import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.protocol.levels import LEVELS
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.storage.files.prepared import SmallFile
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from tests.crash.calls import Calls
from tests.storage.conftest import files_in

NOISE = random.Random(1).randbytes(100_000)  # so that an archive of it is a file, too
_TIMES = ("LastUpdate", "ReceptionDate")
_TOGETHER = 8  # faults that one server survives before it is looked at after a start
Operation = Callable[[InProcessServer], requests.Response]
State = dict[Any, Any]


def file_of(instance: str, *, patient: str = "A", pixels: bytes = LARGE, **tags: Any) -> bytes:
    series, study = f"{patient}.1.1", f"{patient}.1"
    return dicom(patient=patient, study=study, series=series, instance=instance, pixels=pixels, **tags)


def zip_of(*files: bytes) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.dcm", file)
    return content.getvalue()


def call(verb: str, path: str, **arguments: Any) -> Operation:
    return lambda server: server.session.request(verb, server.url + path, **arguments)


STUDY = f"/studies/{orthanc_id('A', 'A.1')}"
LARGE_ONE, SMALL_ONE = (f"/instances/{orthanc_id('A', 'A.1', 'A.1.1', number)}" for number in ("1", "2"))
PREPARED: list[Operation] = [
    call("POST", "/instances", data=file_of("1", pixels=NOISE)),
    call("POST", "/instances", data=file_of("2", pixels=b"small")),
    call("PUT", f"{STUDY}/attachments/1024", data=LARGE),
    call("PUT", f"{STUDY}/metadata/1024", data="first"),
    call("PUT", f"{STUDY}/labels/first"),
]
SERIES = orthanc_id("A", "A.1", "A.1.1")
_IN_PLACE = {
    "Replace": {"SeriesDescription": "new"},
    "Keep": ["SeriesInstanceUID", "SOPInstanceUID"],
    "Force": True,
    "KeepSource": False,
}
OPERATIONS: dict[str, Operation] = {
    "a small file": call("POST", "/instances", data=file_of("3", pixels=b"small")),
    "a large file": call("POST", "/instances", data=file_of("3")),
    "files of a ZIP": call("POST", "/instances", data=zip_of(file_of("3"), file_of("4", pixels=b""), file_of("5"))),
    "a file that replaces one": call("POST", "/instances", data=file_of("1", name="Other")),
    "a file that drives another patient out": call("POST", "/instances", data=file_of("3", patient="B")),
    "an attachment": call("PUT", f"{STUDY}/attachments/1025", data=LARGE),
    "an attachment that replaces one": call("PUT", f"{STUDY}/attachments/1024", data=LARGE + LARGE),
    "an attachment that is deleted": call("DELETE", f"{STUDY}/attachments/1024"),
    "a compression": call("POST", f"{LARGE_ONE}/attachments/dicom/compress"),
    "metadata": call("PUT", f"{STUDY}/metadata/1024", data="second"),
    "a label": call("PUT", f"{STUDY}/labels/second"),
    "reconstruction": call("POST", f"{STUDY}/reconstruct"),
    "a small archive": call(
        "POST", "/tools/create-archive", json={"Resources": [SMALL_ONE[11:]], "Asynchronous": True}
    ),
    "a large archive": call("POST", f"{STUDY}/archive", json={"Asynchronous": True}),
    "a modification": call("POST", f"/series/{SERIES}/modify", json=_IN_PLACE),
    "an instance that is deleted": call("DELETE", LARGE_ONE),
    "a study that is deleted": call("DELETE", STUDY),
}
STEPWISE = ["a modification"]
"""They may fail after some of their steps: then they can be done again."""
OPTIONS: dict[str, dict[str, Any]] = {"a file that drives another patient out": {"MaximumPatientCount": 1}}


class House:
    """Starts servers on copies of a folder."""

    def __init__(self, folder: Path, options: dict[str, Any]) -> None:
        self.folder = folder
        self.calls = Calls()
        self._options = {"OverwriteInstances": True, "SyncStorageArea": True, "MaximumStorageCacheSize": 0, **options}
        self._clock = ManualClock()

    def server(self) -> InProcessServer:
        return orthanc_lab.in_process(
            self._options, folder=self.folder, executor="inline", clock=self._clock, faults=self.calls
        )

    def again(self, origin: Path) -> InProcessServer:
        shutil.rmtree(self.folder, ignore_errors=True)
        shutil.copytree(origin, self.folder)
        return self.server()

    def state(self, server: InProcessServer) -> State:
        """Return all that was stored, once all jobs have ended; those that failed are left out."""
        storage, engine = server.services.storage, server.services.engine
        while any(not view.state.is_final for view in engine.views()):
            self._clock.advance(1)  # a status that could not be written is written again
            server.session.get(f"{server.url}/system")
        found: State = {}
        for one in (one for level in LEVELS for one in storage.list_resources(level)):
            contents = {type: content(server, one.id, kept) for type, kept in sorted(one.attachments.items())}
            metadata = {name: value for name, value in one.metadata.items() if name not in _TIMES}
            found[one.id] = (dict(one.tags), metadata, contents, sorted(one.labels), sorted(one.children))
        found["statistics"] = storage.statistics()
        found["changes"] = {(change.type, change.id) for change in storage.changes(limit=10_000)[0]}
        archives = (view for view in engine.views() if (view.type, view.state.value) == ("Archive", "Success"))
        found["archives"] = sorted(members(server, f"/jobs/{view.id}/archive") for view in archives)
        return found

    def check_after_a_start(self, expected: State) -> None:
        """Start again, and see that nothing is lost and nothing left."""
        server = self.server()
        assert self.state(server) == expected
        storage = server.services.storage
        kept = [file for level in LEVELS for one in storage.list_resources(level) for file in one.attachments.values()]
        assert files_in(self.folder) == sorted(file.uuid for file in kept if not isinstance(file, SmallFile))
        outputs = [path.name for path in (self.folder / "jobs-outputs").glob("*")]
        assert len(outputs) <= len(expected["archives"])
        server.stop()
        assert (self.folder / "files.journal").read_bytes() == b""


def content(server: InProcessServer, id: str, kept: Any) -> tuple[str, bool]:
    md5 = hashlib.md5(server.services.storage.read_attachment(kept, of=id)).hexdigest()
    assert md5 == kept.uncompressed_md5
    return md5, kept.compressed


def members(server: InProcessServer, path: str) -> list[tuple[str, str]]:
    answer = server.session.get(server.url + path)
    assert answer.status_code == 200, answer.text
    with zipfile.ZipFile(io.BytesIO(answer.content)) as archive:
        return sorted((name, hashlib.md5(archive.read(name)).hexdigest()) for name in archive.namelist())


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("origin") / "storage"
    server = House(folder, {}).server()
    for operation in PREPARED:
        assert operation(server).ok
    server.stop()
    return folder


@pytest.fixture(params=OPERATIONS)
def operation(request: pytest.FixtureRequest) -> Operation:
    return OPERATIONS[request.param]


@pytest.fixture
def house(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[House]:
    return House(tmp_path / "storage", OPTIONS.get(request.node.callspec.params["operation"], {}))


def has_failed_in_words(server: InProcessServer, answer: requests.Response) -> bool:
    """Tell whether an operation has failed, itself or as a job; with an error that a client can make sense of."""
    codes = [] if answer.ok else [answer.json()["OrthancStatus"]]
    codes += [view.error_code for view in server.services.engine.views() if view.error_code]
    assert all(code > 0 for code in codes), (answer.text, codes)
    return bool(codes)


FAULTS = {
    "full for a while": (errno.ENOSPC, 10_000),
    "broken once": (errno.EIO, 1),
    "no descriptors for a while": (errno.EMFILE, 10_000),
    "full once": (errno.ENOSPC, 1),
    "broken for a while": (errno.EIO, 10_000),
}
_USUAL = 2


@pytest.mark.parametrize(
    "fault",
    [pytest.param(name, marks=[] if number < _USUAL else pytest.mark.long) for number, name in enumerate(FAULTS)],
)
def test_a_call_fails(house: House, origin: Path, operation: Operation, fault: str) -> None:
    calls, is_stepwise = house.calls, operation in [OPERATIONS[name] for name in STEPWISE]
    server = house.again(origin)
    before = house.state(server)
    with calls:
        assert operation(server).ok
    after = house.state(server)
    number = len(calls.made)
    server.stop()

    error, times = FAULTS[fault]
    server, together = house.again(origin), 0
    for first in range(number):
        calls.error, calls.failing = error, range(first, first + times)
        with calls:
            answer = operation(server)
            where = f"{first}: {calls.made[first : first + 1]}"
        now, together = house.state(server), together + 1
        may_be_undone = has_failed_in_words(server, answer)
        assert now == after or (may_be_undone and (now == before or is_stepwise)), where
        if now == before and together < _TOGETHER and first < number - 1:
            continue
        if now != after:
            assert operation(server).ok, where
            assert house.state(server) == after, where
        server.stop()
        house.check_after_a_start(after)
        server, together = house.again(origin), 0
    server.stop()


def test_the_process_is_killed(house: House, origin: Path, operation: Operation, tmp_path: Path) -> None:
    left: list[Path] = []

    def keep() -> None:
        left.append(tmp_path / f"left-{len(left)}")
        shutil.copytree(house.folder, left[-1])

    server = house.again(origin)
    before = house.state(server)
    house.calls.before = keep
    with house.calls:
        assert operation(server).ok
    answered = len(left)
    keep()  # once it was answered
    after = house.state(server)
    server.stop()
    for number, folder in enumerate(left):
        server = house.again(folder)
        now = house.state(server)
        assert now == after or (now == before and number < answered), number
        server.stop()
        house.check_after_a_start(now)
