"""Answers, fields of the body and generated tags: create-dicom.md §1, 2, 4 and 10."""

from __future__ import annotations

import json
import re
from typing import Any

import pydicom
import pytest
from pydicom.filebase import DicomBytesIO

import orthanc_lab
from orthanc_lab.protocol.ports import ManualClock, SeededIdentifiers
from tests.create.creator import Creator, Refusal, data_uri, text
from tests.create.pictures import picture

PNG = data_uri(picture("L"))


def test_the_answer_of_one_instance_is_that_of_an_upload(creator: Creator) -> None:
    answer = creator.answer({"Tags": {"PatientName": "A"}})
    assert sorted(answer) == ["ID", "ParentPatient", "ParentSeries", "ParentStudy", "Path", "Status"]
    assert answer["Path"] == f"/instances/{answer['ID']}"
    assert answer["Status"] == "Success"
    resource = creator.session.get(f"{creator.url}/instances/{answer['ID']}").json()
    assert resource["ParentSeries"] == answer["ParentSeries"]


def test_the_origin_is_noted(creator: Creator) -> None:
    id = creator.answer({"Tags": {}})["ID"]
    metadata = creator.session.get(f"{creator.url}/instances/{id}/metadata?expand").json()
    assert metadata["Origin"] == "RestApi"
    assert metadata["RemoteIP"] == "127.0.0.1"
    assert metadata["HttpUsername"] == ""


def test_known_identifiers_are_stored_already(creator: Creator) -> None:
    tags = {"PatientID": "P", "StudyInstanceUID": "1.2", "SeriesInstanceUID": "1.2.3", "SOPInstanceUID": "1.2.3.4"}
    body = {"Tags": tags, "Force": True}
    assert creator.answer(body)["Status"] == "Success"
    assert creator.answer({**body, "Content": PNG})["Status"] == "AlreadyStored"
    assert creator.count() == 1


def test_generated_tags() -> None:
    clock, identifiers = ManualClock(), SeededIdentifiers(3)
    with orthanc_lab.in_process(clock=clock, identifiers=identifiers) as server:
        file = Creator(server.session, server.url).create_file()
    data_set = file.data_set
    assert text(data_set, 0x00080005) == "ISO_IR 100"
    for tag in (0x00080012, 0x00080020, 0x00080021, 0x00080022, 0x00080023):
        assert text(data_set, tag) == "20260101"
    for tag in (0x00080013, 0x00080030, 0x00080031, 0x00080032, 0x00080033):
        assert text(data_set, tag) == "000000.000000"
    assert re.fullmatch(
        "[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}", text(data_set, 0x00100020)
    )
    uids = [text(data_set, tag) for tag in (0x00080018, 0x0020000D, 0x0020000E)]
    assert len(set(uids)) == 3
    assert all(uid.startswith("2.25.") and len(uid) <= 64 for uid in uids)
    assert len(data_set) == 15
    assert text(file.meta, 0x00020002) == "1.2.276.0.7230010.3.1.0.1"
    assert text(file.meta, 0x00020003) == uids[0]
    assert file.transfer_syntax == "1.2.840.10008.1.2.1"


def test_the_class_of_the_tags_stands_in_the_meta_header(creator: Creator) -> None:
    assert text(creator.create_file({"SOPClassUID": "1.2.34"}).meta, 0x00020002) == "1.2.34"
    assert creator.create_file({"SOPClassUID": ""}).meta[0x00020002].value == b""


def test_pydicom_reads_the_file(creator: Creator) -> None:
    item = {"CodeValue": "c", "PurposeOfReferenceCodeSequence": [{"CodeMeaning": "deep"}, {}]}
    tags = {
        "PatientName": "Jérôme",
        "Rows": "2",
        "ReferencedImageSequence": [item],
        "FrameTime": "1.5",
        "0009-1001": "x",
    }
    id = creator.answer({"Tags": tags, "Content": PNG})["ID"]
    read = pydicom.dcmread(DicomBytesIO(creator.file(id)))
    assert read.PatientName == "Jérôme"
    assert read.ReferencedImageSequence[0].PurposeOfReferenceCodeSequence[0].CodeMeaning == "deep"
    assert len(read.ReferencedImageSequence[0].PurposeOfReferenceCodeSequence) == 2
    assert read.pixel_array.shape == (2, 3)


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"{", b"[]", b"null", b"5", b'"x"', b"\xff{}", b"{'Tags': {}}",
        b'{"Tags": {"PatientName": "\\ud800"}}',
        {"Tags": []}, {"Tags": None}, {"Tags": 5}, {"Tags": "x"},
        {"Tags": {}, "Force": 1}, {"Tags": {}, "Force": "true"}, {"Tags": {}, "Force": None},
        {"Tags": {}, "InterpretBinaryTags": 1}, {"Tags": {}, "PrivateCreator": 1}, {"Tags": {}, "PrivateCreator": None},
    ],
)  # fmt: skip
def test_a_body_that_is_wrong_itself(creator: Creator, body: Any) -> None:
    assert creator.refusal(body) == Refusal(400, 8)


@pytest.mark.parametrize(
    "body", [b"{} x", b'{"Tags": {},}', b'{"Tags": {} /* c */} // d', b'{"Tags": {}, "Other": [1]}']
)
def test_a_body_that_orthanc_accepts_too(creator: Creator, body: bytes) -> None:
    creator.answer(body)


@pytest.mark.parametrize(("encapsulate", "code"), [("x", -1), ([], -1), (1, 2), (True, 2), (None, 0), (0, 0)])
def test_encapsulate_is_looked_at_with_a_content_alone(creator: Creator, encapsulate: Any, code: int) -> None:
    creator.answer({"Tags": {}, "Encapsulate": encapsulate})
    creator.answer({"Tags": {}, "Encapsulate": encapsulate, "Content": []})
    body = {"Tags": {}, "Encapsulate": encapsulate, "Content": PNG}
    if code:
        assert creator.refusal(body).code == code
    else:
        creator.answer(body)


def test_errors_inside_are_documents(creator: Creator) -> None:
    answer = creator.post({"Tags": {"foo": "x"}})
    assert answer.headers["Content-Type"] == "text/plain"
    assert json.loads(answer.text)["Uri"] == "/tools/create-dicom"
