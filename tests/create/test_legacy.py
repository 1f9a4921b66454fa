"""The body of the first versions, and private tags: create-dicom.md §9 and 11."""

from __future__ import annotations

from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.dicom.files.data_set import DataSet
from tests.create.creator import DICTIONARY, Creator, Refusal, data_uri, text
from tests.create.pictures import picture


def legacy(creator: Creator, body: dict[str, Any]) -> DataSet:
    return creator.files(creator.answer(body)["Path"])[0].data_set


def test_only_identifiers_are_generated(creator: Creator) -> None:
    assert sorted(legacy(creator, {})) == [0x00080018, 0x00100020, 0x0020000D, 0x0020000E]


def test_tags_are_set_in_the_order_of_their_names(creator: Creator) -> None:
    data_set = legacy(creator, {"PixelData": data_uri(picture("L")), "Rows": "7", "Columns": "9", "PatientName": "é"})
    assert data_set[0x00280010].value == b"\7\0"
    assert data_set[0x00280011].value == b"\3\0"
    assert data_set[0x00100010].value == b"\xe9 "


def test_everything_may_be_overridden(creator: Creator) -> None:
    data_set = legacy(creator, {"StudyInstanceUID": "1.2", "PatientID": "P", "SpecificCharacterSet": "foo"})
    assert text(data_set, 0x0020000D) == "1.2"
    assert text(data_set, 0x00080005) == "foo"


def test_data_uris_are_texts_but_for_pixel_data(creator: Creator) -> None:
    raw = "data:application/octet-stream;base64,QUI="
    assert legacy(creator, {"PatientName": raw})[0x00100010].value == raw.encode() + b" "
    assert legacy(creator, {"0042-0011": raw})[0x00420011].value == raw.encode() + b"\0"
    assert text(legacy(creator, {"PixelData": data_uri(b"%PDF-", "application/pdf")}), 0x00080060) == "OT"


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"PatientName": 5}, Refusal(400, 2019)),
        ({"PatientName": None}, Refusal(400, 2019)),
        ({"Force": True}, Refusal(400, 2019)),
        ({"tags": {}}, Refusal(400, 2019)),
        ({"Content": "x"}, Refusal(500, 27, "Content")),
        ({"Parent": "x"}, Refusal(500, 27, "Parent")),
        ({"PixelData": "x"}, Refusal(400, 15)),
        ({"PixelData": "data:foo/bar;base64,AA"}, Refusal(400, 3)),
        ({"0009-1001": "x"}, Refusal(500, -1, "Cannot apply this function to private tags: 0009,1001")),
    ],
)
def test_refusals(creator: Creator, body: dict[str, Any], refusal: Refusal) -> None:
    assert creator.refusal(body) == refusal
    assert creator.count() == 0


TAGS = {"0405-0010": "My Company", "0405-1001": "<xml/>"}


def test_private_tags_of_the_dictionary(creator: Creator) -> None:
    data_set = creator.create(TAGS, PrivateCreator="My Company")
    assert data_set[0x04050010] == ("LO", b"My Company")
    assert data_set[0x04051001] == ("ST", b"<xml/>")
    assert creator.create({"MyPrivateXMLTag": "x"}, PrivateCreator="My Company")[0x04051001] == ("ST", b"x ")


@pytest.mark.parametrize("fields", [{}, {"PrivateCreator": ""}, {"PrivateCreator": "Other"}])
def test_private_tags_of_nobody(creator: Creator, fields: dict[str, str]) -> None:
    data_set = creator.create({**TAGS, "0009-1001": "abc"}, **fields)
    assert data_set[0x04050010] == ("UN", b"My Company")
    assert data_set[0x04051001] == ("UN", b"<xml/>")
    assert data_set[0x00091001] == ("UN", b"abc\0")


def test_no_creator_is_added(creator: Creator) -> None:
    assert 0x04050010 not in creator.create({"0405-1001": "x"}, PrivateCreator="My Company")


def test_the_short_form_of_a_private_tag_is_taken_literally(creator: Creator) -> None:
    assert 0x04050002 in creator.create({"0405,02": "x"}, PrivateCreator="My Company")


def test_private_sequences(creator: Creator) -> None:
    item = {"0405-1001": "x", "0405-1003": "5"}
    data_set = creator.create({"0405-1002": [item]}, PrivateCreator="My Company")
    assert data_set[0x04051002] == ("SQ", [{0x04051001: ("ST", b"x "), 0x04051003: ("US", b"\5\0")}])
    refusal = creator.refusal({"Tags": {"0405-1002": [item]}})
    assert refusal == Refusal(400, 5, "Bad Parameter type for tag 0405,1002")


def test_the_default_private_creator() -> None:
    with orthanc_lab.in_process(Dictionary=DICTIONARY, DefaultPrivateCreator="My Company") as server:
        creator = Creator(server.session, server.url)
        assert creator.create(TAGS)[0x04051001].vr == "ST"
        assert creator.create(TAGS, PrivateCreator="")[0x04051001].vr == "UN"
