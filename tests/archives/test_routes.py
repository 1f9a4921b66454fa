"""The routes: parameters, headers, errors, as the real server has them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.jobs import JobState
from tests.archives.files import member, names_of
from tests.archives.house import Answer, House

NO_LIST = "Expected a list of resources to archive in the body"
NO_STRINGS = "Expected a list of strings (Orthanc identifiers)"
NAME = "P1 Doe John/Unknown Study/CT/CT000001.dcm"


@pytest.fixture
def ids(house: House) -> dict[str, str]:
    stored = house.upload()
    return {
        "patients": stored.patient,
        "studies": stored.study,
        "series": stored.series,
        "instance": stored.instance,
    }


def error_of(result: Answer) -> tuple[int, int, str | None]:
    return result.status_code, result.json["OrthancStatus"], result.json.get("Details")


@pytest.mark.parametrize("level", ["patients", "studies", "series"])
def test_one_resource(house: House, ids: dict[str, str], level: str) -> None:
    uri = f"/{level}/{ids[level]}"
    got = house.get(f"{uri}/archive")
    assert names_of(got.content) == [NAME]
    assert got.headers["content-type"] == "application/zip"
    assert got.headers["content-disposition"] == f'filename="{ids[level]}.zip"'
    assert got.headers["connection"] == "close"
    assert "content-length" not in got.headers
    posted = names_of(house.post(f"{uri}/archive", {}).content)
    assert posted == ["CT/CT000001.dcm" if level == "series" else NAME]
    for medium in (house.get(f"{uri}/media"), house.post(f"{uri}/media", {})):
        assert names_of(medium.content) == ["IMAGES/IM0", "DICOMDIR"]
        assert member(medium.content, "IMAGES/IM0") == house.storage.read_dicom(ids["instance"])


def test_the_first_instance_of_a_study_names_its_patient(house: House) -> None:
    house.upload("Q", "Zero", "4", "4.1", "4.1.1")
    stored = [house.upload("Q", name, "3", f"3.{name}", f"3.{name}.1") for name in ("1", "2", "3", "4")]
    for one in stored:
        for path in (f"/series/{one.series}", f"/studies/{one.study}"):
            (patient,) = {name.split("/")[0] for name in names_of(house.get(f"{path}/archive").content)}
            assert patient == "Q 1"
    (patient,) = {name.split("/")[0] for name in names_of(house.get(f"/patients/{one.patient}/archive").content)}
    assert patient == "Q Zero"


@pytest.mark.parametrize(("tool", "names"), [("archive", [NAME]), ("media", ["IMAGES/IM0", "DICOMDIR"])])
def test_many_resources(house: House, ids: dict[str, str], tool: str, names: list[str]) -> None:
    uri = f"/tools/create-{tool}"
    listed = ",".join(ids.values())
    for result in (
        house.get(f"{uri}?resources={listed}"),
        house.get(f"{uri}?resources={listed},"),
        house.post(uri, list(ids.values())),
        house.post(uri, {"Resources": list(ids.values())}),
    ):
        assert names_of(result.content) == names
        assert result.headers["content-disposition"] == 'filename="Archive.zip"'


@pytest.mark.parametrize(
    ("tool", "names"), [("archive", []), ("media", ["DICOMDIR"]), ("media-extended", ["DICOMDIR"])]
)
def test_nothing_makes_an_empty_archive(house: House, tool: str, names: list[str]) -> None:
    uri = f"/tools/create-{tool}"
    for result in (house.get(f"{uri}?resources="), house.post(uri, []), house.post(uri, {"Resources": []})):
        assert result.status_code == 200
        assert names_of(result.content) == names
        with zipfile.ZipFile(io.BytesIO(result.content)) as opened:
            assert opened.comment == b"Created by Orthanc"


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("filename=a%20b.zip", "a%20b.zip"),
        ("filename=a+b", "a+b"),
        ("filename=", ""),
        ("filename", ""),
        ("filename=a=b", "a=b"),
        ("filename=1&filename=2", "2"),
        ("filename=%0D%0AX:1", "%0D%0AX:1"),
        ("Filename=x", None),
    ],
)
def test_filename_of_a_get_is_copied_raw(house: House, ids: dict[str, str], query: str, expected: str | None) -> None:
    name = f"{ids['series']}.zip" if expected is None else expected
    assert house.get(f"/series/{ids['series']}/archive?{query}").headers["content-disposition"] == f'filename="{name}"'


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("é.zip", "é.zip"),
        ('q"x', r"q\"x"),
        ("a\r\nSet-Cookie: b\tc\0\x7f\x1b\x85d", "aSet-Cookie: bcd"),
        ("", ""),
        (5, "Archive.zip"),
        (None, "Archive.zip"),
    ],
)
def test_filename_of_a_post_cannot_end_the_header(house: House, ids: dict[str, str], given: Any, expected: str) -> None:
    result = house.post("/tools/create-archive", {"Resources": [ids["series"]], "Filename": given})
    header = result.headers["content-disposition"]
    assert header.encode("latin-1").decode("utf-8") == f'filename="{expected}"'


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        ("/patients/nope/archive", (404, 7, "Missing resource while creating an archive: nope")),
        ("/studies/{patients}/media", (404, 7, "Missing resource while creating an archive: {patients}")),
        ("/patients/nope/archive?transcode=bad", (404, 7, "Missing resource while creating an archive: nope")),
        ("/tools/create-archive", (400, 8, "Missing resources argument")),
        ("/tools/create-archive?Resources=x", (400, 8, "Missing resources argument")),
        ("/tools/create-media?resources=nope", (404, 17, None)),
        ("/tools/create-media?resources=,{series}", (404, 17, None)),
        ("/tools/create-media?resources={series},,{series}", (404, 17, None)),
        ("/tools/create-archive?resources={series}%2C{instance}", (404, 17, None)),
        ("/instances/{instance}/archive", (404, 17, None)),
        ("/instances/{instance}/media", (404, 17, None)),
    ],
)
def test_errors_of_a_get(house: House, ids: dict[str, str], uri: str, expected: tuple[int, int, str | None]) -> None:
    status, code, details = expected
    assert error_of(house.get(uri.format(**ids))) == (status, code, details and details.format(**ids))


@pytest.mark.parametrize("raw", ["", "{", "[", "nope", '{"Resources": '])
def test_a_list_is_expected(house: House, raw: str) -> None:
    assert error_of(house.post("/tools/create-archive", raw=raw)) == (400, 15, NO_LIST)


@pytest.mark.parametrize(
    ("body", "code", "details"),
    [
        (None, 15, None),
        (5, 15, None),
        ("x", 15, None),
        (True, 15, None),
        ({}, 15, "Missing field Resources in the JSON body"),
        ({"Filename": 5}, 15, "Missing field Resources in the JSON body"),
        *[({"Resources": value}, 15, NO_STRINGS) for value in ("x", None, {}, 5, ["a", 5], [["a"]])],
        ([5], 15, NO_STRINGS),
        (["nope"], 17, None),
        ([""], 17, None),
        ({"Resources": [], "Synchronous": 1}, 15, "Boolean value expected in field: Synchronous"),
        ({"Resources": [], "Asynchronous": "true"}, 15, "Boolean value expected in field: Asynchronous"),
        ({"Resources": [], "Priority": "x"}, 15, "Integer value expected in field: Priority"),
        ({"Resources": [], "Priority": 1.0}, 15, "Integer value expected in field: Priority"),
        ({"Resources": [], "Extended": 5}, 15, "Boolean value expected in field: Extended"),
        ({"Resources": [], "Extended": None}, 15, "Boolean value expected in field: Extended"),
        ({"Resources": ["nope"], "Extended": 5}, 15, "Boolean value expected in field: Extended"),
        ({"Resources": [], "Transcode": 5}, 15, "String value expected in field: Transcode"),
        ({"Resources": [], "Transcode": 5, "Extended": 5}, 15, "Boolean value expected in field: Extended"),
        ({"Extended": 5, "Priority": "x", "Synchronous": 0}, 15, "Boolean value expected in field: Synchronous"),
    ],
)
def test_errors_of_a_post_to_tools(house: House, body: Any, code: int, details: str | None) -> None:
    status = 404 if code == 17 else 400
    assert error_of(house.post("/tools/create-archive", body)) == (status, code, details)


def test_permissive_is_not_looked_at(house: House) -> None:
    assert house.post("/tools/create-archive", {"Resources": [], "Permissive": 5}).status_code == 200


@pytest.mark.parametrize("raw", ["", "{", "nope"])
def test_broken_options_of_one_resource(house: House, ids: dict[str, str], raw: str) -> None:
    for uri in (f"/patients/{ids['patients']}/archive", "/patients/nope/media"):
        assert error_of(house.post(uri, raw=raw)) == (400, 15, None)


@pytest.mark.parametrize("raw", ["[]", "null", "true", '"x"', "5", "{} x", "{} // no options"])
def test_bodies_without_options(house: House, ids: dict[str, str], raw: str) -> None:
    assert names_of(house.post(f"/patients/{ids['patients']}/archive", raw=raw).content) == [NAME]
    missing = (404, 7, "Missing resource while creating an archive: nope")
    assert error_of(house.post("/patients/nope/archive", raw=raw)) == missing


def test_as_a_whole(make_house: Callable[..., House]) -> None:
    house = make_house(SynchronousZipStream=False)
    stored = house.upload()
    result = house.get(f"/patients/{stored.patient}/archive?filename=x.zip")
    assert names_of(result.content) == [NAME]
    assert result.headers["content-length"] == str(len(result.content))
    assert result.headers["content-disposition"] == 'filename="x.zip"'
    assert result.headers["connection"] == "keep-alive"
    assert list(house.outputs.iterdir()) == [], "the file is gone once it is sent"
    (job,) = house.engine.views()
    assert job.state is JobState.SUCCESS
    assert house.get(f"/jobs/{job.id}/archive").status_code == 404


def test_as_a_whole_a_failure_is_told(make_house: Callable[..., House]) -> None:
    house = make_house(SynchronousZipStream=False)
    stored = house.upload(sop_class="")
    result = house.get(f"/patients/{stored.patient}/media")
    assert error_of(result)[:2] == (400, 15)
    assert list(house.outputs.iterdir()) == []


def test_asynchronous(house: House, ids: dict[str, str]) -> None:
    body = {"Resources": [ids["patients"]], "Asynchronous": True, "Priority": -3, "Filename": "mine.zip"}
    answer = house.post("/tools/create-media", body).json
    assert answer["Path"] == f"/jobs/{answer['ID']}"
    view = house.wait(answer["ID"])
    assert (view.state, view.type, view.priority, view.progress) == (JobState.SUCCESS, "Media", -3, 100)
    output = house.get(f"{answer['Path']}/archive")
    assert names_of(output.content) == ["IMAGES/IM0", "DICOMDIR"]
    assert output.headers["content-disposition"] == 'filename="mine.zip"'
    size = len(house.storage.read_dicom(ids["instance"]))
    assert view.content == {
        "Description": "REST API",
        "InstancesCount": 1,
        "UncompressedSize": str(size),
        "UncompressedSizeMB": 0,
        "ArchiveSize": str(len(output.content)),
        "ArchiveSizeMB": 0,
    }
    assert house.post(f"{answer['Path']}/resubmit").status_code == 400


def test_content_of_a_waiting_job(make_house: Callable[..., House]) -> None:
    house = make_house(running=False)
    stored = house.upload()
    answer = house.post(f"/studies/{stored.study}/archive", {"Asynchronous": True}).json
    content = house.get(answer["Path"]).json["Content"]
    assert (content["ArchiveSize"], content["ArchiveSizeMB"], content["InstancesCount"]) == ("0", 0, 1)


def test_a_failed_medium(house: House) -> None:
    """A file without SOP class has no place in a DICOMDIR."""
    stored = house.upload(sop_class="")
    answer = house.post(f"/patients/{stored.patient}/media", {"Asynchronous": True}).json
    view = house.wait(answer["ID"])
    assert (view.state, view.error_code, view.error_details, view.progress) == (JobState.FAILURE, 15, "", 100)
    assert list(house.outputs.iterdir()) == []
    assert error_of(house.post(f"{answer['Path']}/resubmit")) == (
        *(500, 6),
        "Cannot resubmit the creation of an archive",
    )
    streamed = house.get(f"/patients/{stored.patient}/media")
    assert (streamed.status_code, streamed.content) == (200, b"")


def test_no_place_for_the_output(make_house: Callable[..., House]) -> None:
    house = make_house()
    stored = house.upload()
    house.outputs.write_text("a file where a folder is needed")
    result = house.post(f"/patients/{stored.patient}/archive", {"Asynchronous": True})
    assert error_of(result)[:2] == (500, 14)
    assert house.engine.ids() == []


def test_a_folder_that_cannot_be_written_to(make_house: Callable[..., House], monkeypatch: pytest.MonkeyPatch) -> None:
    house = make_house()
    stored = house.upload()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # the superuser may write everywhere
    result = house.post(f"/patients/{stored.patient}/archive", {"Asynchronous": True})
    monkeypatch.undo()
    assert error_of(result)[:2] == (500, 14)
    assert house.engine.ids() == []


@pytest.mark.parametrize("history", [0, 1])
def test_as_a_whole_without_a_history(make_house: Callable[..., House], history: int) -> None:
    """The work is done, but the real server cannot say so; no file is left either way."""
    house = make_house(SynchronousZipStream=False, JobsHistorySize=history)
    stored = house.upload()
    result = house.get(f"/patients/{stored.patient}/archive")
    assert result.status_code == (200 if history else 404)
    assert list(house.outputs.iterdir()) == []


@pytest.mark.parametrize(
    ("uri", "extended"),
    [
        ("/series/{series}/media", False),
        ("/series/{series}/media?extended", True),
        ("/series/{series}/media?extended=false", True),
        ("/tools/create-media?resources={series}&extended", False),
        ("/tools/create-media-extended?resources={series}", True),
    ],
)
def test_extended_of_a_get(house: House, uri: str, extended: bool) -> None:
    stored = house.upload(extra={0x0008103E: ("LO", "Thorax")})
    directory = member(house.get(uri.format(series=stored.series)).content, "DICOMDIR")
    assert (b"Thorax" in directory) is extended


@pytest.mark.parametrize(
    ("tool", "body", "extended"),
    [
        ("create-media", {}, False),
        ("create-media", {"Extended": True}, True),
        ("create-media-extended", {}, True),
        ("create-media-extended", {"Extended": False}, False),
    ],
)
def test_extended_of_a_post(house: House, tool: str, body: dict[str, Any], extended: bool) -> None:
    stored = house.upload(extra={0x0008103E: ("LO", "Thorax")})
    result = house.post(f"/tools/{tool}", {"Resources": [stored.series], **body})
    assert (b"Thorax" in member(result.content, "DICOMDIR")) is extended


@pytest.mark.parametrize(("size", "files"), [(100, 0), (200_000, 1)])
def test_a_small_archive_is_no_file(house: House, ids: dict[str, str], size: int, files: int) -> None:
    house.upload(sop="9.9", pixels=os.urandom(size))
    job = house.post(f"/patients/{ids['patients']}/archive", {"Asynchronous": True}).json["ID"]
    house.wait(job)
    assert len(list(house.outputs.iterdir())) == files
    archive = house.get(f"/jobs/{job}/archive")
    assert len(names_of(archive.content)) == 2
    assert archive.headers["content-length"] == str(len(archive.content))
    assert house.engine.delete_output(job, "archive")
    assert house.get(f"/jobs/{job}/archive").status_code == 404
    assert list(house.outputs.iterdir()) == []


def test_a_full_disk_fails_the_job(house: House, ids: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    import errno

    real = os.write

    def full(descriptor: int, data: bytes) -> int:
        if Path(f"/proc/self/fd/{descriptor}").resolve().suffix == ".zip":
            raise OSError(errno.ENOSPC, "No space left on device")
        return real(descriptor, data)

    monkeypatch.setattr(os, "write", full)
    house.upload(sop="9.9", pixels=os.urandom(200_000))  # a small archive is no file
    answer = house.post(f"/patients/{ids['patients']}/archive", {"Asynchronous": True}).json
    view = house.wait(answer["ID"])
    assert (view.state, view.error_code) == (JobState.FAILURE, 19)
    assert view.error_details == "No space left for the archive"
    assert list(house.outputs.iterdir()) == []
