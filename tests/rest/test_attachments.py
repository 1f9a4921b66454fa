"""Attachments: rest-core §6."""

from __future__ import annotations

import hashlib
from typing import Any

import pytest

from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Ids, Rest
from tests.rest.files import dicom_file

OPERATIONS = [
    "compress",
    "compressed-data",
    "compressed-md5",
    "compressed-size",
    "data",
    "info",
    "is-compressed",
    "md5",
    "size",
    "uncompress",
    "verify-md5",
]


def md5(value: bytes) -> str:
    return hashlib.md5(value).hexdigest()


def etag(value: bytes, revision: int = 0) -> str:
    return f'"{revision}-{md5(value)}"'


@pytest.fixture
def notes(filled: Rest, ids: Ids) -> str:
    """Path of an attachment of five bytes."""
    path = f"/instances/{ids['1.1.1.1']}/attachments/notes"
    filled("PUT", path, b"hello")
    return path


def test_the_dicom_file(rest: Rest) -> None:
    file = dicom_file("P", "1", "2", "3")
    path = f"/instances/{rest.upload(file)['ID']}"
    instance = rest.json(path)
    size = str(len(file))
    assert rest.json(f"{path}/attachments") == ["dicom"]
    assert rest.json(f"{path}/attachments?full") == {"dicom": 1}
    assert rest.json(f"{path}/attachments/dicom") == rest.json(f"{path}/attachments/1") == OPERATIONS
    assert rest.json(f"{path}/attachments/dicom/info") == {
        "CompressedMD5": md5(file),
        "CompressedSize": len(file),
        "ContentType": 1,
        "UncompressedMD5": md5(file),
        "UncompressedSize": len(file),
        "Uuid": instance["FileUuid"],
    }
    facts = {"size": size, "compressed-size": size, "md5": md5(file), "compressed-md5": md5(file), "is-compressed": "0"}
    for fact, value in facts.items():
        answer = rest("GET", f"{path}/attachments/dicom/{fact}")
        assert (answer.text, answer.headers["Content-Type"]) == (value, "text/plain")
        assert answer.headers["ETag"] == etag(file)
    for data in ("data", "compressed-data"):
        answer = rest("GET", f"{path}/attachments/dicom/{data}")
        assert answer.content == file
        assert answer.headers["Content-Type"] == "application/dicom"
        assert answer.headers["Content-Disposition"] == f'filename="{instance["FileUuid"]}"'
    answer = rest("POST", f"{path}/attachments/dicom/verify-md5")
    assert (answer.content, answer.headers["Content-Type"]) == (b"{}", "application/json")


def test_a_patient_has_none(library: Rest, ids: Ids) -> None:
    assert library.json(f"/patients/{ids['ALPHA']}/attachments") == []
    assert library.json(f"/patients/{ids['ALPHA']}/attachments?full") == {}


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/instances/nope/attachments", (404, 17, "")),
        ("GET", "/studies/<1.1.1.1>/attachments", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/Foo", (404, 7, "")),
        ("GET", "/instances/nope/attachments/Foo/data", (404, 7, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/notes", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/dicom-until-pixel-data/data", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/2", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/0", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/65536/size", (404, 17, "")),
        ("GET", "/series/<1.1.1.1>/attachments/dicom/size", (404, 17, "")),
        ("GET", "/instances/nope/attachments/dicom/data", (404, 17, "")),
        ("GET", "/instances/<1.1.1.1>/attachments/dicom/uuid", (404, 17, "")),
        ("POST", "/instances/<1.1.1.1>/attachments/Foo/compress", (404, 7, "")),
        ("POST", "/instances/<1.1.1.1>/attachments/notes/compress", (404, 17, "")),
        ("POST", "/instances/nope/attachments/dicom/verify-md5", (404, 17, "")),
        ("PUT", "/instances/<1.1.1.1>/attachments/Foo", (404, 7, "")),
        ("PUT", "/instances/nope/attachments/notes", (404, 7, "")),
        ("DELETE", "/instances/<1.1.1.1>/attachments/Foo", (404, 7, "")),
        ("DELETE", "/instances/<1.1.1.1>/attachments/notes", (404, 17, "")),
        ("DELETE", "/instances/nope/attachments/notes", (404, 17, "")),
    ],
)
def test_errors(library: Rest, ids: Ids, method: str, path: str, expected: tuple[int, int, str]) -> None:
    assert error_of(library(method, ids.fill(path), b"x" if method == "PUT" else None)) == expected


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("name", ["dicom", "1", "3", "1000", "65536", "-1"])
def test_system_attachments_cannot_be_written(library: Rest, ids: Ids, method: str, name: str) -> None:
    assert is_empty(library(method, f"/instances/{ids['1.1.1.1']}/attachments/{name}", b"x"), 403)


def test_nothing_to_verify(library: Rest, ids: Ids) -> None:
    assert is_empty(library("POST", f"/instances/{ids['1.1.1.1']}/attachments/notes/verify-md5"), 400)


@pytest.mark.parametrize(
    ("method", "operation", "allowed"),
    [("POST", "", "GET,PUT,DELETE"), ("GET", "/compress", "POST"), ("POST", "/data", "GET")],
)
def test_wrong_verbs(library: Rest, ids: Ids, method: str, operation: str, allowed: str) -> None:
    answer = library(method, f"/instances/{ids['1.1.1.1']}/attachments/dicom{operation}")
    assert is_empty(answer, 405)
    assert answer.headers["Allow"] == allowed


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("notes", ("notes", 1024, "text/plain")),
        ("1024", ("notes", 1024, "text/plain")),
        ("blob", ("blob", 1025, "application/octet-stream")),
        ("1040", ("1040", 1040, "application/octet-stream")),
    ],
)
def test_write_read_delete(filled: Rest, ids: Ids, written: str, kept: tuple[str, int, str]) -> None:
    shown, number, mime = kept
    path = f"/studies/{ids['1.1']}/attachments"
    answer = filled("PUT", f"{path}/{written}", b"first")
    assert (answer.content, answer.headers["Content-Type"]) == (b"{}", "application/json")
    assert answer.headers["ETag"] == etag(b"first")
    assert filled.json(path) == [shown]
    assert filled.json(f"{path}?full") == {shown: number}
    data = filled("GET", f"{path}/{written}/data")
    assert (data.content, data.headers["Content-Type"], data.headers["ETag"]) == (b"first", mime, etag(b"first"))
    assert filled("PUT", f"{path}/{shown}", b"second").headers["ETag"] == etag(b"second", revision=1)
    assert filled("GET", f"{path}/{shown}/data").content == b"second"
    (change,) = filled.json("/changes?last")["Changes"]
    assert (change["ChangeType"], change["ID"]) == ("UpdatedAttachment", ids["1.1"])
    assert is_nothing(filled("DELETE", f"{path}/{shown}"))
    assert filled.json(path) == []


def test_an_empty_attachment(filled: Rest, notes: str) -> None:
    filled("PUT", notes, b"")
    assert filled("GET", f"{notes}/data").content == b""
    assert filled.json(f"{notes}/info")["UncompressedSize"] == 0
    assert error_of(filled("GET", f"{notes}/data", Range="bytes=0-")) == (416, 41, "")


@pytest.mark.parametrize(
    ("header", "first", "last"),
    [
        ("bytes=1-2", 1, 2),
        ("bytes=1-", 1, 4),
        ("bytes=-2", 0, 2),  # from the start, as in Orthanc 1.12.7
        ("bytes=-0", 0, 0),
        ("bytes=-", 0, 4),
        ("bytes=a-b", 0, 4),
        ("bytes= 1 - 2 ", 1, 2),
        ("bytes=0-4", 0, 4),
        ("bytes=+1-+2", 1, 2),
        ("bytes=1-2,", 1, 4),
        ("bytes=18446744073709551616-", 0, 4),
    ],
)
def test_ranges(filled: Rest, notes: str, header: str, first: int, last: int) -> None:
    answer = filled("GET", f"{notes}/data", Range=header)
    assert answer.status_code == 206
    assert answer.content == b"hello"[first : last + 1]
    assert answer.headers["Content-Range"] == f"bytes {first}-{last}/5"
    assert answer.headers["Content-Type"] == "application/octet-stream"
    assert answer.headers["ETag"] == etag(b"hello")
    assert "Content-Disposition" not in answer.headers


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("bytes=-20", (416, 41, "")),
        ("bytes=0-5", (416, 41, "")),
        ("bytes=5-6", (416, 41, "")),
        ("bytes=5-", (416, 41, "")),
        ("bytes=0-1,2-3", (416, 41, "")),
        ("bytes=1", (416, 41, "")),
        ("items=0-1", (416, 41, "")),
        ("nonsense", (416, 41, "")),
        ("bytes =1-2", (416, 41, "")),
        ("bytes=1-2-3", (416, 41, "")),
        ("bytes=--2", (416, 41, "")),
        ("bytes=18446744073709551615-", (416, 41, "")),
        ("bytes=4-2", (500, 6, "")),
    ],
)
def test_ranges_refused(filled: Rest, notes: str, header: str, expected: tuple[int, int, str]) -> None:
    assert error_of(filled("GET", f"{notes}/data", Range=header)) == expected


@pytest.mark.parametrize(
    ("header", "expected"),
    [("bytes=1-0", (500, 6, "")), ("bytes=0-0,1-1", (416, 41, "")), ("bytes=0-0", (404, 17, ""))],
)
def test_the_range_is_read_before_the_attachment(filled: Rest, header: str, expected: tuple[int, int, str]) -> None:
    assert error_of(filled("GET", "/instances/nope/attachments/dicom/data", Range=header)) == expected


@pytest.mark.parametrize(
    ("query", "disposition"),
    [
        ("?filename=a.txt", 'filename="a.txt"'),
        ("?filename=", None),
        ("?filename=a%20b%0D%0AX-Evil:1", 'filename="a%20b%0D%0AX-Evil:1"'),
        ("?filename=a+b", 'filename="a+b"'),
    ],
)
def test_name_of_the_download(filled: Rest, notes: str, query: str, disposition: str | None) -> None:
    assert filled("GET", f"{notes}/data{query}").headers.get("Content-Disposition") == disposition


def test_compression(filled: Rest, ids: Ids) -> None:
    path = f"/instances/{ids['1.1.1.1']}/attachments/dicom"
    file = filled("GET", f"{path}/data").content
    assert filled("POST", f"{path}/compress").content == b"{}"
    info = filled.json(f"{path}/info")
    assert info["CompressedSize"] < info["UncompressedSize"] == len(file)
    assert filled("GET", f"{path}/is-compressed").text == "1"
    assert filled("GET", f"{path}/data").content == file
    compressed = filled("GET", f"{path}/compressed-data")
    assert md5(compressed.content) == info["CompressedMD5"]
    assert compressed.headers["Content-Type"] == "application/octet-stream"
    assert "Content-Disposition" not in compressed.headers
    part = filled("GET", f"{path}/compressed-data", Range="bytes=0-3")
    assert part.headers["Content-Range"] == f"bytes 0-3/{info['CompressedSize']}"
    assert error_of(filled("GET", f"{path}/compressed-data", Range="bytes=999999-")) == (400, 3, "")
    assert filled("GET", f"{path}/data", Range="bytes=128-131").content == b"DICM"
    assert filled("POST", f"{path}/verify-md5").content == b"{}"
    assert filled("POST", f"{path}/uncompress").content == b"{}"
    assert filled("GET", f"{path}/is-compressed").text == "0"
    assert filled("GET", f"{path}/compressed-data").content == file


def test_what_is_compressed_already_stays_as_it_is(filled: Rest, notes: str) -> None:
    for verb in ("compress", "uncompress"):
        filled("POST", f"{notes}/{verb}")
        before = filled.json(f"{notes}/info"), filled.json("/changes?last")["Last"]
        assert filled("POST", f"{notes}/{verb}").content == b"{}"
        assert (filled.json(f"{notes}/info"), filled.json("/changes?last")["Last"]) == before


def test_revisions(filled: Rest, notes: str) -> None:
    assert is_empty(filled("GET", f"{notes}/data", If_None_Match=etag(b"hello")), 304)
    assert is_empty(filled("GET", f"{notes}/data", If_None_Match=etag(b"hello"), Range="bytes=0-1"), 304)
    assert is_empty(filled("GET", notes, If_None_Match=etag(b"hello")), 304)
    assert filled("GET", f"{notes}/data", If_None_Match='"0-x"').content == b"hello"
    assert error_of(filled("PUT", notes, b"w", If_Match='"0-x"')) == (409, 43, "")
    assert error_of(filled("DELETE", notes, If_Match='"0-x"')) == (409, 43, "")
    assert filled("PUT", notes, b"w", If_Match=etag(b"hello")).status_code == 200
    assert is_nothing(filled("DELETE", notes, If_Match=etag(b"w")))


class TestWithoutMd5:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"StoreMD5ForAttachments": False}

    def test_there_is_nothing_to_show(self, filled: Rest, ids: Ids) -> None:
        path = f"/instances/{ids['1.1.1.1']}/attachments/dicom"
        assert filled.json(path) == [operation for operation in OPERATIONS if "md5" not in operation]
        assert filled("GET", path).headers["ETag"] == '"0-"'
        assert is_empty(filled("GET", f"{path}/md5"), 404)
        assert is_empty(filled("POST", f"{path}/verify-md5"), 400)


class TestCheckRevisions:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"CheckRevisions": True}

    def test_writing_over_needs_the_revision(self, filled: Rest, notes: str) -> None:
        missing = 'HTTP header "If-Match" is missing, as "CheckRevisions" is "true"'
        assert error_of(filled("PUT", notes, b"w")) == (409, 43, "")
        assert error_of(filled("DELETE", notes)) == (409, 43, missing)
        assert filled("PUT", notes, b"w", If_Match=etag(b"hello")).status_code == 200
        assert is_nothing(filled("DELETE", notes, If_Match=etag(b"w")))
