"""Files taken apart: every transfer syntax, pydicom as the judge, broken bytes refused."""

from __future__ import annotations

import struct
from io import BytesIO
from pathlib import Path

import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.dicom.limits import MAX_DEPTH
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.transfer_syntaxes import DEFLATED_LE, EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from tests.dicom.build import IDENTIFIERS, REAL_FILES, code_of, file_of, real_file, us
from tests.examples import examples

DAMAGED = {"rtplan_truncated.dcm", "MR_truncated.dcm", "SC_rgb_jpeg.dcm", "DICOMDIR-nooffset"}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [path for path in REAL_FILES if path.name not in DAMAGED], ids=lambda path: path.name)
def test_pydicom_finds_the_same_tags(path: Path) -> None:
    file = read_file(path.read_bytes())
    judge = pydicom.dcmread(path)
    assert sorted(file.data_set) == sorted(int(element.tag) for element in judge)
    for tag, element in file.data_set.items():
        if isinstance(element.value, list):
            assert len(element.value) == len(judge[tag].value)


def test_a_file_without_meta_header_is_known_by_its_bytes() -> None:
    whole = real_file("MR_small_implicit.dcm")
    length = struct.unpack_from("<I", whole, 140)[0]
    assert read_file(whole[144 + length :]).transfer_syntax == IMPLICIT_LE


_VRS = ("LO", "US", "UL", "FD", "OW", "UT", "UN", "AT", "SQ")
_TAGS = st.integers(0x00190001, 0x0070FFFF).filter(lambda tag: tag & 0xFFFF and not tag & 0x10000)


def _even(value: bytes) -> bytes:
    return value + b"\0" * (-len(value) % 8)


def _data_sets(depth: int) -> st.SearchStrategy[DataSet]:
    plain = st.builds(Element, st.sampled_from(_VRS[:-1]), st.binary(max_size=20).map(_even))
    if depth:
        plain |= st.builds(Element, st.just("SQ"), st.lists(_data_sets(depth - 1), max_size=2))
    return st.dictionaries(_TAGS, plain, max_size=5)


@examples(60)
@given(_data_sets(2), st.sampled_from([EXPLICIT_LE, EXPLICIT_BE, DEFLATED_LE]))
def test_what_is_written_is_read_back(data_set: DataSet, syntax: str) -> None:
    file = read_file(write_file({**IDENTIFIERS, **data_set}, syntax))
    assert (file.transfer_syntax, file.data_set) == (syntax, {**IDENTIFIERS, **data_set})


def test_implicit_takes_the_vr_from_the_dictionary() -> None:
    elements = {
        0x00280103: us(1),
        0x00280106: ("SS", b"\xff\xff"),
        0x00290010: ("LO", b"SIEMENS CSA HEADER"),
        0x00291008: ("CS", b"IMAGE NUM 4 "),
        0x00291099: ("UN", b"abcd"),
        0x00081140: ("SQ", [{0x00081155: Element("UI", b"1.3\0")}]),
    }
    file = read_file(file_of(elements, IMPLICIT_LE))
    assert file.data_set == {**IDENTIFIERS, **{tag: Element(*element) for tag, element in elements.items()}}


def test_un_of_undefined_length_is_an_implicit_sequence() -> None:
    inner = struct.pack("<HHI", 0x0008, 0x1155, 4) + b"1.3\0"
    item = struct.pack("<HHI", 0xFFFE, 0xE000, len(inner)) + inner
    end = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
    element = struct.pack("<HH2sHI", 0x7001, 0x1001, b"UN", 0, 0xFFFFFFFF) + item + end
    file = read_file(file_of({}) + element)
    assert file.data_set[0x70011001] == Element("SQ", [{0x00081155: Element("UI", b"1.3\0")}])


def test_the_first_of_two_elements_counts() -> None:
    element = struct.pack("<HH2sH", 0x0040, 0x0254, b"LO", 2)
    assert read_file(file_of({}) + element + b"AB" + element + b"CD").data_set[0x00400254].value == b"AB"


def test_long_text_survives_explicit_vr() -> None:
    long = b"1.5\\" * 20_000
    file = read_file(file_of({0x30060050: ("DS", long)}))
    assert file.data_set[0x30060050] == Element("UN", long)


def _nested(levels: int) -> bytes:
    inner: DataSet = {0x00081155: Element("UI", b"1.3\0")}
    for _ in range(levels):
        inner = {0x00081140: Element("SQ", [inner])}
    return write_file({**IDENTIFIERS, **inner}, EXPLICIT_LE)


def test_deep_sequences_are_read_and_the_deepest_refused() -> None:
    assert 0x00081140 in read_file(_nested(MAX_DEPTH)).data_set
    with pytest.raises(OrthancError) as refused:
        read_file(_nested(MAX_DEPTH + 1))
    assert refused.value.code == 15
    assert "levels deep" in refused.value.details


def test_pixel_data_are_left_out_on_demand() -> None:
    file = read_file(real_file("CT_small.dcm"), skip_pixel_data=True)
    assert file.data_set[0x7FE00010].value == ()
    assert 0xFFFCFFFC not in file.data_set


@examples(150)
@given(st.data())
def test_broken_bytes_are_read_or_refused_with_15(data: st.DataObject) -> None:
    source = data.draw(st.sampled_from(["reportsi.dcm", "rtplan.dcm", "image_dfl.dcm", "MR_small_RLE.dcm"]))
    whole = bytearray(real_file(source)[:6000])
    changes = st.tuples(st.integers(132, len(whole) - 1), st.integers(0, 255))
    for position, value in data.draw(st.lists(changes, max_size=6)):
        whole[position] = value
    end = data.draw(st.integers(140, len(whole)))
    assert code_of(lambda: read_file(bytes(whole[:end]))) in (None, 15)


def test_pydicom_reads_what_we_write() -> None:
    whole = real_file("reportsi.dcm")
    file = read_file(whole)
    for syntax in (EXPLICIT_LE, EXPLICIT_BE, IMPLICIT_LE, DEFLATED_LE):
        again = pydicom.dcmread(BytesIO(write_file(file.data_set, syntax)))
        assert again.file_meta.TransferSyntaxUID == syntax
        assert again == pydicom.dcmread(BytesIO(whole))
