"""What we need of the inner parts of libraries: one test for each, which names the reason.

When a new version of a library breaks one, the place that relies on it is to be changed, or the version bounded.
"""

from __future__ import annotations

import base64
import io
import sys
from typing import Any

import imagecodecs
import numpy as np
import pytest
from PIL import Image, ImageFile
from PIL.PngImagePlugin import PngImageFile

from orthanc_lab.dicom.files import data_uri
from orthanc_lab.dicom.images.picture import samples_of
from orthanc_lab.dicom.images.read_jpeg import read_jpeg
from orthanc_lab.dicom.images.read_png import read_png
from orthanc_lab.protocol.errors import OrthancError
from tests.create.pictures import raw_png

COLOURS = np.arange(16 * 16 * 3, dtype=np.uint8).reshape(16, 16, 3)


def opened(image: Image.Image, kind: str, **options: object) -> ImageFile.ImageFile:
    buffer = io.BytesIO()
    image.save(buffer, kind, **options)
    found = Image.open(io.BytesIO(buffer.getvalue()))
    assert isinstance(found, ImageFile.ImageFile)
    return found


def test_the_colours_inside_of_a_jpeg_can_be_named() -> None:
    """``codecs/jpeg_baseline.py``: Photometric Interpretation decides where a JPEG has no Adobe marker."""
    stored = opened(Image.fromarray(COLOURS), "JPEG", subsampling=0)
    stored.draft("YCbCr", None)  # type: ignore[arg-type] # the size stays
    picture = opened(Image.fromarray(COLOURS), "JPEG", subsampling=0)
    assert [tile.args[0] for tile in picture.tile or ()] == ["RGB"]
    picture.tile = [tile._replace(args=("RGB", "RGB")) for tile in picture.tile or ()]
    assert np.array_equal(np.asarray(picture), np.asarray(stored))


def test_either_half_of_16_bits_can_be_read() -> None:
    """``images/read_png.py``: of RGBA with 16 bits Pillow itself keeps 8."""
    words = (np.arange(4 * 5 * 4).reshape(4, 5, 4) * 411).astype(">u2")
    rows = b"".join(b"\0" + row.tobytes() for row in words)
    halves = []
    for mode in ("RGBA;16L", "RGBA;16B"):
        picture = PngImageFile(io.BytesIO(raw_png(5, 4, 16, 6, rows)))
        picture.tile = [tile._replace(args=mode) for tile in picture.tile or ()]
        halves.append(np.asarray(picture))
    assert np.array_equal(halves[0], words & 0xFF)
    assert np.array_equal(halves[1], words >> 8)


def test_the_samples_come_last_in_a_ppm() -> None:
    """``images/picture.py``: samples are taken in the pieces in which Pillow writes them."""
    for pixels in (COLOURS, COLOURS[..., 0], np.zeros((700, 900, 3), np.uint8)):
        assert b"".join(samples_of(Image.fromarray(pixels))) == pixels.tobytes()


@pytest.mark.parametrize("options", [{}, {"subsampling": 0}, {"progressive": True}, {"keep_rgb": True}])
@pytest.mark.parametrize("gray", [False, True])
def test_both_decoders_of_jpeg_give_the_same_samples(
    gray: bool, options: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """``images/read_jpeg.py``: pixels do not depend on the extra ``codecs``, not even those of a damaged picture."""
    buffer = io.BytesIO()
    Image.fromarray(COLOURS[..., 0] if gray else COLOURS).save(buffer, "JPEG", **options)
    whole = buffer.getvalue()
    for data in (whole, whole[:-2], whole[: len(whole) * 9 // 10], whole + b"more"):
        found = read_jpeg(data).pixels
        with monkeypatch.context() as without:
            without.setitem(sys.modules, "imagecodecs", None)
            assert read_jpeg(data).pixels == found


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA"])
def test_both_decoders_of_png_give_the_same_samples(mode: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """``images/read_png.py``: pixels do not depend on the extra ``codecs``, whatever filter a row has."""
    channels = len(mode)
    rows = np.random.default_rng(1).integers(0, 256, (50, 30 * channels), np.uint8)
    filtered = b"".join(bytes((index % 5,)) + row.tobytes() for index, row in enumerate(rows))
    data = raw_png(30, 50, 8, {"L": 0, "RGB": 2, "RGBA": 6}[mode], filtered)
    found = read_png(data).pixels
    monkeypatch.setitem(sys.modules, "imagecodecs", None)
    assert read_png(data).pixels == found
    judge = np.asarray(Image.open(io.BytesIO(data)))
    assert found == (judge if mode == "L" else judge[..., :3]).tobytes()


def test_libjpeg_turbo_has_all_precisions() -> None:
    """``codecs/jpeg_process.py``: an older libjpeg-turbo has neither 12 bits nor lossless JPEG."""
    assert imagecodecs.JPEG8.all_precisions
    assert not imagecodecs.JPEG8.legacy


_PLAIN = base64.b64encode(bytes(range(256)) * 200)  # more than enough for the extra to be used


@pytest.mark.parametrize(
    "end", [b"", b"A", b"AA", b"AAA", b"AA=", b"AA==", b"AAA=", b"=", b"====", b"AA==AAAA", b"A=AA"]
)
@pytest.mark.parametrize("flaw", [None, b"-", b"_", b"\n", b" ", b"=", b"\0", b"\xff", b"%"])
def test_both_decoders_of_base64_agree(end: bytes, flaw: bytes | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """``files/data_uri.py``: what a content is does not depend on the extra ``codecs``, nor what is refused."""
    data = _PLAIN[:-4] + end
    if flaw is not None:
        data = data[:40_000] + flaw + data[40_001:]
    with_it = _decoded(data)
    monkeypatch.setitem(sys.modules, "pybase64", None)
    assert with_it == _decoded(data)
    if flaw is None and end in {b"", b"AAA=", b"AA=="}:
        assert with_it == [base64.b64decode(data)] * 2


def _decoded(data: bytes) -> list[bytes | int]:
    """Return what a data URI contains, or the number of the error, as a view and as a text."""
    uri = b"data:image/png;base64," + data
    found: list[bytes | int] = []
    for form in (memoryview(uri), uri.decode("latin-1")):
        try:
            found.append(data_uri.decode(form)[1])
        except OrthancError as error:
            found.append(error.code)
    return found
