"""The warnings of the option ``Warnings``: in the log as the real server writes them, unless they are switched off."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc

FILE = samples.dicom_files("mr/t1")[0].read_bytes()
REQUESTS: list[dict[str, Any]] = [
    {"Level": "Study", "RequestedTags": ["Manufacturer", "StudyDescription", "Rows", "Columns"]},
    {"Level": "Patient", "RequestedTags": ["StudyDescription", "SeriesDescription", "SOPInstanceUID"]},
    {"Level": "Instance", "RequestedTags": ["TransferSyntaxUID", "MediaStorageSOPClassUID"]},
    {"Level": "Series", "RequestedTags": ["SOPClassUID"]},
    {"Level": "Study", "RequestedTags": ["ModalitiesInStudy", "PatientName"]},
    {"Level": "Instance", "Query": {"Rows": "5"}},
]
SEARCHED = (
    'W007: Unable to include requested tags since "StorageAccessOnFind" does not allow accessing the storage '
    "to build answers: 0028,0010"
)


def fill(server: Any, session: requests.Session) -> None:
    instance = session.post(f"{server.url}/instances", data=FILE, timeout=30).json()["ID"]
    for request in REQUESTS:
        body = {"Query": {}, "Expand": True, **request}
        assert session.post(f"{server.url}/tools/find", json=body, timeout=30).ok, body
    session.get(f"{server.url}/studies?expand&requested-tags=Rows", timeout=30)
    session.get(f"{server.url}/instances/{instance}/frames/5/preview", timeout=30)


def warnings(log: str) -> list[str]:
    return re.findall(r"\] (W0\d\d: .*)", log)


def ours(**options: Any) -> list[str]:
    with orthanc_lab.serve(process=True, **options) as server:
        fill(server, server.session)
        return warnings(server.log.read_text())


@pytest.fixture(params=["Always", "Never"])
def access(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.mark.real
def test_as_the_real_server(access: str, real_program: str) -> None:
    options = {"StorageAccessOnFind": access, "KeepAliveTimeout": 60}  # a pause of a busy machine closes no connection
    with RealOrthanc(**options) as server, requests.Session() as session:
        fill(server, session)
        expected = warnings(server.log)
    assert {text[:4] for text in expected} >= {"W003", "W005", "W006", {"Always": "W001", "Never": "W007"}[access]}
    # Where a search cannot look into files, the real server warns of it even if it finds nothing.
    left = [text for text in expected if text != SEARCHED or access == "Always"]
    found = [text for text in ours(StorageAccessOnFind=access) if text != SEARCHED or access == "Always"]
    assert sorted(found) == sorted(left)


def test_each_is_switched_off_by_its_name(access: str) -> None:
    off = {"W001_TagsBeingReadFromStorage": False, "W005_RequestingTagFromLowerResourceLevel": 0}
    left = ours(StorageAccessOnFind=access, Warnings=json.loads(json.dumps(off)))
    assert left
    assert not [text for text in left if text[:4] in ("W001", "W005")]
