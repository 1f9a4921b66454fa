"""The codecs of compressed pixel data: dcmtk's tools as the judge, in both directions and at every depth."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any

import imagecodecs
import numpy as np
import pydicom
import pytest
from numpy.typing import NDArray
from PIL import Image

from orthanc_lab.dicom.codecs.pixels import decode_frame
from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE
from tests.dicom.build import file_of, image_of, real_file

JPEG = "1.2.840.10008.1.2.4."
RLE = "1.2.840.10008.1.2.5"
DECODERS = {JPEG + "57": "dcmdjpeg", JPEG + "70": "dcmdjpeg", JPEG + "80": "dcmdjpls", RLE: "dcmdrle"}

Array = NDArray[Any]


def dcmtk(program: str, *arguments: str, folder: Path, dicom: bytes) -> bytes:
    """Return what a tool of dcmtk makes of a file."""
    path = shutil.which(program)
    if path is None:
        if os.environ.get("CI"):
            pytest.fail("dcmtk is not installed")
        pytest.skip("dcmtk is not installed")
    source, target = folder / "source.dcm", folder / "target.dcm"
    source.write_bytes(dicom)
    done = subprocess.run([path, *arguments, source, target], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return target.read_bytes()


def samples(bits: int, colours: int, *, signed: bool = False) -> Array:
    """Return a smooth picture with some noise that has the smallest and the largest value."""
    y, x = np.mgrid[:61, :47]
    wave = (np.sin(x / 17) + np.cos(y / 23) + 2) / 4
    noise = np.random.default_rng(bits).normal(0, 0.01, wave.shape)
    gray = np.clip((wave + noise) * ((1 << bits) - 1), 0, (1 << bits) - 1)
    gray[0, 0], gray[-1, -1] = 0, (1 << bits) - 1
    whole = gray.astype(np.int64) - ((1 << (bits - 1)) if signed else 0)
    kind = np.dtype(f"<{'i' if signed else 'u'}{1 if bits <= 8 else 2}")
    picture = whole if colours == 1 else np.stack([whole, np.roll(whole, 3, 0), np.roll(whole, 5, 1)], axis=-1)
    return np.ascontiguousarray(picture.astype(kind))


def file_with(pixels: Array, bits: int) -> bytes:
    """Return a file with these pixels."""
    changes: dict[str, int | str] = {"bits": 8 * pixels.dtype.itemsize, "stored": bits}
    if pixels.ndim == 3:
        changes |= {"samples": 3, "photometric": "RGB", "planar": 0}
    if pixels.dtype.kind == "i":
        changes["signed"] = 1
    return file_of(image_of(pixels.tobytes(), pixels.shape[1], pixels.shape[0], **changes))


def transcoded(dicom: bytes, target: str, quality: int = 90) -> bytes:
    found = transcode(dicom, target, STANDARD, quality=quality, identifiers=SeededIdentifiers())
    assert found is not None
    return found


def values(dicom: bytes) -> Array:
    """Return the samples of an uncompressed file."""
    data_set = pydicom.dcmread(BytesIO(dicom))
    shape = (data_set.Rows, data_set.Columns) + ((3,) if data_set.SamplesPerPixel == 3 else ())
    kind = f"<{'i' if data_set.PixelRepresentation else 'u'}{data_set.BitsAllocated // 8}"
    flat = np.frombuffer(data_set.PixelData, kind, int(np.prod(shape)))
    if data_set.get("PlanarConfiguration"):
        return np.moveaxis(flat.reshape(3, *shape[:2]), 0, -1)
    return flat.reshape(shape)


@pytest.mark.parametrize("target", [*DECODERS, JPEG + "90"])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("bits", [8, 10, 12, 16])
def test_lossless_at_every_depth(bits: int, colours: int, target: str, tmp_path: Path) -> None:
    pixels = samples(bits, colours)
    compressed = transcoded(file_with(pixels, bits), target)
    assert np.array_equal(values(transcoded(compressed, EXPLICIT_LE)), pixels)
    if target in DECODERS:
        assert np.array_equal(values(dcmtk(DECODERS[target], folder=tmp_path, dicom=compressed)), pixels)


@pytest.mark.parametrize("target", [*DECODERS, JPEG + "90"])
@pytest.mark.parametrize("bits", [12, 16])
def test_signed_samples(bits: int, target: str, tmp_path: Path) -> None:
    pixels = samples(bits, 1, signed=True)
    compressed = transcoded(file_with(pixels, bits), target)
    assert np.array_equal(values(transcoded(compressed, EXPLICIT_LE)), pixels)
    if target in DECODERS:
        assert np.array_equal(values(dcmtk(DECODERS[target], folder=tmp_path, dicom=compressed)), pixels)


@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize("bits", [8, 12, 16])
def test_near_lossless(bits: int, colours: int, tmp_path: Path) -> None:
    pixels = samples(bits, colours)
    compressed = transcoded(file_with(pixels, bits), JPEG + "81")
    ours = values(transcoded(compressed, EXPLICIT_LE))
    assert np.abs(ours.astype(int) - pixels.astype(int)).max() == 2
    assert np.array_equal(values(dcmtk("dcmdjpls", folder=tmp_path, dicom=compressed)), ours)


@pytest.mark.parametrize("bits", [8, 10, 12, 16])
@pytest.mark.parametrize("colours", [1, 3])
@pytest.mark.parametrize(
    "command",
    [
        ("dcmcjpeg", "+e1"),
        *(("dcmcjpeg", "+el", "+sv", str(predictor)) for predictor in range(1, 8)),
        ("dcmcjpls", "+el"),
        ("dcmcrle",),
    ],
)
def test_lossless_files_of_dcmtk(command: tuple[str, ...], colours: int, bits: int, tmp_path: Path) -> None:
    pixels = samples(bits, colours)
    made = dcmtk(*command, folder=tmp_path, dicom=file_with(pixels, bits))
    assert np.array_equal(values(transcoded(made, EXPLICIT_LE)), pixels)


@pytest.mark.parametrize(
    ("process", "bits"), [("+eb", 8), *((process, bits) for process in ("+ee", "+es", "+ep") for bits in (8, 12))]
)
def test_lossy_files_of_dcmtk_become_the_same_gray(process: str, bits: int, tmp_path: Path) -> None:
    """Each decoder may round in its own way; libjpeg-turbo does it as dcmtk does."""
    made = dcmtk("dcmcjpeg", process, "+q", "80", folder=tmp_path, dicom=file_with(samples(bits, 1), bits))
    judge = values(dcmtk("dcmdjpeg", folder=tmp_path, dicom=made))
    assert np.array_equal(values(transcoded(made, EXPLICIT_LE)), judge)


@pytest.mark.parametrize("bits", [6, 8, 10, 12])
def test_lossy_gray_of_each_depth_means_the_same_as_that_of_dcmtk(bits: int, tmp_path: Path) -> None:
    source = file_with(samples(bits, 1), bits)
    judge = dcmtk("dcmcjpeg", "+ee", "+q", "95", folder=tmp_path, dicom=source)
    for made in (judge, transcoded(source, JPEG + "51", 95)):
        found = pydicom.dcmread(BytesIO(made))
        assert (found.BitsAllocated, found.BitsStored) == ((8, 8) if bits <= 8 else (16, 12))
        native = values(dcmtk("dcmdjpeg", folder=tmp_path, dicom=made)).astype(float)
        scale = ((1 << found.BitsStored) - 1) / ((1 << bits) - 1)
        assert np.abs(native / scale - samples(bits, 1)).mean() < 0.01 * (1 << bits)


@pytest.mark.parametrize("target", [JPEG + "57", JPEG + "70"])
def test_eight_bits_in_words_of_sixteen(target: str, tmp_path: Path) -> None:
    pixels = samples(8, 1).astype(np.uint16)
    compressed = transcoded(file_with(pixels, 8), target)
    assert np.array_equal(values(dcmtk("dcmdjpeg", folder=tmp_path, dicom=compressed)), pixels)


@pytest.mark.parametrize("name", ["JPGExtended.dcm", "JPEG-lossy.dcm", "SC_rgb_jpeg_gdcm.dcm", "SC_rgb_jpeg_dcmtk.dcm"])
def test_real_files(name: str, tmp_path: Path) -> None:
    judge = values(dcmtk("dcmdjpeg", folder=tmp_path, dicom=real_file(name)))
    assert np.array_equal(decode_frame(read_file(real_file(name)), 0), judge)


@pytest.mark.parametrize("target", [JPEG + "70", JPEG + "80", JPEG + "90"])
def test_a_picture_of_another_size_is_refused(target: str) -> None:
    compressed = transcoded(file_with(samples(8, 1), 8), target)
    lying = compressed.replace(
        struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 61), struct.pack("<HH2sHH", 0x28, 0x10, b"US", 2, 6100)
    )
    assert lying != compressed
    assert transcode(lying, EXPLICIT_LE, STANDARD, identifiers=SeededIdentifiers()) is None


def jpeg_2000() -> bytes:
    """Return a codestream of 64 x 64 gray pixels."""
    return bytes(imagecodecs.jpeg2k_encode(np.zeros((64, 64), np.uint8), level=0, codecformat="J2K"))


@pytest.mark.parametrize(
    ("start", "end", "change"),
    [
        (40, 42, b"\xff\xff"),
        (24, 32, struct.pack(">II", 1, 1)),
        (55, 57, b"\0\0"),
        (45, 54, struct.pack(">HHBBHB", 0xFF52, 16, 1, 0, 1, 0)),
        (45, 45, b"\xff\x30\xff\xff"),
    ],
    ids=["components", "tiles", "code-blocks", "precincts", "unknown"],
)
def test_a_jpeg_2000_picture_of_countless_parts_is_refused(start: int, end: int, change: bytes) -> None:
    """OpenJPEG takes memory for each component, tile and code-block, whatever the size of the picture."""
    sound = jpeg_2000()
    assert decode_frame(read_file(encapsulated(sound)), 0).shape == (64, 64)
    lying = sound[:start] + change + sound[end:]
    if len(change) == 9:  # the sizes of the precincts come behind the rest of the segment
        lying = lying[:59] + b"\x11" * 4 + lying[59:]
    with pytest.raises(OrthancError, match="Cannot decode"):
        decode_frame(read_file(encapsulated(lying)), 0)


def test_precincts_may_be_small_at_low_resolutions() -> None:
    sound = jpeg_2000()
    coding = struct.pack(">HHBBHB", 0xFF52, 16, 1, 0, 1, 0) + sound[54:59] + b"\x33\x44\x55\x66"
    assert decode_frame(read_file(encapsulated(sound[:45] + coding + sound[59:])), 0).shape == (64, 64)


def test_the_size_of_a_jpeg_2000_picture_is_that_of_what_is_decoded() -> None:
    """There is another size in a box before the picture."""
    large = bytes(imagecodecs.jpeg2k_encode(np.zeros((256, 256), np.uint8), level=0, codecformat="JP2"))
    box = struct.pack(">I4s", 8 + 52, b"uuid") + jpeg_2000()[:52]
    start = large.index(b"jp2h") - 4
    with pytest.raises(OrthancError, match="Cannot decode"):
        decode_frame(read_file(encapsulated(large[:start] + box + large[start:])), 0)


def test_a_jpeg_picture_of_countless_scans_is_refused() -> None:
    buffer = BytesIO()
    Image.new("L", (64, 64)).save(buffer, "JPEG", progressive=True)
    sound = buffer.getvalue()
    assert decode_frame(read_file(encapsulated(sound, JPEG + "50")), 0).shape == (64, 64)
    scan = sound[sound.rindex(b"\xff\xda") : -2]
    with pytest.raises(OrthancError, match="Cannot decode"):
        decode_frame(read_file(encapsulated(sound[:-2] + 100 * scan + sound[-2:], JPEG + "50")), 0)


def test_a_jpeg_ls_picture_is_decoded_to_its_end_marker(monkeypatch: pytest.MonkeyPatch) -> None:
    """CharLS takes ten seconds for a scan that goes to the very end of the data."""
    sound = bytes(imagecodecs.jpegls_encode(np.zeros((64, 64), np.uint8)))
    assert decode_frame(read_file(encapsulated(sound, JPEG + "80")), 0).shape == (64, 64)
    passed: list[bytes] = []
    monkeypatch.setattr(imagecodecs, "jpegls_decode", passed.append)
    for frame in (sound[:-2], sound[:-2] + b"\xff\xd9\x55"):
        with pytest.raises(OrthancError, match="Cannot decode"):
            decode_frame(read_file(encapsulated(frame, JPEG + "80")), 0)
    assert [data[-2:] for data in passed] == [b"\xff\xd9"]


def encapsulated(frame: bytes, syntax: str = JPEG + "90") -> bytes:
    elements = image_of(b"", 64, 64)
    elements[0x7FE00010] = ("OB", (b"", frame + bytes(len(frame) % 2)))
    return file_of(elements, syntax)
