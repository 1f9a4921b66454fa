"""The scan of a header, judged by pydicom, and its refusals as the real server makes them."""

from __future__ import annotations

import struct
import warnings
import zlib
from io import BytesIO
from pathlib import Path

import pydicom
import pydicom.data
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    RLELossless,
)

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.dicom.identifiers import identify
from orthanc_lab.dicom.limits import MAX_DEPTH
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.testing.contracts.dicom_files import EXPLICIT, dicom, element, meta_header
from tests.dicom.judge import judged_offset, judged_tags
from tests.examples import examples

WANTED = MainTags().all
CUT_OFF = {"MR_truncated.dcm", "rtplan_truncated.dcm", "SC_rgb_jpeg.dcm", "no_meta.dcm", "DICOMDIR-nooffset"}
"""Files that the real server refuses, too; the last one it refuses for lack of identifiers."""
RAW = {"rtdose_rle.dcm", "rtdose_rle_1frame.dcm"}
"""Texts of VR UN: the real server leaves their padding."""
ONE_CHARSET = {"chrH32.dcm", "chrJapMulti.dcm", "chrJapMultiExplicitIR6.dcm", "chrX1.dcm", "chrX2.dcm"}
"""The real server uses one character set for a whole file, and leaves an empty component of a name."""
YEN = {"J2K_pixelrep_mismatch.dcm"}
"""ISO_IR 13 has a yen sign in the place of the backslash."""


def _files() -> list[Path]:
    folder = Path(pydicom.data.__file__).parent
    paths = [path for name in ("test_files", "charset_files") for path in sorted((folder / name).rglob("*"))]
    return [path for path in paths if path.is_file() and path.read_bytes()[128:132] == b"DICM"]


FILES = _files()


def test_there_are_files() -> None:
    assert len(FILES) > 150


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_real_files(path: Path) -> None:
    content = path.read_bytes()
    if path.name in CUT_OFF:
        assert outcome(content) == 15
        return
    header = scan(content, WANTED)
    assert header.pixel_data_offset == judged_offset(content)
    if path.name in RAW:
        assert header.tags["0010,0020"] == "id11111 "
    elif path.name not in ONE_CHARSET | YEN:
        assert header.tags == judged_tags(content, WANTED)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("chrH31.dcm", "Yamada^Tarou=山田^太郎=やまだ^たろう"),
        ("chrI2.dcm", "Hong^Gildong=洪^吉洞=홍^길동"),
        ("chrX1.dcm", "Wang^XiaoDong=王^小東="),
        ("chrX2.dcm", "Wang^XiaoDong=王^小东="),
        ("chrRuss.dcm", "Люкceмбypг"),
        ("chrArab.dcm", "قباني^لنزار"),
        ("chrH32.dcm", "ﾔﾏﾀﾞ^ﾀﾛｳ=;3ED^B@O:=$d$^$@^$?$m$&"),
        ("chrJapMulti.dcm", "やまだ^たろう"),
        ("chrJapMultiExplicitIR6.dcm", "$B$d$^$@(B^$B$?$m$&(B"),
    ],
)
def test_names_in_many_characters(name: str, expected: str) -> None:
    path = next(path for path in FILES if path.name == name)
    assert scan(path.read_bytes(), WANTED).tags["0010,0010"] == expected


# -- generated data sets ---------------------------------------------------------------

_TEXT = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x17F, exclude_characters="\\^=\x7f"), max_size=20).map(
    str.strip
)
_UID = st.lists(st.integers(0, 10**6), min_size=1, max_size=6).map(lambda parts: "1." + ".".join(map(str, parts)))
_DATE = st.dates().map(lambda date: date.strftime("%Y%m%d").zfill(8))
_VALUES = {
    "StudyInstanceUID": _UID,
    "SeriesInstanceUID": _UID,
    "SOPInstanceUID": _UID,
    "SOPClassUID": _UID,
    "PatientID": _TEXT,
    "PatientName": _TEXT,
    "StudyDate": _DATE,
    "Modality": st.sampled_from(["CT", "MR"]),
    "ImageComments": st.text("ab ", max_size=300).map(str.strip),
    "SeriesNumber": st.integers(-(2**31), 2**31 - 1),
    "ImagePositionPatient": st.lists(st.integers(-999, 999).map(str), min_size=3, max_size=3),
    "NumberOfSlices": st.integers(0, 65535),
    "Rows": st.integers(0, 65535),
}
_NESTED = st.recursive(
    st.fixed_dictionaries({}, optional={name: _VALUES[name] for name in ("PatientName", "StudyInstanceUID", "Rows")}),
    lambda items: st.fixed_dictionaries({"ReferencedSeriesSequence": st.lists(items, max_size=3)}),
    max_leaves=6,
)


def _data_set(values: dict[str, object], undefined: bool) -> Dataset:
    data_set = Dataset()
    for name, value in values.items():
        if isinstance(value, list) and name.endswith("Sequence"):
            items = [_data_set(item, undefined) for item in value]
            for item in items:
                item.is_undefined_length_sequence_item = undefined
            setattr(data_set, name, items)
            data_set[name].is_undefined_length = undefined
        else:
            setattr(data_set, name, value)
    return data_set


def outcome(content: bytes) -> int:
    """Return the code that a file is refused with, 0 if it is accepted."""
    try:
        identify(scan(content, WANTED))
    except OrthancError as error:
        return error.code
    return 0


@st.composite
def dicom_files(draw: st.DrawFn) -> bytes:
    values = draw(
        st.fixed_dictionaries({}, optional={**_VALUES, "ReferencedStudySequence": st.lists(_NESTED, max_size=3)})
    )
    data_set = _data_set(values, draw(st.booleans()))
    data_set.SpecificCharacterSet = "ISO_IR 192"
    syntax = draw(
        st.sampled_from(
            [
                ImplicitVRLittleEndian,
                ExplicitVRLittleEndian,
                ExplicitVRBigEndian,
                DeflatedExplicitVRLittleEndian,
                RLELossless,
            ]
        )
    )
    if draw(st.booleans()):
        data_set.BitsAllocated = 8
        frame = draw(st.binary(max_size=50))
        encapsulated = syntax == RLELossless
        data_set.PixelData = (
            pydicom.encaps.encapsulate([frame + b"\0"]) if encapsulated else frame + bytes(len(frame) % 2)
        )
        data_set["PixelData"].VR = "OB"
        data_set["PixelData"].is_undefined_length = encapsulated
    data_set.file_meta = FileMetaDataset()
    data_set.file_meta.TransferSyntaxUID = syntax
    data_set.file_meta.MediaStorageSOPClassUID = "1.2"
    data_set.file_meta.MediaStorageSOPInstanceUID = "1.2"
    target = BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set.save_as(target, enforce_file_format=True)
    return target.getvalue()


@given(content=dicom_files())
@examples(300)
def test_generated_files(content: bytes) -> None:
    wanted = WANTED | {"0028,0010"}
    header = scan(content, wanted)
    assert header.tags == judged_tags(content, wanted)
    assert header.pixel_data_offset == judged_offset(content)


@given(content=dicom_files(), data=st.data())
@examples(200)
def test_a_file_that_is_cut_off_is_refused_or_ends_between_two_elements(content: bytes, data: st.DataObject) -> None:
    cut = content[: data.draw(st.integers(0, len(content) - 1))]
    if outcome(cut) != 15:
        assert scan(cut, WANTED).tags.items() <= scan(content, WANTED).tags.items()


@given(content=dicom_files(), data=st.data())
@examples(200)
def test_damage_never_crashes(content: bytes, data: st.DataObject) -> None:
    damaged = bytearray(content)
    for _ in range(data.draw(st.integers(1, 4))):
        damaged[data.draw(st.integers(0, len(damaged) - 1))] = data.draw(st.integers(0, 255))
    assert outcome(bytes(damaged)) in (0, 5, 15, 21)


@given(content=st.binary(max_size=300))
@examples(300)
def test_noise_never_crashes(content: bytes) -> None:
    for file in (content, meta_header() + content, meta_header("1.2.840.10008.1.2.1.99") + content):
        assert outcome(file) in (5, 15, 21)


# -- values and refusals, as the real server has them ----------------------------------


def value_of(tag: int, vr: str, value: bytes, charset: str = "ISO_IR 192") -> str | None:
    body = element(0x00080005, b"CS", charset.encode()) if charset else b""
    name = f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
    return scan(meta_header() + body + element(tag, vr.encode(), value), WANTED).tags.get(name)


@pytest.mark.parametrize(
    ("vr", "value", "expected"),
    [
        ("PN", b"  a b  ", "  a b"),
        ("LO", b"a\0", "a"),
        ("LO", b"a\0b ", "a"),
        ("LO", b"a \0", "a "),
        ("LO", b"\0a", ""),
        ("LO", b"a\t\n", "a\t\n"),
        ("PN", b"a^b^^^", "a^b^^^"),
        ("DS", b" 1 \\ 2 ", " 1 \\ 2"),
        ("UI", b" 1.2 \\ 3.4", "1.2\\3.4"),
        ("UI", b"1.2\x00 3", "1.2"),
        ("UN", b"abc ", "abc "),
        ("UN", b"ab\0c", "ab\0c"),
        ("UN", b"abc\0", "abc"),
        ("OB", b"abc ", None),
        ("OW", b"abc ", None),
        ("US", b"\7\0\x08\0", "7\\8"),
        ("US", b"", None),
        ("SS", b"\1\xff", "-255"),
        ("SL", struct.pack("<i", -5), "-5"),
        ("UL", struct.pack("<I", 2**32 - 1), "4294967295"),
        ("FL", struct.pack("<f", 1.1), "1.1000000238418579"),
        ("FD", struct.pack("<dd", 1.1, 1e30), "1.1000000000000001\\1e+30"),
        ("AT", struct.pack("<HHHH", 0x10, 0x20, 8, 0x103E), "0010,0020"),
        ("OX", b"\0\0\4\0\0\0abcd", None),
        ("LT", b"x" * 256, "x" * 256),
        ("LT", b"x" * 257, None),
        ("LT", "é".encode() * 128, "é" * 128),
        ("LT", "é".encode() * 128 + b"x", None),
    ],
)
def test_values(vr: str, value: bytes, expected: str | None) -> None:
    if vr == "OX":  # an unknown VR has the long form
        content = meta_header() + struct.pack("<HH2s", 0x10, 0x10, b"OX") + value
        assert scan(content, WANTED).tags == {}
        return
    assert value_of(0x00100010, vr, value) == expected


@pytest.mark.parametrize(
    ("charset", "value", "expected"),
    [
        ("", b"\xe9\x80", "é\x80"),
        ("ISO_IR 6", b"a\xe9", "a"),
        ("ISO_IR 100", b"\xe9", "é"),
        ("iso_ir 100", b"\xe9", "é"),
        ("ISO_IR 144", b"\xb0", "А"),
        ("ISO_IR 192", b"ab\xff\xc3\xa9", "abé"),
        ("GB18030", "中".encode("gb18030"), "中"),
        ("ISO_IR 13", b"a\\b~", "a¥b‾"),
        ("\\ISO 2022 IR 87", b"abc\x1b$B;3ED\x1b(Bx", "abc山田x"),
        ("\\ISO 2022 IR 100", b"abc\x1b$B;3ED\x1b(Bx", "abc;3EDx"),
        ("FOO", b"a\xe9", "a"),
    ],
)
def test_character_sets(charset: str, value: bytes, expected: str) -> None:
    assert value_of(0x00100010, "PN", value, charset) == expected


ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 8) + element(0x00100040, b"CS", b"")
ITEM_END = struct.pack("<HHI", 0xFFFE, 0xE00D, 0)
SEQUENCE_END = struct.pack("<HHI", 0xFFFE, 0xE0DD, 0)
OPEN_ITEM = struct.pack("<HHI", 0xFFFE, 0xE000, 0xFFFFFFFF)


def sequence(content: bytes, length: int | None = None, vr: bytes = b"SQ", tag: int = 0x00400275) -> bytes:
    size = len(content) if length is None else length
    return struct.pack("<HH2sHI", tag >> 16, tag & 0xFFFF, vr, 0, size) + content


def nested(depth: int) -> bytes:
    content = b""
    for _ in range(depth):
        content = sequence(struct.pack("<HHI", 0xFFFE, 0xE000, len(content)) + content)
    return content


WHOLE = dicom()
JPEG = "1.2.840.10008.1.2.4.50"
BODY = WHOLE[len(meta_header()) :]


@pytest.mark.parametrize(
    "content",
    [
        WHOLE,
        WHOLE + sequence(ITEM),
        WHOLE + sequence(ITEM + SEQUENCE_END, 0xFFFFFFFF),
        WHOLE + sequence(OPEN_ITEM + ITEM_END + SEQUENCE_END, 0xFFFFFFFF),
        WHOLE + sequence(OPEN_ITEM + ITEM_END),
        WHOLE + sequence(b""),
        WHOLE + sequence(OPEN_ITEM + ITEM_END + SEQUENCE_END, 0xFFFFFFFF, b"UN", 0x00991010),
        WHOLE + nested(40),
        BODY,  # no preamble, no meta header
        WHOLE[128 + 4 :],  # no preamble
        bytes(128) + b"DICM" + BODY,
        meta_header(JPEG) + BODY + sequence(ITEM[:8] + bytes(8) + SEQUENCE_END, 0xFFFFFFFF, b"OB", 0x7FE00010),
        meta_header("1.2.3.4.5") + BODY,
        meta_header("1.2.840.10008.1.2.1.99") + zlib.compress(BODY)[2:-4] + b"\0",
    ],
)
def test_whole_files(content: bytes) -> None:
    identify(scan(content, WANTED))


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"x" * 200,
        meta_header()[:132],
        WHOLE[:-1],
        WHOLE + b"\0",
        WHOLE + bytes(100),
        WHOLE + sequence(ITEM, 0xFFFFFFFF),
        WHOLE + sequence(OPEN_ITEM + SEQUENCE_END, 0xFFFFFFFF),
        WHOLE + sequence(ITEM, 60_000),
        WHOLE + sequence(ITEM + b"\0\0\0\0"),
        WHOLE + sequence(element(0x00100010, b"PN", b"ab")),
        WHOLE + sequence(ITEM + SEQUENCE_END, 0xFFFFFFFF, b"OB", 0x00091010),
        WHOLE + sequence(bytes(8), None, b"\0\0"),
        WHOLE + nested(MAX_DEPTH + 1),
        WHOLE + nested(2000),
        meta_header(JPEG) + BODY + element(0x7FE00010, b"OB", bytes(8)),
        meta_header(JPEG) + BODY + sequence(ITEM[:8] + bytes(8), 0xFFFFFFFF, b"OB", 0x7FE00010),
        meta_header(JPEG) + BODY + sequence(ITEM[:8] + bytes(4), 0xFFFFFFFF, b"OB", 0x7FE00010),
        meta_header("1.2.840.10008.1.2") + BODY,
        meta_header("1.2.840.10008.1.2.2") + BODY,
        meta_header("1.2.840.10008.1.2.1.99") + BODY,
        meta_header("1.2.840.10008.1.2.1.99") + zlib.compress(BODY)[2:-10],
    ],
)
def test_refused_files(content: bytes) -> None:
    with pytest.raises(OrthancError, match=rf"Cannot parse an invalid DICOM file \(size: {len(content)} bytes\)"):
        scan(content, WANTED)


def test_meta_header_only() -> None:
    assert outcome(meta_header()) == 21
    assert outcome(bytes(200)) == 21


@pytest.mark.parametrize(("size", "code"), [(38 << 20, 0), (60 << 20, 15)])
def test_a_deflate_bomb_is_refused(size: int, code: int) -> None:
    content = zlib.compress(BODY + element(0x7FE00010, b"OB", bytes(size)))[2:-4]
    assert outcome(meta_header("1.2.840.10008.1.2.1.99") + content) == code


@pytest.mark.parametrize(
    ("syntax", "vr", "bits", "expected"),
    [
        (EXPLICIT, b"OW", 16, ""),
        (EXPLICIT, b"OW", 8, "OW"),
        (EXPLICIT, b"OB", 8, ""),
        (EXPLICIT, b"OB", 16, "OB"),
        (EXPLICIT, b"OW", None, "OW"),
        (EXPLICIT, b"UN", 8, "UN"),
    ],
)
def test_unusual_pixel_data(syntax: str, vr: bytes, bits: int | None, expected: str) -> None:
    allocated = b"" if bits is None else element(0x00280100, b"US", struct.pack("<H", bits))
    header = scan(meta_header(syntax) + BODY + allocated + element(0x7FE00010, vr, bytes(4)), WANTED)
    assert header.pixel_data_vr == expected
    assert header.pixel_data_offset is not None


def test_the_first_of_two_elements_counts() -> None:
    content = WHOLE + element(0x00100010, b"PN", b"a") + element(0x00100010, b"PN", b"b")
    assert scan(content, WANTED).tags["0010,0010"] == "a"


def test_identifiers_without_a_text_are_refused() -> None:
    for values in ({"patient": "x" * 257}, {"study": "1." * 129}):
        assert outcome(dicom(**values)) == 5
    assert outcome(dicom(instance=None) + element(0x00080018, b"OB", b"1.2 ")) == 5
    assert outcome(dicom(study="  ")) == 15


@pytest.mark.parametrize("size", [8, 12, 16, 1000, 1001, 100_000_000])
def test_padding_with_zeros(size: int) -> None:
    """Empty elements (0000,0000) are walked over at once: a file of nothing else is no way to stall a server."""
    content = bytes(size)
    if size % 8:
        with pytest.raises(OrthancError):
            scan(content, frozenset({"0010,0020"}))
    else:
        assert scan(content, frozenset({"0010,0020"})).tags == {}
