"""The JSON of data sets: types, texts, numbers, private tags, forms."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import DataSet, Element, Value
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, IMPLICIT_LE
from tests.dicom.build import REAL_FILES, file_of, real_file, us
from tests.dicom.test_read import DAMAGED
from tests.examples import examples

PLAIN = Dictionary()


def json_of(elements: dict[int, tuple[str, Value]], syntax: str = EXPLICIT_LE, **options: Any) -> dict[str, Any]:
    options.setdefault("format", TagsFormat.FULL)
    return data_set_to_json(read_file(file_of(elements, syntax)), dictionary=PLAIN, **options)


def shown(tag: int, vr: str, value: Value, syntax: str = EXPLICIT_LE) -> tuple[str, Any]:
    found = json_of({tag: (vr, value)}, syntax)[f"{tag >> 16:04x},{tag & 0xFFFF:04x}"]
    return found["Type"], found["Value"]


@pytest.mark.parametrize(
    ("vr", "value", "text"),
    [
        ("LO", b" a \\ b \\c  ", " a \\ b \\c"),
        ("ST", b"line1\r\nline2 ", "line1\r\nline2"),
        ("UI", b" 1.2\\ 3.4\0", "1.2\\3.4"),
        ("LO", b"\0\0", ""),
        ("US", b"\5\0\6\0", "5\\6"),
        ("SS", struct.pack("<hh", -5, 6), "-5\\6"),
        ("UL", b"\1\0\0\0\2\0", "1"),
        ("SL", struct.pack("<i", -70000), "-70000"),
        ("FL", struct.pack("<ff", 0.1, 1e10), "0.10000000149011612\\10000000000"),
        ("FD", struct.pack("<dddd", 0.1, 1e20, -0.0, 1 / 3), "0.10000000000000001\\1e+20\\-0\\0.33333333333333331"),
        ("FD", struct.pack("<dd", float("nan"), float("-inf")), "nan\\-inf"),
        ("AT", struct.pack("<HHHH", 0x18, 0x1063, 0x20, 0x9), "0018,1063"),
        ("UN", b"AB\\C\0\0", "AB\\C\0"),
        ("UT", b"", ""),
    ],
)
def test_texts_and_numbers(vr: str, value: bytes, text: str) -> None:
    assert shown(0x00081010, vr, value) == ("String", text)


@pytest.mark.parametrize("vr", ["OB", "OW", "OF", "OD", "OL", "OV", "SV", "UV", "US", "FD", "AT"])
def test_binary_and_empty_numbers_are_null(vr: str) -> None:
    assert shown(0x00081010, vr, b"" if vr in ("US", "FD", "AT") else b"12345678") == ("Null", None)


@pytest.mark.parametrize("tag", [0x00280106, 0x00091001, 0x00400275])
def test_unknown_vr_of_a_tag_that_is_no_text_is_null(tag: int) -> None:
    assert shown(tag, "UN", b"abcd") == ("Null", None)


def test_too_long_counts_bytes_of_utf8_and_may_be_ignored() -> None:
    assert shown(0x00084000, "LT", b"x" * 256)[0] == "String"
    assert shown(0x00084000, "LT", b"x" * 258) == ("TooLong", None)
    assert shown(0x00084000, "LT", b"x" * 200 + b" " * 100)[0] == "String"
    assert shown(0x00084000, "LT", b"\xe9" * 200) == ("TooLong", None)
    nested = {0x00084000: ("LT", b"x" * 300), 0x0040A730: ("SQ", [{0x00084000: Element("LT", b"y" * 300)}])}
    found = json_of(nested, ignore_length=[0x00084000], format=TagsFormat.SHORT)
    assert found["0008,4000"] == "x" * 300
    assert found["0040,a730"] == [{"0008,4000": "y" * 300}]


def test_padding_and_an_empty_creator_are_not_shown() -> None:
    found = json_of({0x00290010: ("LO", b""), 0x00291010: ("LO", b"x "), 0xFFFCFFFC: ("OB", bytes(8))})
    assert "PrivateCreator" not in found["0029,1010"]
    assert "fffc,fffc" not in found


def test_private_tags_show_their_creator() -> None:
    elements: dict[int, tuple[str, Value]] = {
        0x00290010: ("LO", b"SIEMENS CSA HEADER"),
        0x00291008: ("CS", b"IMAGE "),
        0x00291099: ("LO", b"x "),
        0x00291101: ("LO", b"x "),
        0x00290012: ("UN", b"FOO "),
        0x00291201: ("LO", b"x "),
        0x00291055: ("SQ", [{0x00291008: Element("CS", b"IMAGE ")}]),
    }
    found = json_of(elements)
    named = {"Name": "CSAImageHeaderType", "PrivateCreator": "SIEMENS CSA HEADER", "Type": "String", "Value": "IMAGE"}
    assert found["0029,1008"] == named
    assert found["0029,1099"] == {**named, "Name": "Unknown Tag & Data", "Value": "x"}
    assert found["0029,1101"] == {"Name": "Unknown Tag & Data", "Type": "String", "Value": "x"}
    assert "PrivateCreator" not in found["0029,1201"]  # the reservation must be a text
    assert found["0029,1055"]["Type"] == "Sequence"
    assert "PrivateCreator" not in found["0029,1055"]
    assert found["0029,1055"]["Value"][0]["0029,1008"]["Name"] == "Unknown Tag & Data"


def test_the_character_set_of_the_file_holds_inside_sequences() -> None:
    item: DataSet = {0x00080005: Element("CS", b"ISO_IR 192"), 0x00081090: Element("LO", b"\xc3\xa9")}
    found = json_of({0x00080005: ("CS", b"ISO_IR 100"), 0x00081140: ("SQ", [item])}, format=TagsFormat.SHORT)
    assert found["0008,1140"][0]["0008,1090"] == "Ã©"


def test_us_or_ss_is_shown_only_where_the_file_decides() -> None:
    value = ("US", b"\xff\xff")
    assert json_of({0x00280106: value}, IMPLICIT_LE)["0028,0106"]["Type"] == "Null"
    decided = json_of({0x00280103: us(1), 0x00280106: value, 0x00281101: value}, IMPLICIT_LE)
    assert (decided["0028,0106"]["Value"], decided["0028,1101"]["Value"]) == ("-1", None)
    assert json_of({0x00280106: value})["0028,0106"]["Value"] == "65535"


def test_forms_and_choice_of_tags() -> None:
    elements: dict[int, tuple[str, Value]] = {0x00080060: ("CS", b"CT"), 0x00081140: ("SQ", [{}])}
    assert json_of(elements, format=TagsFormat.SIMPLIFIED)["ReferencedImageSequence"] == [{}]
    assert json_of(elements, format=TagsFormat.SHORT, only=[0x00080060, 0x00100010]) == {"0008,0060": "CT"}


def test_the_meta_header_has_no_binary_values() -> None:
    file = read_file(real_file("CT_small.dcm"))
    found = data_set_to_json(file, TagsFormat.SIMPLIFIED, PLAIN, header=True)
    assert found["TransferSyntaxUID"] == "1.2.840.10008.1.2.1"
    assert found["FileMetaInformationGroupLength"] == "192"
    assert "FileMetaInformationVersion" not in found


@pytest.mark.parametrize("path", [path for path in REAL_FILES if path.name not in DAMAGED], ids=lambda path: path.name)
def test_real_files_become_json_that_is_sent(path: Path) -> None:
    file = read_file(path.read_bytes())
    for format in TagsFormat:
        found = data_set_to_json(file, format, PLAIN)
        assert json.loads(house_json.dumps(found)) == found


_VALUES = st.binary(max_size=24) | st.binary(min_size=250, max_size=270)
_VRS = st.sampled_from(["LO", "PN", "UI", "US", "FD", "AT", "UN", "OB", "??", "SQ", "UT", "SV"])
_TAGS = st.sampled_from([0x00080005, 0x00280103, 0x00280106, 0x00290010, 0x00291008, 0x7FE00010]) | st.integers(
    0, 2**32 - 1
)
_DATA_SETS: st.SearchStrategy[Any] = st.recursive(
    st.dictionaries(_TAGS, st.builds(Element, _VRS, _VALUES), max_size=5),
    lambda inner: st.dictionaries(_TAGS, st.builds(Element, st.just("SQ"), st.lists(inner, max_size=2)), max_size=3),
    max_leaves=6,
)


@examples(200)
@given(_DATA_SETS, st.sampled_from(list(TagsFormat)), st.sampled_from([EXPLICIT_LE, IMPLICIT_LE]))
def test_no_data_set_raises(data_set: DataSet, format: TagsFormat, syntax: str) -> None:
    found = data_set_to_json(DicomFile({}, syntax, data_set), format, PLAIN)
    assert json.loads(house_json.dumps(found)) == found
