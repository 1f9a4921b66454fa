"""What a server offers to those that pull: lookup and chunks."""

from __future__ import annotations

import gzip
import hashlib
import json
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.testing.contracts.dicom_files import dicom
from tests.rest.checks import error_of
from tests.rest.conftest import Rest
from tests.transfers.conftest import Side

NOBODY = "00000000-00000000-00000000-00000000-00000000"


@pytest.fixture
def stored(near: Side, files: list[bytes]) -> dict[str, bytes]:
    """The files by their identifiers, sorted."""
    return dict(sorted((near.upload(file)[0], file) for file in files))


def everything(side: Side) -> list[dict[str, str]]:
    return [{"Level": "Patient", "ID": patient} for patient in side.json("/patients")]


def test_lookup(near: Side, stored: dict[str, bytes]) -> None:
    answer = near("POST", "/transfers/lookup", [*everything(near), *everything(near)])
    assert answer.headers["Content-Type"] == "application/json"
    document = answer.json()
    assert answer.content == json.dumps(document, separators=(",", ":"), sort_keys=True).encode()
    total = sum(map(len, stored.values()))
    assert document == {
        "CountInstances": len(stored),
        "Instances": [
            {"ID": id, "MD5": hashlib.md5(file).hexdigest(), "Size": str(len(file))} for id, file in stored.items()
        ],
        "Originator": document["Originator"],
        "TotalSize": str(total),
        "TotalSizeMB": (total + 2**19) // 2**20,
    }
    assert near("POST", "/transfers/lookup", []).json()["Originator"] == document["Originator"]


@pytest.mark.parametrize("level", ["instance", "Instances", "IMAGE", "images"])
def test_levels_in_any_spelling(near: Side, stored: dict[str, bytes], level: str) -> None:
    id = next(iter(stored))
    assert near("POST", "/transfers/lookup", [{"Level": level, "ID": id}]).json()["CountInstances"] == 1


def test_lookup_of_files_that_are_kept_compressed(files: list[bytes]) -> None:
    with orthanc_lab.in_process(StorageCompression=True, StoreMD5ForAttachments=False) as server:
        rest = Rest(server)
        id = rest("POST", "/instances", files[-1]).json()["ID"]
        (found,) = rest.json("/transfers/lookup", [{"Level": "Instance", "ID": id}])["Instances"]
        assert found == {"ID": id, "MD5": hashlib.md5(files[-1]).hexdigest(), "Size": str(len(files[-1]))}
        assert rest("GET", f"/transfers/chunks/{id}?offset=1000&size=5000").content == files[-1][1000:6000]


@pytest.mark.parametrize("compression", ["none", "gzip"])
def test_a_file_that_is_kept_compressed_is_read_once(compression: str) -> None:
    content = dicom(pixels=bytes(3 << 20))
    with orthanc_lab.in_process(StorageCompression=True, MaximumStorageCacheSize=0) as server:
        rest = Rest(server)
        id = rest("POST", "/instances", content).json()["ID"]
        size = int(rest("GET", f"/instances/{id}/attachments/dicom/compressed-size").text)
        before = read_bytes(rest)
        answer = rest("GET", f"/transfers/chunks/{id}?compression={compression}").content
        assert read_bytes(rest) - before == size
        assert (answer if compression == "none" else gzip.decompress(answer)) == content


def read_bytes(rest: Rest) -> int:
    text = rest("GET", "/tools/metrics-prometheus").text
    lines = (line for line in text.splitlines() if line.startswith("orthanc_storage_read_bytes "))
    return sum(int(line.split()[1]) for line in lines)  # 0 before the first one


@pytest.mark.parametrize(
    ("body", "error"),
    [
        ("", (400, 15, "")),
        ("nope", (400, 15, "")),
        ({}, (400, 15, "")),
        ([1], (400, 15, "")),
        ([[]], (400, 15, "")),
        ([{}], (400, 15, "")),
        ([{"Level": "Study"}], (400, 15, "")),
        ([{"Level": 1, "ID": NOBODY}], (400, 15, "")),
        ([{"Level": "Study", "ID": 1}], (400, 15, "")),
        ([{"Level": "foo", "ID": NOBODY}], (400, 3, "Invalid resource type 'foo'")),
        ([{"Level": "Study", "ID": NOBODY}], (404, 17, "")),
    ],
)
def test_lookups_that_are_refused(near: Side, body: Any, error: tuple[int, int, str]) -> None:
    assert error_of(near("POST", "/transfers/lookup", body)) == error


def test_an_instance_is_no_study(near: Side, stored: dict[str, bytes]) -> None:
    answer = near("POST", "/transfers/lookup", [{"Level": "Study", "ID": next(iter(stored))}])
    assert error_of(answer) == (404, 17, "")


@pytest.mark.parametrize(
    ("offset", "size"), [(0, 0), (0, 10), (0, 10**6), (3000, 9000), (7, 0), (0, 2**31 - 1), (10**8, 4), (10**8, 0)]
)
def test_chunks(near: Side, stored: dict[str, bytes], offset: int, size: int) -> None:
    whole = b"".join(stored.values())
    wanted = whole[offset : offset + size] if size else whole[offset:]
    path = f"/transfers/chunks/{'.'.join(stored)}?offset={offset}&size={size}"
    plain = near("GET", path)
    assert (plain.content, plain.headers["Content-Type"]) == (wanted, "application/octet-stream")
    packed = near("GET", f"{path}&compression=gzip", Accept_Encoding="gzip")
    assert packed.headers["Content-Type"] == "application/gzip"
    assert "Content-Encoding" not in packed.headers
    assert gzip.decompress(packed.content) == wanted
    assert packed.content[:10] == bytes([0x1F, 0x8B, 8, 0, 0, 0, 0, 0, packed.content[8], 3])


def test_chunks_in_any_order_and_twice(near: Side, stored: dict[str, bytes]) -> None:
    first, second, *_ = stored
    answer = near("GET", f"/transfers/chunks/{second}.{first}.{second}.")
    assert answer.content == stored[second] + stored[first] + stored[second]


def test_what_is_behind_the_range_is_not_looked_up(near: Side, stored: dict[str, bytes]) -> None:
    first = next(iter(stored))
    size = len(stored[first])
    assert near("GET", f"/transfers/chunks/{first}.{NOBODY}?size={size}").content == stored[first]
    assert error_of(near("GET", f"/transfers/chunks/{first}.{NOBODY}?size={size + 1}")) == (404, 17, "")


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("offset=-1", (400, 5, "")),
        ("offset=x", (400, 5, "")),
        ("size=1.5", (400, 5, "")),
        ("size=2147483648", (400, 5, "")),
        (f"size={'9' * 5000}", (400, 5, "")),
        ("compression=", (400, 3, "")),
        ("compression=GZIP", (400, 3, "")),
    ],
)
def test_queries_that_are_refused(near: Side, stored: dict[str, bytes], query: str, error: Any) -> None:
    assert error_of(near("GET", f"/transfers/chunks/{next(iter(stored))}?{query}")) == error


def test_the_last_of_two_arguments_counts(near: Side, stored: dict[str, bytes]) -> None:
    id = next(iter(stored))
    answer = near("GET", f"/transfers/chunks/{id}?size=x&foo=bar&size=3")
    assert answer.content == stored[id][:3]


@pytest.mark.parametrize("ids", [NOBODY, "abc", "xyz", "a..b", "%00", "ABCDEF"])
def test_chunks_of_nobody(near: Side, ids: str) -> None:
    answer = near("GET", f"/transfers/chunks/{ids}")
    assert answer.status_code == 404
    assert answer.json()["OrthancStatus"] == 17


def test_upper_case_is_unknown(near: Side, stored: dict[str, bytes]) -> None:
    assert error_of(near("GET", f"/transfers/chunks/{next(iter(stored)).upper()}")) == (404, 17, "")


@pytest.mark.parametrize(
    ("verb", "path", "allowed"),
    [
        ("GET", "/transfers/lookup", "POST"),
        ("POST", "/transfers/chunks/abc", "GET"),
        ("POST", "/transfers/peers", "GET"),
        ("GET", "/transfers/send", "POST"),
        ("DELETE", "/transfers/pull", "POST"),
        ("GET", "/transfers/push", "POST"),
        ("GET", "/transfers/push/abc", "DELETE"),
        ("PUT", "/transfers/push/abc/commit", "POST"),
        ("GET", "/transfers/push/abc/0", "PUT"),
    ],
)
def test_other_verbs(near: Side, verb: str, path: str, allowed: str) -> None:
    answer = near(verb, path)
    assert (answer.status_code, answer.content, answer.headers["Allow"]) == (405, b"", allowed)
    head = near("HEAD", path)
    assert (head.status_code, head.content) == (404, b"")


def test_places_that_do_not_exist(near: Side) -> None:
    for path in ("/transfers", "/transfers/foo", "/transfers/chunks", "/transfers/push/a/b/c"):
        assert error_of(near("GET", path)) == (404, 17, "")
    assert near("POST", "/transfers/lookup/", []).status_code == 200  # a final slash is tolerated
