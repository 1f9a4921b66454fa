"""Uploads over HTTP: files, archives, forms, gzip; bombs and damage are refused as a whole."""

from __future__ import annotations

import gzip
import struct
import zipfile
import zlib
from collections.abc import Sequence
from dataclasses import replace
from io import BytesIO
from typing import Any

import pytest
import requests
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orthanc_lab.dicom.files.data_set import encode_head
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.rest.application import make_application
from orthanc_lab.rest.making.upload_form import parts_of
from orthanc_lab.rest.making.upload_zip import is_zip, members_of
from orthanc_lab.rest.services import UploadLimits
from orthanc_lab.server.embedding.wsgi_transport import WsgiTransport
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from tests.examples import examples
from tests.rest.checks import error_of, is_empty
from tests.rest.conftest import Rest
from tests.rest.files import orthanc_id

DAMAGED = "Invalid file or unsupported compression method (e.g. Deflate64)"


def zip_of(*members: tuple[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return target.getvalue()


def form_of(*parts: bytes, boundary: str = "XX") -> bytes:
    mark = f"--{boundary}".encode()
    head = b'\r\nContent-Disposition: form-data; name="f"; filename="x.dcm"\r\n\r\n'
    return b"".join(mark + head + part + b"\r\n" for part in parts) + mark + b"--\r\n"


def count(rest: Rest) -> int:
    number: int = rest.json("/statistics")["CountInstances"]
    return number


# -- a DICOM file ----------------------------------------------------------------------


def test_a_file(rest: Rest) -> None:
    file = dicom(patient="P", study="1", series="2", instance="3", pixels=LARGE)
    answer = rest("POST", "/instances", file)
    instance = orthanc_id("P", "1", "2", "3")
    expected = {
        "ID": instance,
        "ParentPatient": orthanc_id("P"),
        "ParentSeries": orthanc_id("P", "1", "2"),
        "ParentStudy": orthanc_id("P", "1"),
        "Path": f"/instances/{instance}",
        "Status": "Success",
    }
    assert answer.headers["Content-Type"] == "application/json; charset=utf-8"
    assert answer.json() == expected
    assert rest("POST", "/instances", file).json() == {**expected, "Status": "AlreadyStored"}
    assert rest("GET", f"/instances/{instance}/file").content == file


def test_an_answer_in_xml(rest: Rest) -> None:
    answer = rest("POST", "/instances", dicom(), Accept="application/xml")
    assert answer.headers["Content-Type"] == "application/xml; charset=utf-8"


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (b"", (400, 15, "Received an empty DICOM file")),
        (b"hello", (400, 15, "Cannot parse an invalid DICOM file (size: 5 bytes)")),
        (b"PK", (400, 15, "Cannot parse an invalid DICOM file (size: 2 bytes)")),
        (b"PK" + b"x" * 98, (400, 15, "Cannot parse an invalid DICOM file (size: 100 bytes)")),
        (bytes(200), (404, 21, "")),
        (dicom(study=None), (404, 21, "")),
        (encode_head("1.2.840.10008.1.2.1.99", "1.2.3", "1.2.3.4"), (404, 21, "")),
        (dicom(study=""), (400, 15, "missing StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID")),
        (dicom(patient="x" * 300), (400, 5, "")),
        (b"PK\3\4" + bytes(100), (400, 15, "Cannot open ZIP archive from memory buffer")),
    ],
)
def test_refusals(rest: Rest, body: bytes, error: tuple[int, int, str]) -> None:
    assert error_of(rest("POST", "/instances", body)) == error
    assert count(rest) == 0


def test_who_sent_it(rest: Rest) -> None:
    id = rest("POST", "/instances", dicom(), Authorization="Basic YWxpY2U6c2VjcmV0").json()["ID"]
    metadata = rest.json(f"/instances/{id}/metadata?expand")
    assert metadata["HttpUsername"] == "alice"
    assert metadata["Origin"] == "RestApi"
    assert metadata["RemoteIP"] == "127.0.0.1"
    refused = rest("POST", "/instances", dicom(), Authorization="Basic %%%").json()
    assert (refused["HttpStatus"], refused["OrthancStatus"]) == (400, 15)


@pytest.mark.parametrize("options", [{"OverwriteInstances": True}])
def test_overwriting(rest: Rest) -> None:
    first, second = dicom(instance="9", name="a"), dicom(instance="9", name="b")
    rest.upload(first)
    assert rest.upload(second)["ID"]
    assert rest("GET", f"/instances/{rest.json('/instances')[0]}/file").content == second


@pytest.mark.parametrize("options", [{"MaximumPatientCount": 1, "MaximumStorageMode": "Reject"}])
def test_a_full_storage(rest: Rest) -> None:
    rest.upload(dicom(patient="a"))
    assert error_of(rest("POST", "/instances", dicom(patient="b"))) == (507, 19, "")
    assert error_of(rest("POST", "/instances", zip_of(("b", dicom(patient="b"))))) == (507, 19, "")


# -- gzip ------------------------------------------------------------------------------


def test_many_gzip_members_are_read_once(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    class Counting:
        def __init__(self, bits: int) -> None:
            self._inflater = inflater_of(bits)

        def decompress(self, data: bytes, most: int) -> bytes:
            read.append(len(data))
            return self._inflater.decompress(data, most)

        def __getattr__(self, name: str) -> Any:
            return getattr(self._inflater, name)

    inflater_of = zlib.decompressobj
    monkeypatch.setattr(zlib, "decompressobj", Counting)
    file, empty = dicom(), gzip.compress(b"") * 1000
    body = empty + gzip.compress(file[:300]) + gzip.compress(file[300:]) + empty
    assert rest("POST", "/instances", body, Content_Encoding="gzip").status_code == 200
    assert len(body) <= sum(read) <= 8 * len(body)


def test_gzip(rest: Rest) -> None:
    file = dicom()
    for body in (gzip.compress(file), gzip.compress(file[:200]) + gzip.compress(file[200:])):
        assert rest("POST", "/instances", body, Content_Encoding="gzip").status_code == 200
    assert count(rest) == 1


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (dicom(), (500, -1)),
        (gzip.compress(dicom(), mtime=0)[:-20], (400, 15)),
        (gzip.compress(dicom(), mtime=0) + b"xx", (400, 15)),
        (gzip.compress(b"hello", mtime=0), (400, 15)),
        (b"\x1f\x8b", (400, 15)),
        (b"", (400, 15)),
    ],
)
def test_broken_gzip(rest: Rest, body: bytes, status: tuple[int, int]) -> None:
    assert error_of(rest("POST", "/instances", body, Content_Encoding="gzip"))[:2] == status


def test_an_archive_in_gzip_is_no_dicom_file(rest: Rest) -> None:
    body = gzip.compress(zip_of(("a", dicom())))
    assert error_of(rest("POST", "/instances", body, Content_Encoding="gzip"))[:2] == (400, 15)


def test_a_gzip_bomb(rest: Rest) -> None:
    narrow = replace(rest.server.services, upload_limits=UploadLimits(size_of_file=10_000))
    body = gzip.compress(bytes(1_000_000))
    with requests.Session() as session:
        session.mount(rest.server.url, WsgiTransport(make_application(narrow)))
        answer = session.post(f"{rest.server.url}/instances", body, headers={"Content-Encoding": "gzip"})
    assert error_of(answer) == (400, 15, "The body unpacks to more than 10000 bytes")


# -- forms -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    "content_type", ["multipart/form-data; boundary=XX", 'Multipart/Form-Data; charset=utf-8; boundary="XX"']
)
def test_forms(rest: Rest, content_type: str) -> None:
    body = form_of(dicom(), dicom(pixels=LARGE), zip_of(("a", dicom()), ("b", b"text")))
    assert is_empty(rest("POST", "/instances", body, Content_Type=content_type), 200)
    assert count(rest) == 3
    assert is_empty(rest("POST", "/instances", b"preamble\r\n" + form_of(dicom()), Content_Type=content_type), 200)
    assert is_empty(rest("POST", "/instances", form_of(), Content_Type=content_type), 200)
    assert count(rest) == 4


@pytest.mark.parametrize(
    ("body", "error", "stored"),
    [
        (form_of(b"hello"), (400, 15, "Cannot parse an invalid DICOM file (size: 5 bytes)"), 0),
        (form_of(dicom(), b"hello"), (400, 15, "Cannot parse an invalid DICOM file (size: 5 bytes)"), 1),
        (form_of(b""), (400, 15, "Received an empty DICOM file"), 0),
        (form_of(dicom()).replace(b"\r\n", b"\n"), (500, 9, "Garbage between two items in a multipart stream"), 0),
        (form_of(dicom())[:-8], (400, 15, "The multipart body is cut off"), 0),
    ],
)
def test_broken_forms(rest: Rest, body: bytes, error: tuple[int, int, str], stored: int) -> None:
    assert error_of(rest("POST", "/instances", body, Content_Type="multipart/form-data; boundary=XX")) == error
    assert count(rest) == stored


@pytest.mark.parametrize("content_type", ["multipart/related; boundary=XX", "multipart/form-data", "multipart/"])
def test_what_is_no_form_is_a_file(rest: Rest, content_type: str) -> None:
    assert error_of(rest("POST", "/instances", form_of(dicom()), Content_Type=content_type))[:2] == (400, 15)
    assert rest("POST", "/instances", dicom(), Content_Type="application/json").status_code == 200


@given(body=st.lists(st.sampled_from([b"--XX", b"--", b"\r\n", b"\n", b"a: b", b"x"]), max_size=12).map(b"".join))
def test_any_form_is_read_or_refused(body: bytes) -> None:
    try:
        for part in parts_of(body, "XX"):
            assert part in body
    except OrthancError as error:
        assert error.code in (9, 15)  # noqa: PT017 # either is right


# -- archives --------------------------------------------------------------------------


def test_an_archive(rest: Rest) -> None:
    files = [dicom(instance=f"7.{n}", pixels=LARGE if n % 2 else b"\0\0") for n in range(4)]
    body = zip_of(
        ("b.dcm", files[1]),
        ("notes.txt", b"hello"),
        ("a/", b""),
        ("a/a.dcm", files[0]),
        ("../../etc/x", files[2]),
        ("nested.zip", zip_of(("x", files[3]))),
        ("again", files[1]),
        ("no uid", dicom(study=None)),
        ("empty", b""),
    )
    answer = rest("POST", "/instances", body)
    instances = [orthanc_id("P", "1.2", "1.2.3", f"7.{n}") for n in (1, 0, 2, 1)]
    assert [one["ID"] for one in answer.json()] == instances
    assert [one["Status"] for one in answer.json()] == ["Success", "Success", "Success", "AlreadyStored"]
    assert rest("GET", f"/instances/{instances[0]}/file").content == files[1]
    assert rest.json("/statistics")["CountInstances"] == 3


@pytest.mark.parametrize(
    "body", [zip_of(), zip_of(("a", b"text")), zip_of(("a", b"")), b"PK\5\6" + bytes(18), zip_of(("dir/", b""))]
)
def test_archives_without_files(rest: Rest, body: bytes) -> None:
    answer = rest("POST", "/instances", body)
    assert (answer.status_code, answer.json()) == (200, [])


def test_sound_archives_of_all_kinds(rest: Rest) -> None:
    big = BytesIO()
    with zipfile.ZipFile(big, "w") as archive, archive.open("a", "w", force_zip64=True) as member:
        member.write(dicom())
    bodies = [
        big.getvalue(),
        zip_of(("a", dicom()), method=zipfile.ZIP_STORED),
        zip_of(("a", dicom())) + b"trailing",
        b"PK\7\x08" + zip_of(("a", dicom())),
        zip_of(("n" * 3000, dicom()), ("é中", dicom()), ("a\0b", dicom())),
    ]
    for number, body in enumerate(bodies):
        answer = rest("POST", "/instances", body)
        assert answer.status_code == 200, number
        assert {one["Status"] for one in answer.json()} == {"Success"}


def patched(archive: bytes, form: str, in_directory: int, *value: int) -> bytes:
    """Return the archive with a field of its last entry in the central directory overwritten."""
    changed = bytearray(archive)
    struct.pack_into(form, changed, archive.rindex(b"PK\1\2") + in_directory, *value)
    return bytes(changed)


GOOD = dicom(instance="8.1")
ARCHIVE = zip_of(("good", dicom(instance="8.2")), ("bad", GOOD))
STORED = zip_of(("good", dicom(instance="8.2")), ("bad", GOOD), method=zipfile.ZIP_STORED)


@pytest.mark.parametrize(
    "body",
    [
        patched(ARCHIVE, "<I", 24, len(GOOD) + 100),
        patched(ARCHIVE, "<I", 24, len(GOOD) - 100),
        patched(ARCHIVE, "<I", 24, 0xC0000000),
        patched(ARCHIVE, "<I", 20, 1 << 20),
        patched(ARCHIVE, "<I", 20, 20),
        patched(ARCHIVE, "<I", 16, 123),
        patched(ARCHIVE, "<I", 42, 5),
        patched(ARCHIVE, "<I", 42, 1 << 30),
        patched(ARCHIVE, "<H", 10, 99),
        zip_of(("good", dicom(instance="8.2")), ("bad", GOOD), method=zipfile.ZIP_LZMA),
        STORED[: STORED.rindex(b"PK\3\4") + 60] + b"\xff" + STORED[STORED.rindex(b"PK\3\4") + 61 :],
    ],
    ids=[
        "longer",
        "shorter",
        "3 GB",
        "packed longer",
        "packed shorter",
        "crc",
        "offset",
        "away",
        "method",
        "lzma",
        "bit",
    ],
)
def test_a_damaged_archive_is_refused_as_a_whole(rest: Rest, body: bytes) -> None:
    answer = rest("POST", "/instances", body)
    status, code, details = error_of(answer)
    assert (status, code) == (400, 15)
    assert details in (DAMAGED, "The ZIP archive unpacks to too much", "The ZIP archive has members that overlap")
    assert count(rest) == 0


@pytest.mark.parametrize(
    "body", [ARCHIVE[: len(ARCHIVE) // 2], b"PK\3\4" + bytes(500), patched(ARCHIVE, "<4s", 0, b"PKxx")]
)
def test_what_has_no_directory_is_refused(rest: Rest, body: bytes) -> None:
    assert error_of(rest("POST", "/instances", body)) == (400, 15, "Cannot open ZIP archive from memory buffer")


def contents(body: bytes, **limits: int) -> Sequence[bytes]:
    return list(members_of(body, UploadLimits(**limits), ThreadExecutor(SystemClock())))


def test_limits() -> None:
    zeros = bytes(100_000)
    body = zip_of(*((str(n), zeros) for n in range(5)))
    assert contents(body) == [zeros] * 5
    assert contents(body, size=500_000, ratio=0) == [zeros] * 5
    for limits in ({"size": 499_999, "ratio": 1}, {"size_of_file": 99_999}, {"members": 4}):
        with pytest.raises(OrthancError, match="The ZIP archive "):
            contents(body, **limits)


@pytest.mark.parametrize("times", [2, 1000])
def test_members_that_share_their_bytes_are_refused(times: int) -> None:
    target = BytesIO()
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a", bytes(1000))
        archive.filelist *= times
    with pytest.raises(OrthancError, match="The ZIP archive has members that overlap"):
        contents(target.getvalue())


def test_a_member_inside_another_one_is_refused() -> None:
    """As in the archives that unpack to a million times their size, each member contains those that follow it."""
    inner = zip_of(("inner", bytes(50)), method=zipfile.ZIP_STORED)
    target = BytesIO()
    with zipfile.ZipFile(target, "w") as archive:
        archive.writestr("a", inner)
        archive.writestr("b", bytes(50))
        archive.filelist[1].header_offset = target.getvalue().index(b"inner") - 30
    with pytest.raises(OrthancError, match="The ZIP archive has members that overlap"):
        contents(target.getvalue())


@given(data=st.data())
@settings(examples(300), suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_damage_to_an_archive(data: Any) -> None:
    body = bytearray(data.draw(st.sampled_from([ARCHIVE, STORED, zip_of(("x", b"hello" * 30_000), ("y", GOOD))])))
    for _ in range(data.draw(st.integers(1, 4))):
        body[data.draw(st.integers(4, len(body) - 1))] = data.draw(st.integers(0, 255))
    body = body[: data.draw(st.integers(4, len(body)))] if data.draw(st.booleans()) else body
    assert is_zip(bytes(body))
    try:
        contents(bytes(body))
    except OrthancError as error:
        assert error.code == 15  # noqa: PT017 # a refusal is as good as an answer
