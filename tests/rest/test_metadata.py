"""Metadata: rest-core §6."""

from __future__ import annotations

import hashlib
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.rest.checks import error_of, is_empty, is_nothing
from tests.rest.conftest import Ids, Rest

UID = "1.2.840.10008.1.2.1"
NO_NUMBER = "Syntax error in some user-supplied data"


def etag(value: str, revision: int = 0) -> str:
    return f'"{revision}-{hashlib.md5(value.encode()).hexdigest()}"'


def test_names_are_listed_by_number(library: Rest, ids: Ids) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata"
    names = library.json(path)
    assert names[:4] == ["IndexInSeries", "ReceptionDate", "RemoteAET", "Origin"]
    assert {"TransferSyntax", "SopClassUid", "RemoteIP", "HttpUsername", "MainDicomTagsSignature"} <= set(names)
    numbers = library.json(f"{path}?numeric")
    assert numbers == sorted(numbers)
    assert numbers[:4] == [1, 2, 3, 8]
    assert library.json(f"{path}?expand=false") == names
    assert library.json(f"{path}?expand")["TransferSyntax"] == UID
    assert library.json(f"{path}?expand&numeric")["9"] == UID


@pytest.mark.parametrize("level", ["patients/<ALPHA>", "studies/<1.1>"])
def test_metadata_of_parents(library: Rest, ids: Ids, level: str) -> None:
    assert library.json(ids.fill(f"/{level}/metadata")) == ["LastUpdate", "MainDicomTagsSignature"]


@pytest.mark.parametrize(("name", "value"), [("TransferSyntax", UID), ("9", UID), ("Origin", "RestApi"), ("1", "1")])
def test_read_one(library: Rest, ids: Ids, name: str, value: str) -> None:
    answer = library("GET", f"/instances/{ids['1.1.1.1']}/metadata/{name}")
    assert (answer.status_code, answer.text) == (200, value)
    assert answer.headers["Content-Type"] == "text/plain"
    assert answer.headers["ETag"] == etag(value)


@pytest.mark.parametrize("name", ["LastUpdate", "0", "-1", "99", "1023", "1024", "65535", "65536", "quality"])
def test_absent_is_bare(library: Rest, ids: Ids, name: str) -> None:
    assert is_empty(library("GET", f"/instances/{ids['1.1.1.1']}/metadata/{name}"), 404)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/instances/<1.1.1.1>/metadata/Foo", (404, 7, "")),
        ("GET", "/instances/<1.1.1.1>/metadata/origin", (404, 7, "")),
        ("GET", "/instances/nope/metadata/Foo", (404, 7, "")),
        ("GET", "/instances/<1.1.1.1>/metadata/1024a", (404, 7, "")),
        ("GET", "/instances/<1.1.1.1>/metadata/%201024", (400, 5, NO_NUMBER)),
        ("PUT", "/instances/<1.1.1.1>/metadata/1024+", (400, 5, NO_NUMBER)),
        ("GET", "/instances/<1.1.1.1>/metadata/99999999999", (400, 5, NO_NUMBER)),
        ("PUT", "/instances/<1.1.1.1>/metadata/Foo", (404, 7, "")),
        ("DELETE", "/instances/<1.1.1.1>/metadata/Foo", (404, 7, "")),
        ("GET", "/instances/nope/metadata", (404, 17, "")),
        ("GET", "/studies/<1.1.1.1>/metadata", (404, 17, "")),
        ("GET", "/instances/nope/metadata/Origin", (404, 17, "")),
        ("GET", "/instances/<1.1.1>/metadata/LastUpdate", (404, 17, "")),
        ("PUT", "/instances/nope/metadata/quality", (404, 17, "")),
        ("DELETE", "/instances/nope/metadata/quality", (404, 17, "")),
        ("DELETE", "/instances/<1.1.1.1>/metadata/quality", (404, 17, "")),
    ],
)
def test_errors(library: Rest, ids: Ids, method: str, path: str, expected: tuple[int, int, str]) -> None:
    assert error_of(library(method, ids.fill(path), b"x" if method == "PUT" else None)) == expected


@pytest.mark.parametrize("method", ["PUT", "DELETE"])
@pytest.mark.parametrize("name", ["Origin", "LastUpdate", "ModifiedFrom", "9", "0", "-1", "1000", "1023", "65536"])
def test_system_metadata_cannot_be_written(library: Rest, ids: Ids, method: str, name: str) -> None:
    assert is_empty(library(method, f"/instances/{ids['1.1.1.1']}/metadata/{name}", b"x"), 403)


@pytest.mark.parametrize(("written", "shown"), [("quality", "quality"), ("1025", "reader"), ("1030", "1030")])
def test_write_read_delete(filled: Rest, ids: Ids, written: str, shown: str) -> None:
    path = f"/series/{ids['1.1.1']}/metadata"
    answer = filled("PUT", f"{path}/{written}", "höch")
    assert is_nothing(answer)
    assert answer.headers["ETag"] == etag("höch")
    assert filled("GET", f"{path}/{written}").content.decode() == "höch"
    assert filled.json(path)[-1] == shown
    assert filled.json(f"{path}?expand")[shown] == "höch"
    assert filled("PUT", f"{path}/{shown}", "2").headers["ETag"] == etag("2", revision=1)
    assert filled("GET", f"{path}/{shown}").headers["ETag"] == etag("2")
    assert is_nothing(filled("DELETE", f"{path}/{shown}"))
    assert is_empty(filled("GET", f"{path}/{shown}"), 404)


@pytest.mark.parametrize("value", [b"", b"\xff\xfe\x00binary\r\n", "ü".encode()])
def test_any_bytes_come_back(filled: Rest, ids: Ids, value: bytes) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
    filled("PUT", path, value)
    assert filled("GET", path).content == value
    assert filled.json(f"/instances/{ids['1.1.1.1']}/metadata?expand")["quality"] is not None


def test_a_change_is_logged_for_user_metadata(filled: Rest, ids: Ids) -> None:
    # The level in the path is not checked on writing, as in Orthanc.
    filled("PUT", f"/studies/{ids['1.1.1']}/metadata/quality", "good")
    (change,) = filled.json("/changes?last")["Changes"]
    assert (change["ChangeType"], change["ID"], change["ResourceType"]) == ("UpdatedMetadata", ids["1.1.1"], "Series")


NO_ETAG = "HTTP header should contain the ETag (revision followed by MD5 hash), but found: "


@pytest.mark.parametrize(
    ("method", "headers", "expected"),
    [
        ("GET", {"If_None_Match": "foo"}, (400, 3, f'The "If-None-Match" {NO_ETAG}foo')),
        ("GET", {"If_None_Match": '"x-1"'}, (400, 3, f'The "If-None-Match" {NO_ETAG}x-1')),
        ("GET", {"If_None_Match": '"-1-b"'}, (400, 3, f'The "If-None-Match" {NO_ETAG}-1-b')),
        ("GET", {"If_None_Match": '"'}, (400, 3, f'The "If-None-Match" {NO_ETAG}')),
        ("GET", {"If_None_Match": '""'}, (400, 3, f'The "If-None-Match" {NO_ETAG}')),
        ("PUT", {"If_Match": "x"}, (400, 3, f'The "if-match" {NO_ETAG}x')),
        ("PUT", {"If_Match": '"0-x"'}, (409, 43, "")),
        ("PUT", {"If_Match": etag("v", revision=1)}, (409, 43, "")),
        ("DELETE", {"If_Match": "x"}, (400, 3, f'The "if-match" {NO_ETAG}x')),
        ("DELETE", {"If_Match": '"0-x"'}, (409, 43, "")),
    ],
)
def test_revisions_refused(
    filled: Rest, ids: Ids, method: str, headers: dict[str, str], expected: tuple[int, int, str]
) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
    filled("PUT", path, "v")
    assert error_of(filled(method, path, b"w", **headers)) == expected
    assert filled("GET", path).text == "v"


@pytest.mark.parametrize("header", [etag("v"), f" {etag('v')} ", etag("v").strip('"')])
def test_unchanged_value_is_not_sent_again(filled: Rest, ids: Ids, header: str) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
    filled("PUT", path, "v")
    answer = filled("GET", path, If_None_Match=header.strip())
    assert is_empty(answer, 304)
    assert answer.headers["ETag"] == etag("v")
    assert filled("GET", path, If_None_Match='"0-other"').text == "v"


def test_matching_revision_may_write(filled: Rest, ids: Ids) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
    filled("PUT", path, "v", If_Match='"0-whatever"')  # nothing is there yet
    assert filled("PUT", path, "w", If_Match=etag("v")).headers["ETag"] == etag("w", revision=1)
    assert is_nothing(filled("DELETE", path, If_Match=etag("w")))


def test_of_two_writers_at_once_one_is_refused(filled: Rest, ids: Ids) -> None:
    path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
    filled("PUT", path, "v")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda number: filled("PUT", path, f"{number}", If_Match=etag("v")), range(8)))
    assert sorted(answer.status_code for answer in answers) == [200, *[409] * 7]
    winner = next(number for number, answer in enumerate(answers) if answer.status_code == 200)
    assert filled("GET", path).text == str(winner)


class TestCheckRevisions:
    @pytest.fixture
    def options(self) -> dict[str, Any]:
        return {"CheckRevisions": True}

    def test_writing_over_needs_the_revision(self, filled: Rest, ids: Ids) -> None:
        missing = 'HTTP header "If-Match" is missing, as "CheckRevisions" is "true"'
        path = f"/instances/{ids['1.1.1.1']}/metadata/quality"
        assert is_nothing(filled("PUT", path, "v"))
        assert error_of(filled("PUT", path, "w")) == (409, 43, "")
        assert error_of(filled("DELETE", path)) == (409, 43, missing)
        assert is_nothing(filled("PUT", path, "w", If_Match=etag("v")))
        assert is_nothing(filled("DELETE", path, If_Match=etag("w")))
        assert error_of(filled("DELETE", path)) == (409, 43, missing)
        assert error_of(filled("DELETE", path, If_Match=etag("w"))) == (404, 17, "")
