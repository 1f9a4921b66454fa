"""Servers that mean harm, or are none: their answers end in a clear error, in little memory, and reach no terminal."""

from __future__ import annotations

import copy
import io
import json
import tracemalloc
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab import Client, frames, samples
from orthanc_lab.client import ClientError, DamagedDownloadError, Instance, Job, NotOrthancError, UnreachableError
from orthanc_lab.client.job_events import all_events
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from tests.client.scripted import Act, Scripted, answer, send

ID = "11111111-11111111-11111111-11111111-11111111"
ZIP = "Content-Type: application/zip"
EVIL = "a\x1b]0;title\x07b\u202ec"
TAMED = "a\ufffd]0;title\ufffdb\ufffdc"
STRANGE: tuple[Any, ...] = (
    None, [], {}, EVIL, -1, float("inf"), float("nan"), 10**400, [None], [[]], {"a": None},
)  # fmt: skip


def document(value: Any) -> Act:
    return answer(json.dumps(value).encode(), "200 OK", "Content-Type: application/json")


def zip_of(name: str, content: bytes) -> bytearray:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, content)
    return bytearray(out.getvalue())


# -- values of other types ------------------------------------------------------------

CALLS: dict[str, Callable[[Client], object]] = {
    "client": lambda client: (repr(client), client._repr_html_()),
    "collection": lambda client: (list(islice(client.studies, 3)), len(client.studies), client.studies._repr_html_()),
    "find": lambda client: [(repr(study), study.tags) for study in client.studies.find()],
    "study": lambda client: [found.refresh()._repr_html_() for found in client.studies.find(limit=1)],
    "series": lambda client: [found.refresh()._repr_html_() for found in client.series.find(limit=1)],
    "instance": lambda client: [found.refresh()._repr_html_() for found in client.instances.find(limit=1)],
    "relatives": lambda client: [found.refresh().study.patient.studies for found in client.series.find(limit=1)],
    "jobs": lambda client: (client.jobs._repr_html_(), [(repr(job), job.eta) for job in client.jobs]),
    "story": lambda client: [(str(job.story()), job.why()) for job in client.jobs],
    "wait": lambda client: [job.wait(timeout=0) for job in client.jobs],
    "lookup": lambda client: client.lookup("PHANTOM-CT"),
    "changes": lambda client: (client.changes.last, client.changes.after(0)),
    "cluster": lambda client: client.cluster()._repr_html_(),
    "upload": lambda client: client.upload(samples.path("ct/soft_tissue"), progress=False)._repr_html_(),
    "modalities": lambda client: (repr(client.modalities), client.modalities._repr_html_(), list(client.queries)),
    "frame of jobs": frames.jobs,
    "frame of studies": frames.studies,
    "frame of instances": frames.instances,
    "spans": lambda client: frames.JobWatch(client).poll(),
}


@pytest.fixture(scope="module")
def stocked(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedServer]:
    import orthanc_lab

    with orthanc_lab.in_process() as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"), progress=False)
        client.studies.find()[0].archive_job().wait()
        yield server  # type: ignore[misc]


@pytest.mark.parametrize("call", CALLS)
def test_values_of_other_types(stocked: EmbeddedServer, call: str) -> None:
    answers: list[Any] = []
    changed: dict[int, Any] = {}
    number = 0

    def change(response: requests.Response) -> None:
        nonlocal number
        if "json" in response.headers.get("Content-Type", ""):
            answers.append(response.json())
            if number in changed:
                response._content = json.dumps(changed[number]).encode()
            number += 1

    client = Client.from_server(stocked).observed(change)

    def run() -> None:
        nonlocal number
        number = 0
        CALLS[call](client)

    run()
    for which, told in enumerate(answers[:2]):
        for place in list(_places(told))[:25]:
            for value in STRANGE:
                changed.clear()
                changed[which] = _with(told, place, value)
                with suppress(ClientError):
                    run()


def _places(value: Any, place: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield place
    inner = value.items() if isinstance(value, dict) else enumerate(value[:1]) if isinstance(value, list) else ()
    for key, item in inner:
        yield from _places(item, (*place, key))


def _with(told: Any, place: tuple[Any, ...], value: Any) -> Any:
    if not place:
        return value
    told = copy.deepcopy(told)
    at = told
    for key in place[:-1]:
        at = at[key]
    at[place[-1]] = value
    return told


# -- lists without end ----------------------------------------------------------------


def test_a_server_that_knows_no_pages() -> None:
    study = {"ID": ID, "MainDicomTags": {}, "Series": [], "ParentPatient": ID}
    with Scripted(document([study])) as server, Client(server.url) as client:
        assert [found.id for found in client.studies] == [ID]


@pytest.mark.parametrize("number", [0, 5])
def test_changes_that_begin_anew_without_end(number: int) -> None:
    line = {"Seq": 5, "ChangeType": "NewStudy", "Date": "20260101T000000"}
    with Scripted(document({"Changes": [line], "Done": False, "Last": -1})) as server, Client(server.url) as client:
        assert {change.seq for change in client.changes.after(number)} == {5}


def test_a_log_of_events_that_does_not_go_on(stocked: EmbeddedServer) -> None:
    page = Client.from_server(stocked).transport.get("/orthanc-lab/events")
    with Scripted(document({**page, "Done": False})) as server, Client(server.url) as client:
        assert {event.sequence for event in all_events(client.transport)} == {e["Sequence"] for e in page["Events"]}


# -- heads and bodies -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("act", "error"),
    [
        (answer(b"[" * 100_000, "200 OK", "Content-Type: application/json"), NotOrthancError),
        (answer(b"[" * 100_000, "500 Error"), ClientError),
        (answer(b'{"OrthancStatus": 1e999}', "500 Error"), ClientError),
        (answer(b"x", "500 Error", "Content-Type: text/plain; charset=a\0b"), ClientError),
        (send(b"HTTP/1.1 302 Found\r\nLocation: http://[::\r\nContent-Length: 0\r\n\r\n"), UnreachableError),
        (send(b"HTTP/1.1 302 Found\r\nLocation: file:///etc/passwd\r\nContent-Length: 0\r\n\r\n"), UnreachableError),
    ],
    ids=["nested", "nested error", "infinite code", "character set", "no address", "file"],
)
def test_answers_that_are_none(act: Act, error: type[ClientError]) -> None:
    with Scripted(act) as server, Client(server.url, retries=0) as client, pytest.raises(error):
        client.system  # noqa: B018


@pytest.mark.parametrize("length", [b"abc", b"-5", b"\xb2", b"1e3"])
def test_a_length_that_is_none(tmp_path: Path, length: bytes) -> None:
    head = b"HTTP/1.1 200 OK\r\nContent-Length: " + length + b"\r\nConnection: close\r\n" + ZIP.encode() + b"\r\n\r\n"
    with Scripted(send(head + zip_of("a", b"x"))) as server, Client(server.url, retries=0) as client:
        assert client.archive(ID, tmp_path / "a.zip").exists()


@pytest.mark.parametrize(("place", "value"), [(6, 99), (9, 8)], ids=["a later version", "a name in no character set"])
def test_an_archive_that_cannot_be_read(tmp_path: Path, place: int, value: int) -> None:
    archive = zip_of("\x7f.dcm", b"x")
    archive[archive.rfind(b"PK\x01\x02") + place] = value
    archive[archive.rfind(b"\x7f.dcm")] = 0xFF
    with (
        Scripted(answer(bytes(archive), "200 OK", ZIP)) as server,
        Client(server.url, retries=0) as client,
        pytest.raises(ClientError, match="incomplete"),
    ):
        client.archive(ID, tmp_path / "a.zip")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(("place", "value"), [(10, 99), (10, 12), (8, 1)], ids=["method", "bz2", "encrypted"])
def test_members_that_cannot_be_read_are_damaged(tmp_path: Path, place: int, value: int) -> None:
    archive = zip_of("a.dcm", bytes(100))
    archive[archive.rfind(b"PK\x01\x02") + place] = value
    with (
        Scripted(answer(bytes(archive), "200 OK", ZIP)) as server,
        Client(server.url, retries=0) as client,
        pytest.raises(DamagedDownloadError, match="1 of 1 files"),
    ):
        client.archive(ID, tmp_path / "a.zip", verify=True)


def test_a_member_that_unpacks_to_very_much(tmp_path: Path) -> None:
    archive = bytes(zip_of("a.dcm", b"\xff" * (100 << 20)))
    with Scripted(answer(archive, "200 OK", ZIP)) as server, Client(server.url, retries=0) as client:
        tracemalloc.start()
        try:
            with pytest.raises(DamagedDownloadError):
                client.archive(ID, tmp_path / "a.zip", verify=True)
            assert tracemalloc.get_traced_memory()[1] < 50 << 20
        finally:
            tracemalloc.stop()


@pytest.mark.parametrize("content", [b"no picture", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 9 9\n"])
def test_what_is_no_picture(content: bytes) -> None:
    known = {"ID": ID, "MainDicomTags": {}}
    acts = (answer(b"[1]"), answer(content))
    with Scripted(*acts) as server, Client(server.url, retries=0) as client:
        assert Instance(client.transport, ID, known).thumbnail() == b""
        with pytest.raises(ClientError, match="sent an array that cannot be read"):
            Instance(client.transport, ID, known).array()


# -- terminals ------------------------------------------------------------------------


def test_nothing_controls_a_terminal() -> None:
    study = {"ID": ID, "MainDicomTags": {"StudyDescription": EVIL}, "Series": [], "ParentPatient": ID}
    job = {"ID": ID, "Type": EVIL, "State": "Failure", "ErrorCode": 1, "ErrorDescription": EVIL}
    with Scripted(document([study]), document(job)) as server, Client(server.url, retries=0) as client:
        assert TAMED in repr(client.studies.find())
        assert TAMED in repr(Job(client.transport, {"ID": ID}).refresh())
        server.play(answer(json.dumps({"OrthancStatus": 1, "Details": EVIL}).encode(), "500 Error"))
        with pytest.raises(ClientError) as caught:
            client.system  # noqa: B018
        assert TAMED in str(caught.value)


@pytest.mark.parametrize(("told", "progress"), [(-(10**12), 0), (10**12, 100), (40.9, 40)])
def test_progress_is_a_percentage(told: float, progress: int) -> None:
    with Scripted(document({"ID": ID, "Progress": told})) as server, Client(server.url) as client:
        assert Job(client.transport, {"ID": ID}).refresh().progress == progress
