"""What is looked at first when several things are wrong: the same requests to our server and to the real one."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab.testing.real import RealOrthanc
from tests.rest.files import dicom_file

OPTIONS: dict[str, Any] = {
    "OrthancPeers": {"known": ["http://127.0.0.1:9/"]},
    "DicomModalities": {"known": ["A", "127.0.0.1", 9]},
}

STORE = {
    "peers": ("Transcode", "Compress", "Priority", "Synchronous", "Permissive"),
    "modalities": (
        *("LocalAet", "Host", "Port", "CalledAet", "Timeout", "MoveOriginatorAet", "MoveOriginatorID"),
        *("StorageCommitment", "Priority", "Synchronous", "Permissive"),
    ),
}

REQUESTS = (
    *[
        ("POST", f"/{kind}/{name}/store", f'{{"Resources": ["{resource}"], "{one}": {wrong}, "{other}": {wrong}}}')
        for kind, fields in STORE.items()
        for one, other in [*combinations(fields, 2), *zip(fields, fields, strict=True)]
        for name in ("none", "known")
        for wrong in ("{}", "-1")
        for resource in ("{study}", "{study}-none")
    ],
    *[("GET", f"/queries/none/answers{rest}", None) for rest in ("", "?expand=x", "/x", "/x/content", "/-1/content")],
    *[
        ("POST", f"/queries/none/answers/x/{verb}", body)
        for verb in ("retrieve", "query-studies")
        for body in ("", "[")
    ],
    *[
        ("POST", f"/studies/{study}/{verb}", body)
        for study in ("none", "{study}")
        for verb in ("split", "merge")
        for body in ("", "[", "[]", "[1]", "1", "null", "{}", '{"Resources": [1]}', '{"Series": [1]}')
    ],
    ("POST", "/tools/bulk-content", '{"Resources": ["{study}", "none", "{study}"]}'),
    *[
        ("POST", "/tools/find", f'{{"Level": "Study", "Query": {query}, "Since": 1, "OrderBy": [{order}]{more}}}')
        for query in ("{}", '{"Rows": "1"}', '{"ModalitiesInStudy": "CT"}', '{"PatientID": "A"}')
        for order in ("1", '{"Type": "DicomTag", "Key": "PatientID", "Direction": "x"}', '{"Type": "x", "Key": "y"}')
        for more in ("", ', "CaseSensitive": true', ', "RequestedTags": ["Rows"]', ', "Limit": 1')
    ],
    *[
        ("POST", "/tools/find", f'{{"Level": "Study", "Query": {{}}, "MetadataQuery": {{{criteria}}}}}')
        for number in (63, 64)
        for criteria in [", ".join(f'"{1024 + place}": "x"' for place in range(number))]
    ],
)


@pytest.fixture(scope="module")
def sides(real_program: str) -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    file = dicom_file("order", "1.2", "1.2.3", "1.2.3.4")
    with orthanc_lab.serve(**OPTIONS) as ours, RealOrthanc(**OPTIONS) as real:
        stored = [requests.post(f"{url}/instances", data=file, timeout=30).json() for url in (ours.url, real.url)]
        yield (ours.url, stored[0]["ParentStudy"]), (real.url, stored[1]["ParentStudy"])


def answer(side: tuple[str, str], verb: str, path: str, body: str | None) -> tuple[Any, ...]:
    url, study = side
    data = None if body is None else body.replace("{study}", study)
    found = requests.request(verb, url + path.replace("{study}", study), data=data, timeout=30)
    if found.status_code < 400:
        return (found.status_code, [one["ID"] for one in found.json()])
    told = found.json() if found.content else {}
    return (found.status_code, told.get("OrthancStatus"), told.get("Details"))


@pytest.mark.real
@pytest.mark.parametrize("number", range(len(REQUESTS)))
def test_the_same_is_looked_at_first(sides: tuple[tuple[str, str], tuple[str, str]], number: int) -> None:
    ours, real = (answer(side, *REQUESTS[number]) for side in sides)
    assert ours == real, REQUESTS[number]
