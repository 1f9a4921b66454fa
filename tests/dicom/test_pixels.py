"""Frames, raw and decoded: pydicom as the judge, Orthanc's limits, sizes that lie."""

from __future__ import annotations

import struct
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.codecs.pixels import decode_frame
from orthanc_lab.dicom.codecs.rle import unpack_bits
from orthanc_lab.dicom.files.data_set import Value
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.dicom.images.image_description import count_frames, describe_image
from orthanc_lab.dicom.images.raw_frames import compressed_frames, raw_frame
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED
from orthanc_lab.rest.instances.arrays import decoded as decoded_frames
from tests.dicom.build import REAL_FILES, code_of, file_of, image_of, real_file

JUDGED = [
    "CT_small.dcm",
    "MR_small.dcm",
    "MR_small_bigendian.dcm",
    "MR_small_implicit.dcm",
    "MR_small_RLE.dcm",
    "image_dfl.dcm",
    "MR_small_jp2klossless.dcm",
    "MR_small_jpeg_ls_lossless.dcm",
    "JPEG2000.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_16bit.dcm",
    "SC_rgb_rle_2frame.dcm",
    "SC_rgb_small_odd.dcm",
    "examples_rgb_color.dcm",
    "examples_overlay.dcm",
    "rtdose_rle.dcm",
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", JUDGED)
def test_pydicom_decodes_the_same_pixels(name: str) -> None:
    path = next(path for path in REAL_FILES if path.name == name)
    judge: Any = pydicom.dcmread(path).pixel_array
    file = read_file(path.read_bytes())
    frames = describe_image(file.data_set).frames
    expected = judge if frames > 1 else judge[np.newaxis]
    for index in range(frames):
        pixels = decode_frame(file, index)
        assert pixels.dtype == expected.dtype.newbyteorder("=")
        assert np.array_equal(pixels, expected[index])


@pytest.mark.parametrize(
    "name", ["SC_rgb_dcmtk_+eb+cr.dcm", "SC_rgb_dcmtk_+eb+cy+np.dcm", "SC_rgb_jpeg_lossy_gdcm.dcm"]
)
def test_jpeg_becomes_rgb_whatever_its_colour_space(name: str) -> None:
    pixels = decode_frame(read_file(real_file(name)), 0)
    rgb = decode_frame(read_file(real_file("SC_rgb_rle.dcm")), 0)
    assert np.abs(pixels.astype(int) - rgb.astype(int)).mean() < 6


def test_a_palette_becomes_rgb() -> None:
    path = next(path for path in REAL_FILES if path.name == "examples_palette.dcm")
    judge = pydicom.pixels.apply_color_lut(pydicom.dcmread(path).pixel_array, pydicom.dcmread(path))
    assert np.array_equal(decode_frame(read_file(path.read_bytes()), 0), judge >> 8)


def decoded(elements: dict[int, tuple[str, Value]], index: int = 0) -> Any:
    return decode_frame(read_file(file_of(elements)), index)


def test_bits_and_planes() -> None:
    bits = decoded(image_of(b"\x05\x80", 16, 1, bits=1))
    assert bits.ravel().tolist() == [255, 0, 255, *[0] * 12, 255]
    planes = decoded(image_of(b"RRGGBB", 2, 1, samples=3, photometric="RGB", planar=1))
    assert planes.tobytes() == b"RGBRGB"
    words = struct.pack("<2H", 0xF123, 0x8000)
    assert decoded(image_of(words, 2, 1, bits=16, stored=12)).ravel().tolist() == [0xF123, 0x8000]
    assert decoded(image_of(words, 2, 1, bits=16, stored=12, high=15)).ravel().tolist() == [0xF12, 0x800]
    assert decoded(image_of(words, 2, 1, bits=16, stored=12, high=15, signed=1)).ravel().tolist() == [-238, -2048]
    assert decoded(image_of(words, 2, 1, bits=16, stored=8)).ravel().tolist() == [0x23, 0]
    assert decoded(image_of(words, 2, 1, bits=16, signed=2)).ravel().tolist() == [-3805, -32768]
    assert decoded(image_of(words, 2, 1, bits=16, stored=0, high=65535)).ravel().tolist() == [0xF123, 0x8000]
    assert decoded(image_of(words, 2, 1, bits=16, stored=12, high=9)).ravel().tolist() == [0, 0]
    assert decoded(image_of(words, 2, 1, bits=16, stored=0, high=15)).ravel().tolist() == [0, 0]
    assert decoded(image_of(b"ab", 2, 1, high=65534)).ravel().tolist() == [0, 0]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"signed": 1}, 2),
        ({"stored": 7}, 2),
        ({"stored": 1}, 15),
        ({"stored": 9}, 2),
        ({"stored": 0, "high": 7}, 2),
        ({"bits": 12}, 23),
        ({"bits": 64}, 23),
        ({"samples": 0}, 23),
        ({"samples": 3, "photometric": "RGB", "planar": 2}, 23),
        ({"samples": 3, "photometric": "RGB", "stored": 1}, 15),
        ({"bits": 16, "stored": 17, "high": 18, "signed": 1}, 2),
        ({"bits": 32}, 2),
        ({"bits": 32, "stored": 24, "high": 31}, -1),
        ({"samples": 3, "photometric": "YBR_FULL"}, 2),
        ({"samples": 3, "photometric": "MONOCHROME2"}, 2),
        ({"samples": 3, "bits": 16, "photometric": "RGB", "planar": 1}, -1),
        ({"photometric": "RGB"}, 2),
        ({"photometric": "PALETTE COLOR"}, 2),
        ({"frames": 3}, 15),
        ({"frames": 0}, 23),
        ({"frames": -1}, 2),
        ({"frames": "abc"}, 2),
        ({"frames": 2_000_000_000}, 15),
        ({"frames": 99_999_999_999}, 2),
    ],
)
def test_formats_that_orthanc_refuses(changes: dict[str, Any], code: int) -> None:
    elements = image_of(bytes(96), 4, 2, **changes)
    if changes.get("frames") == 3:
        elements[0x7FE00010] = ("OB", bytes(16))
    assert code_of(lambda: decoded(elements)) == code


def test_a_raw_frame_is_that_of_an_image() -> None:
    encapsulated = {0x7FE00010: ("OB", (b"", b"ab"))}
    for changes, code in (({"bits": 12}, 23), ({"bits": 16, "stored": 1}, 15), ({}, None)):
        file = read_file(file_of(image_of(b"", 2, 2, **changes) | encapsulated, "1.2.840.10008.1.2.4.50"))
        assert code_of(lambda file=file: raw_frame(file.data_set, 0)) == code


def test_a_frame_that_is_not_there() -> None:
    assert code_of(lambda: decoded(image_of(bytes(8), 4, 2), 1)) == 3
    assert code_of(lambda: raw_frame(read_file(real_file("CT_small.dcm")).data_set, 1)) == 3
    assert code_of(lambda: raw_frame(read_file(real_file("SC_rgb_rle_2frame.dcm")).data_set, 2)) == 3


def test_no_image() -> None:
    file = read_file(real_file("rtplan.dcm"))
    assert code_of(lambda: raw_frame(file.data_set, 0)) == 2
    assert code_of(lambda: decode_frame(file, 0)) == 2
    elements = image_of(b"", 4, 2)
    del elements[0x7FE00010]
    with pytest.raises(OrthancError) as refused:
        raw_frame(read_file(file_of(elements)).data_set, 0)
    assert (refused.value.code, refused.value.details) == (15, "Cannot access a raw frame")


@pytest.mark.parametrize(("text", "frames"), [("", 1), ("2", 2), ("+2", 2), ("02", 2)])
def test_number_of_frames(text: str, frames: int) -> None:
    assert count_frames(read_file(file_of(image_of(b"", 1, 1, frames=text))).data_set) == frames


@pytest.mark.parametrize("text", ["abc", "-1", " 2", "2\\3", "2.0", "2000000000", "99999999999999999999"])
def test_numbers_of_frames_that_are_refused(text: str) -> None:
    assert code_of(lambda: count_frames(read_file(file_of(image_of(b"", 1, 1, frames=text))).data_set)) == 15


def test_fragments_of_frames() -> None:
    assert compressed_frames((b"", b"aa", b"bb"), 2) == [(b"aa",), (b"bb",)]
    assert compressed_frames((b"", b"aa", b"bb"), 1) == [(b"aa", b"bb")]
    table = struct.pack("<2I", 0, 20)
    assert compressed_frames((table, b"aa", b"bb", b"cc"), 2) == [(b"aa", b"bb"), (b"cc",)]
    for fragments, count in [((b"", b"aa"), 2), ((), 1), ((struct.pack("<2I", 0, 7), b"a", b"b", b"c"), 2)]:
        assert code_of(lambda fragments=fragments, count=count: compressed_frames(fragments, count)) == 15


def test_a_frame_cannot_be_larger_than_its_data_allow() -> None:
    elements = image_of(b"", 65535, 65535, bits=16)
    elements[0x7FE00010] = ("OB", (b"", bytes(64)))
    for syntax in ("1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.50", "1.2.840.10008.1.2.4.90"):
        file = read_file(file_of(elements, syntax))
        assert code_of(lambda file=file: decode_frame(file, 0)) == 15


def test_runs_of_elscint_that_unpack_to_far_too_much() -> None:
    """A deflated file of a few kilobytes has megabytes of runs, and each becomes 256 samples."""
    elements = image_of(b"", 8192, 8192, bits=16)
    del elements[0x7FE00010]
    elements |= {0x07A11011: ("CS", b"PMSCT_RLE1"), 0x07A1100A: ("OB", b"\xa5\xff\x80" * (8192 * 8192 // 256))}
    assert code_of(lambda: raw_frame(read_file(file_of(elements)).data_set, 0)) == 15


@pytest.mark.parametrize("form", ["single bits", "palette"])
def test_a_frame_cannot_become_far_more_than_the_file_has(form: str) -> None:
    """Single bits take a byte each, the indices of a palette three."""
    side = 8000 if form == "single bits" else 4200
    bits, photometric = (1, "MONOCHROME2") if form == "single bits" else (8, "PALETTE COLOR")
    elements = image_of(bytes(side * side * bits // 8), side, side, bits=bits, photometric=photometric)
    native, deflated = file_of(elements), file_of(elements, "1.2.840.10008.1.2.1.99")
    assert code_of(lambda: decode_frame(read_file(deflated), 0)) == 15
    assert code_of(lambda: decode_frame(read_file(native), 0)) == (None if form == "single bits" else 2)


@pytest.mark.parametrize("syntax", ["1.2.840.10008.1.2.4.100", "1.2.840.10008.1.2.4.201", "1.2.3"])
def test_a_transfer_syntax_without_decoder(syntax: str) -> None:
    elements = image_of(b"", 2, 2)
    elements[0x7FE00010] = ("OB", (b"", b"abcd"))
    assert code_of(lambda: decode_frame(read_file(file_of(elements, syntax)), 0)) == 2


_SYNTAXES = [f"1.2.840.10008.1.2.4.{number}" for number in (50, 51, 57, 70, 80, 90)] + ["1.2.840.10008.1.2.5"]


@given(st.sampled_from(_SYNTAXES), st.binary(max_size=200))
def test_broken_frames_are_refused(syntax: str, data: bytes) -> None:
    elements = image_of(b"", 8, 8)
    elements[0x7FE00010] = ("OB", (b"", b"\xff\xd8" + data))
    assert code_of(lambda: decode_frame(read_file(file_of(elements, syntax)), 0)) in (15, None)


@given(st.binary(max_size=300), st.integers(0, 500))
def test_run_lengths_make_no_more_than_was_asked_for(data: bytes, length: int) -> None:
    assert len(unpack_bits(data, length)) <= length


@pytest.mark.parametrize(
    ("segments", "expected"),
    [
        ((b"\3abcd", b"\3efgh"), [0x6165, 0x6266, 0x6367, 0x6468]),
        ((b"\3abcd", b"\1ef"), [0x6165, 0x6266, 0x6366, 0x6466]),
        ((b"\3abcd", b""), [0x6100, 0x6200, 0x6300, 0x6400]),
        ((b"\1ab", b"\3efgh"), None),
    ],
    ids=["whole", "the last one is short", "the last one is empty", "the first one is short"],
)
def test_segments_of_runs_that_are_short(segments: tuple[bytes, bytes], expected: list[int] | None) -> None:
    starts = struct.pack("<3I", 2, 64, 64 + len(segments[0])) + bytes(52)
    file = runs(starts + b"".join(segments))
    if expected is None:
        assert code_of(lambda: decode_frame(file, 0)) == 15
    else:
        assert decode_frame(file, 0).ravel().tolist() == expected


def test_segments_of_runs_do_not_overlap() -> None:
    """Each could go over all data again: 260 kB took minutes."""
    assert code_of(lambda: decode_frame(runs(struct.pack("<3I", 2, 69, 64) + bytes(52) + b"\3abcd" * 2), 0)) == 15


def runs(frame: bytes) -> DicomFile:
    elements = image_of(b"", 2, 2, bits=16)
    elements[0x7FE00010] = ("OB", (b"", frame))
    return read_file(file_of(elements, "1.2.840.10008.1.2.5"))


def test_short_runs_take_little_memory() -> None:
    data = b"\1ab" * 200_000
    tracemalloc.start()
    try:
        assert len(unpack_bits(data, 400_000)) == 400_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 2 << 20


def test_fragments_are_assigned_to_frames_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """All frames of a file of 0.6 MB took 13 s: each one looked at the fragments of all."""
    calls = []
    monkeypatch.setattr(
        f"{decode_frame.__module__}.compressed_frames", lambda *args: calls.append(1) or compressed_frames(*args)
    )
    frame = struct.pack("<2I", 1, 64) + bytes(56) + b"\0\7"
    elements = image_of(b"", 1, 1, frames=9)
    elements[0x7FE00010] = ("OB", (b"", *[frame] * 9))
    with UNLIMITED.reserve(0) as memory:
        found = decoded_frames([(read_file(file_of(elements, "1.2.840.10008.1.2.5")), range(9))], memory, rescale=False)
    assert [frame.pixels.tolist() for frame in found] == [[[7]]] * 9
    assert len(calls) == 1


def test_damaged_jpeg_of_a_real_file(tmp_path: Path) -> None:
    whole = real_file("SC_rgb_jpeg_dcmtk.dcm")
    assert code_of(lambda: decode_frame(read_file(whole.replace(b"\xff\xc0", b"\xff\xfe")), 0)) == 15
