"""Lists that do not fit in one batch."""

from __future__ import annotations

import json

import pytest

from orthanc_lab.protocol import house_json
from orthanc_lab.queries import batches
from tests.rest.conftest import Rest


@pytest.mark.parametrize("batch", [1, 2, 4, 5, 6])
@pytest.mark.parametrize(
    "call",
    [
        ("GET", "/instances?expand", None),
        ("GET", "/instances?expand&short&since=1&limit=3", None),
        ("GET", "/studies?expand&requested-tags=NumberOfStudyRelatedInstances;Rows", None),
        ("POST", "/tools/find", {"Level": "Instance", "Query": {}, "Expand": True}),
        ("POST", "/tools/find", {"Level": "Instance", "Query": {}, "Since": 1, "Limit": 3, "ResponseContent": []}),
        ("POST", "/tools/find", {"Level": "Instance", "Query": {"Rows": "64"}, "Expand": True}),
        ("POST", "/tools/find", {"Level": "Study", "Query": {"ModalitiesInStudy": "MR"}, "Expand": True}),
        ("POST", "/tools/find", {"Level": "Study", "Query": {"PatientID": "nobody"}, "Expand": True}),
    ],
)
def test_batches_do_not_show(
    library: Rest, monkeypatch: pytest.MonkeyPatch, batch: int, call: tuple[str, str, object]
) -> None:
    whole = library(*call)
    monkeypatch.setattr(batches, "BATCH", batch)
    pieces = library(*call)
    assert pieces.content == whole.content
    assert pieces.headers["Content-Type"] == "application/json; charset=utf-8"
    assert pieces.text == house_json.dumps(json.loads(pieces.text))


def test_batches_as_xml(library: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = library("GET", "/series?expand", Accept="application/xml")
    monkeypatch.setattr(batches, "BATCH", 2)
    assert library("GET", "/series?expand", Accept="application/xml").content == whole.content
    assert whole.text.count("<ParentStudy>") == 4
