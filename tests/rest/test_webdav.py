"""WebDAV: the same requests to our server and to the real one, and what differs on purpose."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from xml.etree import ElementTree

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc
from tests.waiting import until

FILES = [
    file.read_bytes() for folder in ("ct/soft_tissue", "ct/sharp", "mr/t1") for file in samples.dicom_files(folder)
]
STUDIES = (
    {"PatientID": "a/b\\c", "PatientName": 'x<y>&"z', "StudyDescription": "d/e:f*?|", "StudyDate": "20200315"},
    {"PatientID": "P1", "PatientName": "Same", "StudyDescription": "S", "StudyDate": "20200401"},
    {"PatientID": "P1", "PatientName": "Same", "StudyDescription": "S", "StudyDate": "20200401"},
    {"PatientID": "P2", "StudyDate": "2020", "SeriesDescription": "é ü/", "Modality": "OT"},
    {"PatientID": " sp ", "PatientName": "N^^^", "StudyDescription": "   ", "StudyDate": "99999999", "Modality": "CT"},
)
MR = "/webdav/by-patients/PHANTOM-MR%20-%20Phantom%5EMR"
MR_SERIES = f"{MR}/20260105%20-%20MR%20shells/MR%20-%20T1%20axial"
MR_UID = "/webdav/by-uids/2.25.314159265358979.2"
LOCK = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:locktype><D:write/></D:locktype></D:lockinfo>'


@dataclass(frozen=True)
class Side:
    """A server, and the way to ask it."""

    url: str
    session: requests.Session

    def ask(self, verb: str, path: str, body: bytes | str | None = None, **headers: str) -> requests.Response:
        wanted = {name: value for name, value in headers.items() if value}
        return self.session.request(verb, self.url + path, data=body, headers=wanted, timeout=30)

    def list(self, path: str) -> list[str]:
        answer = self.ask("PROPFIND", path, Depth="1")
        assert answer.status_code == 207, answer.text
        return re.findall("<D:href>(.*?)</D:href>", answer.text)[1:]


def fill(side: Side) -> None:
    for number, tags in enumerate(STUDIES):
        uids = {f"{level}InstanceUID": f"1.2.{number}.{level_number}" for level, level_number in LEVELS.items()}
        made = side.ask("POST", "/tools/create-dicom", json.dumps({"Tags": {**tags, **uids}, "Force": True}))
        assert made.ok, made.text
    for file in FILES:
        assert side.ask("POST", "/instances", file).ok


LEVELS = {"Study": 1, "Series": 2, "SOP": 3}


@pytest.fixture(scope="module")
def ours() -> Iterator[Side]:
    with orthanc_lab.serve(WebDavDeleteAllowed=True) as server:
        side = Side(server.url, server.session)
        fill(side)
        yield side
        assert server.errors == []


@pytest.fixture(scope="module")
def real(real_program: str) -> Iterator[Side]:
    options = {"WebDavDeleteAllowed": True, "KeepAliveTimeout": 60}  # a pause of a busy machine closes no connection
    with RealOrthanc(**options) as server, requests.Session() as session:
        side = Side(server.url, session)
        fill(side)
        yield side


def alike(answer: requests.Response) -> tuple[Any, ...]:
    """Return what both servers answer alike, without times and tokens."""
    text = re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ|\d{8}T\d{6}", "TIME", answer.text)
    text = re.sub(r"0x[0-9a-f]{32}", "TOKEN", text)
    kind = answer.headers.get("Content-Type", "").partition(", text/plain")[0]
    headers = [answer.headers.get(name) for name in ("DAV", "Allow")]
    return answer.status_code, kind, *headers, "Lock-Token" in answer.headers, "Last-Modified" in answer.headers, text


READS = (
    *[("PROPFIND", path, depth) for path in ("/webdav", "/webdav/", MR, f"{MR}/", MR_SERIES, MR_UID) for depth in "01"],
    *[("PROPFIND", f"/webdav/by-{view}", "1") for view in ("patients", "studies", "dates", "uids")],
    *[("PROPFIND", f"/webdav/by-dates/{date}", "1") for date in ("2020", "2020/2020-03", "2020/2020-04", "9999")],
    *[("PROPFIND", path, "1") for path in ("/webdav/nope", "/webdav/uploads", "/webdav/uploads/x", "/webdavx", "/")],
    *[("PROPFIND", "/webdav/by-uids", depth) for depth in ("", "2", "infinity", "x")],
    *[("PROPFIND", f"{MR_UID}/study.json", depth) for depth in "01"],
    ("PROPFIND", f"{MR_UID}/2.25.314159265358979.2.1", "1"),
    ("PROPFIND", "/webdav/by-patients/P1%20-%20Same", "1"),
    ("PROPFIND", "/webdav/by-patients/P1%20-%20Same/20200401%20-%20S%20%281%29", "1"),
    *[("GET", path, "") for path in ("/webdav", "/webdav/by-uids", MR_UID, f"{MR_UID}/nope", "/webdav/uploads/x")],
    *[("GET", f"{MR_UID}/{path}", "") for path in ("study.json", "2.25.314159265358979.2.1/series.json")],
    *[("OPTIONS", path, "") for path in ("/webdav", "/webdav/", "/webdav/by-uids", "/webdavx", "/")],
    *[(verb, "/webdav/uploads", "") for verb in ("COPY", "MOVE", "REPORT", "PATCH", "UNLOCK", "PROPPATCH", "POST")],
    ("LOCK", "/webdav/uploads/x.dcm", ""),
    ("HEAD", "/webdav/by-uids", ""),
)


@pytest.mark.real
@pytest.mark.parametrize(("verb", "path", "depth"), READS)
def test_reading_as_the_real_server(ours: Side, real: Side, verb: str, path: str, depth: str) -> None:
    body = LOCK if verb == "LOCK" else None
    answers = [alike(side.ask(verb, path, body, Depth=depth)) for side in (ours, real)]
    assert answers[0] == answers[1]


def test_a_file_is_the_one_that_was_stored(ours: Side) -> None:
    paths = ours.list(MR_SERIES)
    files = [ours.ask("GET", path) for path in paths]
    assert {answer.headers["Content-Type"] for answer in files} == {"application/dicom"}
    stored = {file.read_bytes() for file in samples.dicom_files("mr/t1")}
    assert {answer.content for answer in files} == stored
    head = ours.ask("HEAD", paths[0])
    assert head.headers["Content-Length"] == str(len(files[0].content))
    assert head.headers["Last-Modified"].endswith(" GMT")


def test_names_in_other_letters_are_found_and_unknown_ones_are_not(ours: Side) -> None:
    assert ours.list(MR.replace("PHANTOM", "phantom"))
    for path in ("/webdav/by-patients/._x", "/webdav/by-dates/1999", "/webdav/by-dates/xx", f"{MR}/x", f"{MR_UID}/x/y"):
        assert ours.ask("PROPFIND", path, Depth="1").status_code == 404


def both(request: pytest.FixtureRequest, **options: Any) -> Iterator[Side]:
    if request.param == "ours":
        with orthanc_lab.serve(**options) as server:
            yield Side(server.url, server.session)
    else:
        request.getfixturevalue("real_program")
        with RealOrthanc(KeepAliveTimeout=60, **options) as server, requests.Session() as session:
            yield Side(server.url, session)


BOTH = ["ours", pytest.param("real", marks=pytest.mark.real)]


@pytest.fixture(params=BOTH)
def empty(request: pytest.FixtureRequest) -> Iterator[Side]:
    yield from both(request, WebDavDeleteAllowed=True)


@pytest.fixture(params=BOTH)
def reading(request: pytest.FixtureRequest) -> Iterator[Side]:
    yield from both(request, WebDavUploadAllowed=False)


def zip_of(*files: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.dcm", file)
    return out.getvalue()


def test_uploads(empty: Side) -> None:
    def count() -> int:
        return int(empty.ask("GET", "/statistics").json()["CountInstances"])

    def status(verb: str, path: str, body: bytes | None = None) -> int:
        return empty.ask(verb, f"/webdav{path}", body).status_code

    assert status("PUT", "/uploads/a.dcm", FILES[0]) == 201
    until(lambda: count() == 1)
    assert empty.list("/webdav/uploads") == []
    (instance,) = empty.ask("GET", "/instances").json()
    metadata = empty.ask("GET", f"/instances/{instance}/metadata?expand").json()
    assert metadata["Origin"] == "WebDav"
    assert not {"HttpUsername", "RemoteIP"} & set(metadata)
    assert status("PUT", "/uploads/folder/b.dcm", FILES[1]) == 403
    assert [status("MKCOL", "/uploads/folder") for _ in range(2)] == [201, 403]
    assert status("PUT", "/uploads/folder", FILES[1]) == 403
    assert [status("MKCOL", path) for path in ("/uploads/x/y", "/by-uids/x", "/x", "")] == [403] * 4
    assert empty.list("/webdav/uploads") == ["/webdav/uploads/folder"]
    assert status("PUT", "/uploads/folder/b.dcm", FILES[1]) == 201
    until(lambda: count() == 2)
    assert status("PUT", "/uploads/many.zip", zip_of(*FILES[2:5])) == 201
    until(lambda: count() == 5)
    assert [status("PUT", "/uploads/.DS_Store", body) for body in (b"no DICOM", b"")] == [201, 201]
    assert [status("PUT", path, FILES[6]) for path in ("/x.dcm", "/by-uids/x.dcm", "", "/uploads", "/uploads/")] == [
        403, 403, 403, 400, 400,
    ]  # fmt: skip
    assert [status("DELETE", f"/uploads{path}") for path in ("/folder", "/folder", "/x", "")] == [204, 403, 403, 403]
    assert count() == 5


def test_the_names_of_folders_take_no_more_memory_than_a_megabyte(ours: Side) -> None:
    long = "x" * 200_000
    paths = [f"/webdav/uploads/{number}{long}" for number in range(7)]
    made = [ours.ask("MKCOL", path).status_code for path in paths]
    assert made == [201] * 5 + [403] * 2
    assert [ours.ask("DELETE", path).status_code for path in paths] == [204] * 5 + [403] * 2


def test_folders_in_folders_are_found_at_once(ours: Side) -> None:
    path = "/webdav/uploads"
    for _ in range(998):
        path += "/x"
        assert ours.ask("MKCOL", path).status_code == 201
    assert ours.ask("MKCOL", "/webdav/uploads/y").status_code == 201
    assert ours.ask("MKCOL", "/webdav/uploads/z").status_code == 403
    assert ours.list("/webdav/uploads") == ["/webdav/uploads/x", "/webdav/uploads/y"]
    assert ours.list(path) == []
    assert [ours.ask("DELETE", f"/webdav/uploads/{name}").status_code for name in "xxy"] == [204, 403, 204]
    assert ours.list("/webdav/uploads") == []


def test_a_name_that_has_no_place_in_xml_spoils_no_list(ours: Side) -> None:
    path = "/webdav/uploads/a%01%EF%BF%BFb"
    assert ours.ask("MKCOL", path).status_code == 201
    answer = ours.ask("PROPFIND", "/webdav/uploads", Depth="1")
    names = [name.text for name in ElementTree.fromstring(answer.content).iter("{DAV:}displayname")]
    assert names == ["uploads", "a\ufffd\ufffdb"]
    assert ours.list("/webdav/uploads") == [path]
    assert ours.ask("DELETE", path).status_code == 204


def test_deleting(empty: Side) -> None:
    for file in FILES:
        assert empty.ask("POST", "/instances", file).ok

    def left() -> list[int]:
        found = empty.ask("GET", "/statistics").json()
        return [found[f"Count{level}"] for level in ("Patients", "Studies", "Series", "Instances")]

    def delete(path: str) -> int:
        return empty.ask("DELETE", path).status_code

    assert left() == [2, 2, 3, len(FILES)]
    assert [delete(f"{MR_UID}/{path}") for path in ("study.json", "2.25.314159265358979.2.1/series.json")] == [204, 204]
    assert [delete(path) for path in ("/webdav", "/webdav/by-uids", "/webdav/nope")] == [403, 403, 403]
    assert left() == [2, 2, 3, len(FILES)]
    assert delete(empty.list(MR_SERIES)[0]) == 204
    assert left() == [2, 2, 3, len(FILES) - 1]
    assert (
        delete("/webdav/by-patients/PHANTOM-CT%20-%20Phantom%5ECT/20260105%20-%20CT%20quality%20phantom/CT%20-%20Sharp")
        == 204
    )
    assert left()[:3] == [2, 2, 2]
    assert delete(MR) == 204
    assert left()[:3] == [1, 1, 1]
    assert delete("/webdav/by-dates/2026/2026-01") == 204
    assert left() == [0, 0, 0, 0]


def test_a_slip_does_not_delete_all(ours: Side) -> None:
    for view in ("patients", "studies", "dates", "uids"):
        assert ours.ask("DELETE", f"/webdav/by-{view}/").status_code == 403


def test_without_uploads_and_deletions(reading: Side) -> None:
    assert reading.ask("POST", "/instances", FILES[-1]).ok
    assert reading.list("/webdav") == [f"/webdav/by-{view}" for view in ("dates", "patients", "studies", "uids")]
    for verb, path in (("PUT", "/uploads/a.dcm"), ("MKCOL", "/uploads/a"), ("DELETE", "/uploads/a")):
        assert reading.ask(verb, f"/webdav{path}", FILES[0]).status_code == 403
    assert reading.ask("DELETE", MR).status_code == 403
    assert len(reading.ask("GET", "/instances").json()) == 1


def test_a_read_only_server_acknowledges_nothing_that_it_does_not_store() -> None:
    with orthanc_lab.serve(ReadOnly=True, WebDavDeleteAllowed=True) as server:
        side = Side(server.url, server.session)
        for verb in ("PUT", "MKCOL"):
            assert side.ask(verb, "/webdav/uploads/a.dcm", FILES[0]).status_code == 403


def test_a_password_and_switching_it_off() -> None:
    users = {"alice": "secret"}
    with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers=users) as server:
        assert (
            requests.request("PROPFIND", f"{server.url}/webdav", headers={"Depth": "1"}, timeout=30).status_code == 401
        )
        assert Side(server.url, server.session).list("/webdav")
    with orthanc_lab.serve(WebDavEnabled=False) as server:
        for verb in ("OPTIONS", "PROPFIND", "GET", "PUT", "DELETE", "MKCOL"):
            assert requests.request(verb, f"{server.url}/webdav/uploads", timeout=30).status_code in (404, 405)
