"""Names and values of tags, the override rule: create-dicom.md §3."""

from __future__ import annotations

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.charsets import LATIN1
from orthanc_lab.dicom.files.values import JsonValues, encode_value
from orthanc_lab.protocol.errors import OrthancError
from tests.create.creator import Creator, Refusal

BINARY = "data:application/octet-stream;base64,"
VALUES = JsonValues(Dictionary(), LATIN1)


def out_of_range(tag: str, value: str) -> Refusal:
    return Refusal(400, 15, f'While creating a DICOM instance, tag ({tag}) has out-of-range value: "{value}"')


@pytest.mark.parametrize("name", ["PatientName", "0010-0010", "0010,0010", "00100010", "10,10"])
def test_names(creator: Creator, name: str) -> None:
    assert creator.create({name: "A"})[0x00100010] == ("PN", b"A ")


@pytest.mark.parametrize(
    "name",
    [
        "(0010,0010)",
        "patientid",
        "Patient ID",
        "PatientsName",
        "0010-20",
        "PatientName[0]",
        "ReferencedImageSequence[0].PatientID",
    ],
)
def test_names_that_are_none(creator: Creator, name: str) -> None:
    assert creator.refusal({"Tags": {name: "x"}}) == Refusal(500, 27, name)


@pytest.mark.parametrize(
    ("name", "value", "written"),
    [
        ("PatientName", "A^B", ("PN", b"A^B ")),
        ("PatientName", "A  ", ("PN", b"A ")),
        ("PatientName", " A", ("PN", b" A")),
        ("PatientName", "a\0b", ("PN", b"a ")),
        ("PatientName", "山田^é", ("PN", b"^\xe9")),
        ("PatientName", None, ("PN", b"")),
        ("PatientName", BINARY + "6Q==", ("PN", b"\xe9 ")),
        ("PatientName", "data:foo/bar;base64,QQ==", ("PN", b"data:foo/bar;base64,QQ==")),
        ("StudyDescription", "x" * 101, ("LO", b"x" * 101 + b" ")),
        ("PatientBirthDate", "bad", ("DA", b"bad ")),
        ("SOPClassUID", "1.2.3", ("UI", b"1.2.3\0")),
        ("SOPClassUID", " 1.2", ("UI", b"1.2\0")),
        ("SOPClassUID", "=SecondaryCaptureImageStorage", ("UI", b"1.2.840.10008.5.1.4.1.1.7\0")),
        ("Rows", "5", ("US", b"\5\0")),
        ("Rows", "5\\-1\\+2", ("US", b"\5\0\xff\xff\2\0")),
        ("Rows", "", ("US", b"")),
        ("0028-9503", "-32768", ("SS", b"\0\x80")),
        ("0018-9309", "1e3", ("FD", struct.pack("<d", 1000))),
        ("0018-9309", "-inf\\.5", ("FD", struct.pack("<dd", float("-inf"), 0.5))),
        ("0010-9431", "0.1", ("FL", struct.pack("<f", 0.1))),
        ("0028-0009", "FrameTime", ("AT", b"\x18\0\x63\x10")),
        ("0028-0009", "", ("AT", b"")),
        ("0028-1201", "ab", ("OW", b"ab")),
        ("0028-1201", BINARY + "AAE=", ("OW", b"\0\1")),
        ("7f00-0010", "abc", ("OB", b"abc\0")),
        ("0008-9999", "abc", ("UN", b"abc\0")),
        ("0009-1001", BINARY + "AAEC", ("UN", b"\0\1\2\0")),
        ("ReferencedImageSequence", [], ("SQ", [])),
        ("ReferencedImageSequence", "", ("SQ", [])),
        ("ReferencedImageSequence", [{}, []], ("SQ", [{}, {}])),
        ("ReferencedImageSequence", [{"PatientID": "é"}], ("SQ", [{0x00100020: ("LO", b"\xe9 ")}])),
    ],
)  # fmt: skip
def test_values(creator: Creator, name: str, value: Any, written: Any) -> None:
    tag = VALUES.names.parse_tag(name)
    assert creator.create({name: value})[tag] == written


def test_binary_values_are_kept_as_text_if_asked_for(creator: Creator) -> None:
    data_set = creator.create({"PatientName": BINARY + "QQ=="}, InterpretBinaryTags=False)
    assert data_set[0x00100010] == ("PN", (BINARY + "QQ==").encode() + b" ")


@pytest.mark.parametrize(
    ("name", "value", "refusal"),
    [
        *(
            ("PatientID", value, Refusal(400, 5, "Bad Parameter type for tag 0010,0020"))
            for value in (5, True, 1.5, {}, [], ["a"], [{}], [None])
        ),
        ("SOPClassUID", 5, Refusal(400, 5)),
        ("SOPClassUID", None, Refusal(400, 5)),
        *(("ReferencedImageSequence", value, Refusal(400, 5)) for value in (["a"], [5], [None])),
        ("ReferencedImageSequence", "x", out_of_range("0008,1140", "x")),
        ("ReferencedImageSequence", None, out_of_range("0008,1140", "")),
        ("ReferencedImageSequence", [{"Rows": "x"}], out_of_range("0028,0010", "x")),
        ("ReferencedImageSequence", [{"foo": "x"}], Refusal(500, 27, "foo")),
        ("ReferencedImageSequence", [{"PatientID": 5}], Refusal(400, 5, "Bad Parameter type for tag 0010,0020")),
        *(
            ("Rows", value, out_of_range("0028,0010", value))
            for value in ("abc", " 5", "5 ", "70000", "5.5", "5\\", "-65536")
        ),
        ("Rows", None, out_of_range("0028,0010", "")),
        ("0028-0106", "-1", out_of_range("0028,0106", "-1")),
        ("0018-9309", "1e400", out_of_range("0018,9309", "1e400")),
        ("0018-9309", "0x10", out_of_range("0018,9309", "0x10")),
        ("0008-040c", "5", out_of_range("0008,040c", "5")),
        ("0028-0009", "5", Refusal(500, 27, "5")),
        ("0028-1201", "abc", Refusal(500, -1)),
        ("PatientName", BINARY + "A*", Refusal(400, 15)),
        ("PixelData", "x", Refusal(400, 2021)),
        ("7fe0-0010", None, Refusal(400, 2021)),
        ("fffe,e000", "x", Refusal(400, 5, "Bad Parameter type for tag fffe,e000")),
        ("fffe,e00d", "x", Refusal(400, 5, "Bad Parameter type for tag fffe,e00d")),
    ],
)  # fmt: skip
def test_values_that_are_refused(creator: Creator, name: str, value: Any, refusal: Refusal) -> None:
    assert creator.refusal({"Tags": {name: value}}) == refusal
    assert creator.count() == 0


@pytest.mark.parametrize("name", ["0002-0010", "0000-0002", "0001-1001", "0008-0000", "0009-0000", "ffff-ffff"])
def test_what_is_no_element_of_a_data_set_is_accepted_without_effect(creator: Creator, name: str) -> None:
    file = creator.create_file({name: "x"})
    assert len(file.data_set) == 15
    assert file.transfer_syntax == "1.2.840.10008.1.2.1"


def test_overriding(creator: Creator) -> None:
    for name in ("StudyInstanceUID", "SeriesInstanceUID", "SOPInstanceUID", "0020-000d"):
        assert creator.refusal({"Tags": {name: "1.2"}}) == Refusal(400, 2020, name)
        assert creator.refusal({"Tags": {name: []}}) == Refusal(400, 2020, name)
    free = ("PatientID", "StudyDate", "SeriesTime", "AcquisitionDate", "ContentTime", "InstanceCreationDate", "Rows")
    for name in free:
        creator.create({name: "5"})
    assert creator.create({"StudyInstanceUID": "1.2"}, Force=True)[0x0020000D].value == b"1.2\0"


def test_a_tag_given_twice_needs_force(creator: Creator) -> None:
    twice = {"PatientName": "word", "0010,0010": "number"}
    assert creator.refusal({"Tags": twice}) == Refusal(400, 2020, "PatientName")
    assert creator.create(twice, Force=True)[0x00100010].value == b"word"  # the last one in the order of the names


def test_of_a_tag_given_twice_in_an_item_the_first_counts(creator: Creator) -> None:
    twice = {"PatientName": "word", "0010,0010": "number"}
    items = creator.create({"ReferencedImageSequence": [twice]})[0x00081140].value
    assert items == [{0x00100010: ("PN", b"number")}]


def test_a_value_longer_than_its_vr_can_say_is_written_as_unknown(creator: Creator) -> None:
    assert creator.create({"PatientName": "x" * 70_000})[0x00100010] == ("UN", b"x" * 70_000)


NUMBERS = {"US": "<H", "SS": "<h", "UL": "<I", "SL": "<i"}


@given(st.sampled_from(sorted(NUMBERS)), st.lists(st.integers(-(2**40), 2**40), min_size=1, max_size=4))
def test_integers_are_packed_or_refused(vr: str, numbers: list[int]) -> None:
    text = "\\".join(map(str, numbers)).encode()
    size = struct.calcsize(NUMBERS[vr]) * 8
    low, high = (-(2**size) + 1, 2**size - 1) if vr.startswith("U") else (-(2 ** (size - 1)), 2 ** (size - 1) - 1)
    if all(low <= number <= high for number in numbers):
        written = encode_value(0x00280010, vr, text)
        assert written == b"".join((number % 2**size).to_bytes(size // 8, "little") for number in numbers)
    else:
        with pytest.raises(OrthancError):
            encode_value(0x00280010, vr, text)


@given(st.floats(allow_nan=False))
def test_floats_are_read_back(number: float) -> None:
    assert struct.unpack("<d", encode_value(0x00189309, "FD", repr(number).encode())) == (number,)


@given(
    st.sampled_from(["PatientName", "Rows", "0018-9309", "0028-0009", "0028-1201", "0009-1001", "SOPClassUID"]),
    st.text(),
)
def test_no_text_does_harm(name: str, value: str) -> None:
    try:
        element = VALUES.element(VALUES.names.parse_tag(name), value)
    except OrthancError as error:
        assert error.code in (15, 27, -1)  # noqa: PT017 - either outcome is fine
    else:
        assert isinstance(element.value, bytes)
        assert len(element.value) % 2 == 0
