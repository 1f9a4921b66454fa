"""From one transfer syntax to another: pixels, meta header, what a lossy one says of itself."""

from __future__ import annotations

import struct
from io import BytesIO

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom import limits
from orthanc_lab.dicom.codecs.pixels import decode_frame
from orthanc_lab.dicom.codecs.rle import pack_bits, unpack_bits
from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dicom.files.data_set import Element
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.protocol.transfer_syntaxes import (
    DEFLATED_LE,
    EXPLICIT_BE,
    EXPLICIT_LE,
    IMPLICIT_LE,
    is_known,
)
from tests.dicom.build import file_of, image_of, real_file, us

JPEG = "1.2.840.10008.1.2.4."
RLE = "1.2.840.10008.1.2.5"
LOSSLESS = [IMPLICIT_LE, EXPLICIT_LE, DEFLATED_LE, EXPLICIT_BE, JPEG + "57", JPEG + "70", JPEG + "80", JPEG + "90", RLE]


def transcoded(dicom: bytes, target: str, quality: int = 90) -> bytes | None:
    return transcode(dicom, target, STANDARD, quality=quality, identifiers=SeededIdentifiers())


@pytest.mark.parametrize("target", LOSSLESS)
@pytest.mark.parametrize(
    "name", ["CT_small.dcm", "MR_small_bigendian.dcm", "MR_small_RLE.dcm", "SC_rgb_rle_2frame.dcm", "image_dfl.dcm"]
)
def test_lossless_targets_keep_every_pixel_and_the_identifier(name: str, target: str) -> None:
    source = real_file(name)
    before = read_file(source)
    found = transcoded(source, target)
    assert found is not None
    after = read_file(found)
    assert after.transfer_syntax == target
    assert after.data_set[0x00080018] == before.data_set[0x00080018]
    for index in range(2 if "2frame" in name else 1):
        assert np.array_equal(decode_frame(after, index), decode_frame(before, index))
    again = pydicom.dcmread(BytesIO(found))
    assert again.file_meta.MediaStorageSOPInstanceUID == again.SOPInstanceUID


@pytest.mark.parametrize("target", [JPEG + "50", JPEG + "51", JPEG + "81"])
def test_lossy_targets_make_a_derived_image(target: str) -> None:
    source = real_file("examples_rgb_color.dcm")
    found = transcoded(source, target)
    assert found is not None
    old, new = pydicom.dcmread(BytesIO(source)), pydicom.dcmread(BytesIO(found))
    assert new.SOPInstanceUID == new.file_meta.MediaStorageSOPInstanceUID != old.SOPInstanceUID
    assert new.SourceImageSequence[0].ReferencedSOPInstanceUID == old.SOPInstanceUID
    assert new.DerivationCodeSequence[0].CodeValue == "113040"
    assert (new.LossyImageCompression, new.ImageType[0]) == ("01", "DERIVED")
    assert f"{new.LossyImageCompressionRatio:.5g}" in new.DerivationDescription
    difference = decode_frame(read_file(found), 0).astype(int) - decode_frame(read_file(source), 0).astype(int)
    assert np.abs(difference).mean() < 3


def test_quality_decides_about_the_size() -> None:
    source = real_file("examples_rgb_color.dcm")
    low, high = transcoded(source, JPEG + "50", 10), transcoded(source, JPEG + "50", 95)
    assert low is not None
    assert high is not None
    assert len(low) < len(high) / 3
    assert b"IJG quality factor 10" in low


def test_a_palette_becomes_colour_in_lossy_jpeg() -> None:
    found = transcoded(real_file("examples_palette.dcm"), JPEG + "50")
    assert found is not None
    data_set = pydicom.dcmread(BytesIO(found))
    assert (data_set.SamplesPerPixel, data_set.PhotometricInterpretation) == (3, "YBR_FULL_422")
    assert "RedPaletteColorLookupTableData" not in data_set
    samples = data_set.Rows * data_set.Columns * 3
    assert float(data_set.LossyImageCompressionRatio) > samples / len(data_set.PixelData)  # of entries of 16 bits


@pytest.mark.parametrize(
    ("center", "width", "expected"),
    [
        (b"40", b"80", (b"34", b"80", b"center=34/width=80")),
        (b"40\\x\\50.5", b"80\\90\\1e6", (b"34\\44.5 ", b"80\\1E+06", b"center=34/width=80\\center=44.5/width=1E+06")),
        (b"+40abc", b" 80 x", (b"34", b"80", b"center=34/width=80")),
        (b"1e400", b"80", (None, None, None)),
        (b"", b"", (None, None, None)),
        (b"1" * 9999, b"80", (b"1.11111E+63 ", b"80", b"center=1.11111E+63/width=80 ")),
    ],
)
def test_windows_follow_the_gray_levels_of_lossy_jpeg(
    center: bytes, width: bytes, expected: tuple[bytes | None, ...]
) -> None:
    image = image_of(bytes(range(6, 30)), 6, 4)
    found = transcoded(file_of({**image, 0x00281050: ("DS", center), 0x00281051: ("DS", width)}), JPEG + "50")
    after = read_file(found or b"").data_set
    values = tuple(after[tag].value if tag in after else None for tag in (0x00281050, 0x00281051, 0x00281055))
    assert values == expected


@pytest.mark.parametrize("bits", [8, 16])
@pytest.mark.parametrize("size", [1, 2, 6, 8, 16, 33])
@pytest.mark.parametrize("samples", [1, 3])
def test_noise_fits_into_jpeg_ls(size: int, bits: int, samples: int) -> None:
    pixels = np.random.default_rng(size).integers(0, 256, size * size * samples * bits // 8, np.uint8).tobytes()
    photometric = "RGB" if samples == 3 else "MONOCHROME2"
    source = file_of(image_of(pixels, size, size, bits=bits, samples=samples, photometric=photometric))
    found = read_file(transcoded(source, JPEG + "80") or b"")
    assert np.array_equal(decode_frame(found, 0), decode_frame(read_file(source), 0))
    assert transcoded(source, JPEG + "81") is not None


@pytest.mark.parametrize("sop_class", [None, b""])
def test_lossy_jpeg_names_no_source_without_a_class(sop_class: bytes | None) -> None:
    data_set = {**read_file(file_of(image_of(bytes(24), 6, 4))).data_set}
    del data_set[0x00080016]
    if sop_class is not None:
        data_set[0x00080016] = Element("UI", sop_class)
    after = read_file(transcoded(write_file(data_set, EXPLICIT_LE), JPEG + "50") or b"")
    assert 0x00082112 not in after.data_set
    assert after.meta[0x00020002].value == (b"1.2.276.0.7230010.3.1.0.1\0" if sop_class is None else b"")


def test_lossy_jpeg_keeps_no_table_for_other_values() -> None:
    table = ("SQ", [{0x00283002: Element("US", struct.pack("<3H", 1, 0, 8))}])
    image = image_of(bytes(24), 6, 4) | {0x00281101: us(0, 0, 16), 0x00283010: table}
    after = read_file(transcoded(file_of(image), JPEG + "50") or b"").data_set
    assert not after.keys() & {0x00281101, 0x00283010}


def test_compressed_colours_become_rgb() -> None:
    found = transcoded(real_file("examples_ybr_color.dcm"), EXPLICIT_LE)
    assert found is not None
    data_set = pydicom.dcmread(BytesIO(found))
    assert (data_set.PhotometricInterpretation, data_set.PlanarConfiguration) == ("RGB", 0)
    assert len(data_set.PixelData) == 240 * 320 * 3 * 30


@pytest.mark.parametrize("target", [IMPLICIT_LE, EXPLICIT_LE, JPEG + "70"])
def test_compressed_icons_become_native(target: str) -> None:
    data_set = pydicom.dcmread(BytesIO(real_file("SC_rgb_jpeg_dcmtk.dcm")))
    icon = pydicom.Dataset()
    for name in ("SamplesPerPixel", "PhotometricInterpretation", "PlanarConfiguration", "Rows", "Columns"):
        setattr(icon, name, data_set[name].value)
    icon.BitsAllocated = icon.BitsStored = 8
    icon.HighBit, icon.PixelRepresentation, icon.PixelData = 7, 0, data_set.PixelData
    icon["PixelData"].VR, icon["PixelData"].is_undefined_length = "OB", True
    holder = pydicom.Dataset()
    holder.IconImageSequence = [icon]
    data_set.ReferencedImageSequence = [holder]
    buffer = BytesIO()
    data_set.save_as(buffer)
    found = transcoded(buffer.getvalue(), target)
    assert found is not None
    (shown,) = pydicom.dcmread(BytesIO(found)).ReferencedImageSequence[0].IconImageSequence
    assert shown.PhotometricInterpretation == "RGB"
    assert shown.PixelData == pydicom.dcmread(BytesIO(transcoded(buffer.getvalue(), EXPLICIT_LE) or b"")).PixelData


def test_runs_keep_their_colours_and_their_order() -> None:
    planes = np.arange(3 * 4 * 5, dtype=np.uint8)
    image = image_of(planes.tobytes(), 5, 4, samples=3, photometric="YBR_FULL", planar=1)
    compressed = transcoded(file_of(image), RLE)
    assert compressed is not None
    data_set = pydicom.dcmread(BytesIO(transcoded(compressed, EXPLICIT_LE) or b""))
    assert data_set.PhotometricInterpretation == "YBR_FULL"


def test_lengths_of_groups_are_kept_up_to_date() -> None:
    length = ("UL", b"\0\0\0\0")
    source = file_of({0x00080000: length, 0x00100000: length, 0x00100010: ("PN", b"Doe^Jane")}, IMPLICIT_LE)
    data_set = read_file(transcoded(source, EXPLICIT_LE) or b"").data_set
    assert data_set[0x00100000].value == struct.pack("<I", 8 + 8 + 8 + 2)
    assert data_set[0x00080000].value == struct.pack("<I", 8 + 26 + 8 + 8)


def test_a_file_in_the_wanted_syntax_is_returned_as_it_is() -> None:
    source = real_file("CT_small.dcm")
    assert transcoded(source, EXPLICIT_LE) is source


@pytest.mark.parametrize("target", [IMPLICIT_LE, EXPLICIT_BE, DEFLATED_LE, JPEG + "50", JPEG + "70"])
def test_a_file_without_pixels_only_changes_its_form(target: str) -> None:
    found = transcoded(real_file("rtplan.dcm"), target)
    assert found is not None
    assert read_file(found).data_set == read_file(real_file("rtplan.dcm")).data_set


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("CT_small.dcm", JPEG + "50"),
        ("CT_small.dcm", JPEG + "81"),
        ("CT_small.dcm", JPEG + "53"),
        ("rtplan.dcm", JPEG + "90"),
        ("liver_1frame.dcm", JPEG + "70"),
        ("rtdose.dcm", JPEG + "80"),
        ("SC_ybr_full_422_uncompressed.dcm", JPEG + "70"),
        ("examples_palette.dcm", JPEG + "81"),
    ],
)
def test_what_cannot_be_produced(name: str, target: str) -> None:
    assert transcoded(real_file(name), target) is None


@pytest.mark.parametrize(
    ("bits", "targets"), [(None, [50, 51, 70]), (7, [51, 70]), (8, [50, 51, 70]), (12, [51, 70]), (13, [70])]
)
def test_bits_stored_decide_even_without_pixels(bits: int | None, targets: list[int]) -> None:
    data_set = pydicom.dcmread(BytesIO(real_file("rtplan.dcm")))
    if bits is not None:
        data_set.BitsStored = bits
    buffer = BytesIO()
    data_set.save_as(buffer)
    found = [target for target in (50, 51, 70) if transcoded(buffer.getvalue(), f"{JPEG}{target}") is not None]
    assert found == targets


def test_bytes_that_are_no_dicom() -> None:
    assert transcoded(b"\x08\x00\x05\x00CS\xff\xff", EXPLICIT_LE) is None


def test_known_transfer_syntaxes() -> None:
    assert is_known(JPEG + "90")
    assert is_known(RLE)
    assert not is_known("1.2.3")
    assert not is_known(JPEG + "201")


@given(st.binary(max_size=400))
def test_run_lengths_are_undone(row: bytes) -> None:
    assert unpack_bits(pack_bits(row), len(row)) == row


def test_a_turn_is_held_while_pixels_are_converted_and_only_then() -> None:
    class Turn:
        taken = held = 0

        def __enter__(self) -> None:
            self.taken += 1
            self.held += 1

        def __exit__(self, *_: object) -> None:
            self.held -= 1

    turn = Turn()
    dicom = real_file("CT_small.dcm")
    for target, taken in ((EXPLICIT_LE, 0), (IMPLICIT_LE, 0), (JPEG + "70", 1), ("nope", 1)):
        transcode(dicom, target, STANDARD, identifiers=SeededIdentifiers(1), turn=turn)
        assert (turn.taken, turn.held) == (taken, 0)


def test_small_frames_do_not_become_far_more_than_was_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """A JPEG has tables of 300 bytes, whatever its size: a million frames of a byte took a gigabyte."""
    source = file_of(image_of(bytes(100), 1, 1, frames=100))
    assert transcoded(source, JPEG + "50") is not None
    monkeypatch.setattr(limits, "_UNPACKED", 1000)
    assert transcoded(source, JPEG + "50") is None


@pytest.mark.parametrize("high", [8, 65534])
def test_samples_of_a_high_bit_that_they_do_not_have(high: int) -> None:
    source = file_of(image_of(bytes(range(24)), 6, 4, high=high))
    assert transcoded(source, JPEG + "50") is not None
