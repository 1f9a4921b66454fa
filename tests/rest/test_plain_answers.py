"""Answers that are found without Falcon are those that Falcon gives."""

from __future__ import annotations

import gzip
import re
from typing import Any

import pytest
import requests

from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from tests.rest.conftest import Rest


def _comparable(answer: requests.Response) -> tuple[Any, ...]:
    text = re.sub(r'"Timestamp" : "\w+(\.\d+)?"|(?m: \d+$)', "", answer.text)  # the time of the answer
    return answer.status_code, list(answer.headers), answer.headers["Content-Type"], text


@pytest.mark.parametrize("path", ["/system", "/statistics", "/tools/metrics-prometheus", "JOB"])
@pytest.mark.parametrize("way", ["?any", "/", "//"])
def test_the_same_as_with_an_argument_that_means_nothing(filled: Rest, path: str, way: str) -> None:
    if path == "JOB":
        filled("POST", f"/studies/{filled.json('/studies')[0]}/modify", {"Replace": {"StudyDescription": "x"}})
        path = f"/jobs/{filled.json('/jobs')[0]}"
    plain = filled("GET", path)
    assert plain.status_code == 200
    other = filled("GET", path + way)
    assert _comparable(plain) == _comparable(other)
    assert int(plain.headers["Content-Length"]) == len(plain.content)


@pytest.mark.parametrize("path", ["/jobs/unknown", "/jobs/%C3%A9", "/jobs/", "/systems", "/system/x"])
def test_what_is_not_found(filled: Rest, path: str) -> None:
    assert filled("GET", path).status_code == filled("GET", f"{path}?any").status_code


@pytest.mark.parametrize("path", ["/system", "/statistics"])
def test_xml(filled: Rest, path: str) -> None:
    assert filled("GET", path, Accept="application/xml").content.startswith(b"<?xml")


@pytest.mark.parametrize(
    "options",
    [{"HttpCompressionEnabled": True, "UserMetadata": {f"name-{number}": number for number in range(2000, 2100)}}],
)
def test_compressed(rest: Rest) -> None:
    answer = rest("GET", "/system", Accept_Encoding="gzip")
    assert answer.headers["Content-Encoding"] == "gzip"


def test_after_a_switch(filled: Rest) -> None:
    assert filled("GET", "/tools/metrics-prometheus").content
    filled("PUT", "/tools/metrics", "0")
    answer = filled("GET", "/tools/metrics-prometheus")
    assert (answer.content, answer.headers["Content-Length"]) == (b"", "0")


_FILE, _LARGE = dicom(), dicom(pixels=LARGE)


@pytest.mark.parametrize("headers", [{}, {"Content_Type": "application/dicom"}, {"Authorization": "Basic bWU6"}])
@pytest.mark.parametrize("body", [_FILE, _LARGE, gzip.compress(_FILE, mtime=0)], ids=["small", "large", "gzip"])
def test_uploads(filled: Rest, body: bytes, headers: dict[str, str]) -> None:
    if body.startswith(b"\x1f\x8b"):
        headers = {**headers, "Content_Encoding": "gzip"}
    stored = []
    for path in ("/instances", "/instances?any"):
        first, second = filled("POST", path, body, **headers), filled("POST", path, body, **headers)
        assert [answer.json()["Status"] for answer in (first, second)] == ["Success", "AlreadyStored"]
        instance = f"/instances/{first.json()['ID']}"
        metadata = {**filled.json(f"{instance}/metadata?expand"), "ReceptionDate": ""}
        size, file = filled.json(f"{instance}/attachments/dicom/size"), filled("GET", f"{instance}/file").content
        stored.append((list(first.headers), first.content, second.content, metadata, size, file))
        filled("DELETE", instance)
    assert stored[0] == stored[1]


@pytest.mark.parametrize("body", [b"", b"no DICOM file", dicom(study=""), b"PK\3\4 is no archive"])
def test_what_is_no_file(filled: Rest, body: bytes) -> None:
    plain, other = filled("POST", "/instances", body), filled("POST", "/instances?any", body)
    assert plain.status_code == other.status_code != 200
    assert (plain.headers, plain.content) == (other.headers, other.content)
