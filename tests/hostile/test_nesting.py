"""JSON and DICOM sequences nested far deeper than anybody means."""

from __future__ import annotations

import struct
from typing import Any

import pytest

import orthanc_lab
from tests.hostile.asking import ask, count, refusal
from tests.rest.files import dicom_file

SEQUENCE = struct.pack("<HH2s2x", 0x0008, 0x1115, b"SQ")  # ReferencedSeriesSequence
ITEM, ITEM_END, SEQUENCE_END = (struct.pack("<HH", 0xFFFE, element) for element in (0xE000, 0xE00D, 0xE0DD))
ENDLESS, NOTHING = b"\xff" * 4, bytes(4)
VIEWS = [
    "/tags", "/tags?short", "/simplified-tags", "/header", "/content", "/content/ReferencedSeriesSequence",
    "/content/0008-1115/0/0008-1115/0", "/file", "/frames", "/metadata?expand",
]  # fmt: skip


def nested_json(depth: int) -> dict[str, Any]:
    tags: dict[str, Any] = {"PatientName": "Deep"}
    for _ in range(depth):
        tags = {"ReferencedSeriesSequence": [tags]}
    return tags


def nested_file(depth: int, *, lengths: bool) -> bytes:
    """Return a DICOM file with a sequence in a sequence in a sequence …, of known lengths or without."""
    inner = b""
    for _ in range(depth):
        if lengths:
            item = ITEM + struct.pack("<I", len(inner)) + inner
            inner = SEQUENCE + struct.pack("<I", len(item)) + item
        else:
            inner = SEQUENCE + ENDLESS + ITEM + ENDLESS + inner + ITEM_END + NOTHING + SEQUENCE_END + NOTHING
    content = dicom_file("deep", "1.2", "1.2.3", "1.2.3.4")
    start = content.index(struct.pack("<HH2s", 0x0010, 0x0020, b"LO"))  # the element after it
    return content[:start] + inner + content[start:]


@pytest.mark.parametrize("lengths", [True, False])
def test_sequences_in_a_file(server: orthanc_lab.ChildServer, lengths: bool) -> None:
    content = nested_file(40, lengths=lengths)
    stored = ask(server, "POST", "/instances", data=content)
    assert stored.status_code == 200
    instance = stored.json()["Path"]
    for view in VIEWS:
        assert ask(server, "GET", instance + view).status_code == 200, view
    assert ask(server, "GET", f"{instance}/file").content == content
    assert ask(server, "GET", f"{instance}/tags?short").text.count("0008,1115") == 40
    changed = ask(server, "POST", f"{instance}/modify", json={"Replace": {"PatientName": "Changed"}})
    assert changed.content.count(SEQUENCE[:4]) == 40
    assert ask(server, "POST", f"{instance}/anonymize", json={}).status_code == 200
    medium = ask(server, "POST", "/tools/create-media-extended", json=[stored.json()["ID"]])
    assert medium.status_code == 200


@pytest.mark.parametrize("lengths", [True, False])
@pytest.mark.parametrize("depth", [49, 1000, 5000])
def test_sequences_without_end_in_a_file(server: orthanc_lab.ChildServer, depth: int, lengths: bool) -> None:
    answer = ask(server, "POST", "/instances", data=nested_file(depth, lengths=lengths))
    assert refusal(answer) == (400, 15)
    assert count(server) == 0


def test_sequences_in_create_dicom(server: orthanc_lab.ChildServer) -> None:
    made = ask(server, "POST", "/tools/create-dicom", json={"Tags": nested_json(40)})
    assert made.status_code == 200
    for view in VIEWS:
        assert ask(server, "GET", made.json()["Path"] + view).status_code == 200, view


@pytest.mark.parametrize("action", ["modify", "anonymize"])
def test_sequences_in_a_modification(server: orthanc_lab.ChildServer, action: str) -> None:
    made = ask(server, "POST", "/tools/create-dicom", json={"Tags": {}}).json()
    body = {"Replace": nested_json(40), "Force": True}
    answer = ask(server, "POST", f"{made['Path']}/{action}", json=body)
    assert answer.status_code == 200 or refusal(answer)[0] in (400, 500)


@pytest.mark.parametrize("path", ["/tools/find", "/tools/count-resources"])
def test_queries(server: orthanc_lab.ChildServer, path: str) -> None:
    answer = ask(server, "POST", path, json={"Level": "Study", "Query": nested_json(40)})
    assert refusal(answer)[0] == 400
