"""The way to an element through sequences and fragments."""

from __future__ import annotations

import pytest

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.element_path import follow_path
from orthanc_lab.protocol.errors import OrthancError

DATA_SET: DataSet = {
    0x00081030: Element("LO", b" ab   "),
    0x00081140: Element("SQ", [{0x00081155: Element("UI", b"1.3\0")}, {0x7FE00010: Element("OW", b"abcd")}]),
    0x00081110: Element("SQ", []),
    0x00420011: Element("OB", b"abc"),
    0x7FE00010: Element("OB", (b"", b"abc")),
}


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("", ["0008-1030", "0008-1110", "0008-1140", "0042-0011", "7fe0-0010"]),
        ("0008-1030", b" ab "),
        ("StudyDescription", b" ab "),
        ("0042-0011", b"abc\0"),
        ("0008-1140", ["0", "1"]),
        ("0008-1110", []),
        ("0008-1140/0", ["0008-1155"]),
        ("0008-1140/00/0008-1155", b"1.3\0"),
        ("0008-1140/-1", ["7fe0-0010"]),
        ("0008-1140/1/7fe0-0010", b"abcd"),
        ("7fe0-0010", ["0", "1"]),
        ("7fe0-0010/0", b""),
        ("7fe0-0010/1", b"abc\0"),
        ("7fe0-0010/2", None),
        ("7fe0-0010/1/1", None),
        ("0008-1140/2", None),
        ("0008-1140/x", None),
        ("0008-1140/99999999999999999999", None),
        ("0008-1110/-1", None),
        ("0008-1030/0", None),
        ("0010-0010", None),
        ("0008-1140/0/0010-0010", None),
    ],
)
def test_paths(path: str, found: object) -> None:
    assert follow_path(DATA_SET, [step for step in path.split("/") if step], Dictionary()) == found


def test_pixel_data_that_are_not_compressed_are_one_fragment() -> None:
    data_set: DataSet = {0x7FE00010: Element("OW", b"abcd")}
    assert follow_path(data_set, ["PixelData"], Dictionary()) == ["0"]
    assert follow_path(data_set, ["PixelData", "0"], Dictionary()) == b"abcd"


def test_a_name_that_is_no_tag() -> None:
    with pytest.raises(OrthancError) as refused:
        follow_path(DATA_SET, ["foo"], Dictionary())
    assert (refused.value.code, refused.value.details) == (27, "foo")
