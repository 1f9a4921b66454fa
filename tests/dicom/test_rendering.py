"""Pictures for the screen: stretched, windowed, cut off, resized; and the files they are written to."""

from __future__ import annotations

import io
import struct
import tracemalloc
import zipfile
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image

from orthanc_lab.dicom.files.data_set import Value
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.images import picture_files
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.palette import apply_palette, palette_of
from orthanc_lab.dicom.images.rendering import (
    MAX_PIXELS,
    Rescale,
    Window,
    preview,
    render,
    rescale_of,
    rescaled,
    resize,
    truncate,
    window_of,
)
from orthanc_lab.dicom.images.ybr import rgb_of_ybr_full
from tests.dicom.build import code_of, file_of, image_of

GRAY = ImageDescription(2, 1, 1, False, "MONOCHROME2", 16, 16, 15, False, 1)
INVERTED = ImageDescription(2, 1, 1, False, "MONOCHROME1", 16, 16, 15, False, 1)
FULL = Window(128, 256)


def gray(*values: int, kind: Any = np.uint16) -> Any:
    return np.array([values], kind)


def test_preview_stretches_gray_values_and_inverts_monochrome1() -> None:
    assert preview(gray(100, 150, 300), GRAY).tolist() == [[0, 64, 255]]
    assert preview(gray(-5, 0, 5, kind=np.int16), GRAY).tolist() == [[0, 128, 255]]
    assert preview(gray(100, 300), INVERTED).tolist() == [[255, 0]]
    assert preview(gray(7, 7), GRAY).tolist() == [[0, 0]]
    assert code_of(lambda: preview(gray(1, 2, kind=np.uint32), GRAY)) == 23


def test_colours_stay_as_they_are() -> None:
    assert preview(np.array([[[1, 2, 3]]], np.uint8), GRAY).tolist() == [[[1, 2, 3]]]
    assert render(np.array([[[0x100, 0x2FF, 3]]], np.uint16), GRAY, Rescale(), FULL).tolist() == [[[1, 2, 0]]]


@pytest.mark.parametrize(
    ("rescale", "window", "levels"),
    [
        (Rescale(), FULL, [0, 99, 255]),
        (Rescale(2, -100), FULL, [0, 99, 255]),
        (Rescale(-1, 300), Window(100, 200), [255, 255, 0]),
        (Rescale(), Window(100, 0), [0, 127, 255]),
        (Rescale(), Window(100, -50), [0, 127, 255]),
        (Rescale(), Window(float("nan"), 1), [0, 0, 0]),
    ],
)
def test_windows(rescale: Rescale, window: Window, levels: list[int]) -> None:
    assert render(gray(0, 100, 300), GRAY, rescale, window).tolist() == [levels]
    assert render(gray(0, 100, 300), INVERTED, rescale, window).tolist() == [[255 - level for level in levels]]


@pytest.mark.parametrize(
    ("center", "width", "window"),
    [
        (b"40", b"400 ", Window(40, 400)),
        (b"40\\50 ", b"4e2\\1 ", Window(40, 400)),
        (b"abc ", b"400 ", Window(2048, 4096)),
        (b"40", b"", Window(2048, 4096)),
    ],
)
def test_window_of_a_file(center: bytes, width: bytes, window: Window) -> None:
    elements = image_of(bytes(2), 1, 1, bits=16, stored=12)
    file = read_file(file_of({**elements, 0x00281050: ("DS", center), 0x00281051: ("DS", width)}))
    description = ImageDescription(1, 1, 1, False, "MONOCHROME2", 16, 12, 11, False, 1)
    assert window_of(file.data_set, description) == window


@pytest.mark.parametrize(
    ("slope", "intercept", "rescale"),
    [
        (b"2 ", b"-1024 ", Rescale(2, -1024)),
        (b"2 ", b"", Rescale()),
        (b"1\\2 ", b"0 ", Rescale()),
        (b" .5 ", b"1 ", Rescale(0.5, 1)),
    ],
)
def test_rescale_of_a_file(slope: bytes, intercept: bytes, rescale: Rescale) -> None:
    file = read_file(file_of({0x00281053: ("DS", slope), 0x00281052: ("DS", intercept)}))
    assert rescale_of(file.data_set) == rescale
    values = rescaled(gray(1, 3), rescale_of(file.data_set))
    assert values.dtype == np.float32
    assert values.tolist() == [[rescale.slope + rescale.intercept, 3 * rescale.slope + rescale.intercept]]


def test_values_are_cut_off() -> None:
    values = gray(-5, 300, 32767, kind=np.int16)
    assert truncate(values, 0, 255).tolist() == [[0, 255, 255]]
    assert truncate(values, 0, 65535).tolist() == [[0, 300, 32767]]
    assert truncate(gray(40000), -32768, 32767).tolist() == [[32767]]
    assert code_of(lambda: truncate(np.zeros((1, 1, 3), np.uint8), 0, 255)) == 23


@pytest.mark.parametrize(
    ("box", "size"),
    [
        ((50, 0), (50, 35)),
        ((0, 20), (29, 20)),
        ((30, 10), (14, 10)),
        ((200, 140), (200, 140)),
        ((0, 0), (100, 70)),
        ((1, 0), (1, 1)),
    ],
)
def test_a_picture_is_fitted_into_a_box(box: tuple[int, int], size: tuple[int, int]) -> None:
    picture = np.tile(np.arange(100, dtype=np.uint8), (70, 1))
    for smooth in (False, True):
        assert resize(picture, *box, smooth=smooth).shape[::-1] == size


@pytest.mark.parametrize("convert", ["smooth", "palette", "ybr", "truncate", "png"])
def test_a_large_picture_is_converted_in_parts(convert: str) -> None:
    """Indices of eight bytes, and fractions, are needed for a part of it at a time."""
    side = 3000
    table = ("OW", bytes(range(256)))
    form = ("US", struct.pack("<3H", 256, 0, 8))
    palette: dict[int, tuple[str, Value]] = {0x00281100 + number: form for number in (1, 2, 3)}
    palette |= {0x00281200 + number: table for number in (1, 2, 3)}
    file = read_file(file_of(palette))
    gray, colour = np.zeros((side, side), np.uint8), np.zeros((side // 2, side // 2, 3), np.uint8)
    deep = np.zeros((2 * side, side), np.uint16)
    conversions: dict[str, Callable[[], Any]] = {
        "smooth": lambda: resize(gray, 100, 100, smooth=True),
        "palette": lambda: apply_palette(gray, palette_of(file.data_set)),
        "ybr": lambda: rgb_of_ybr_full(colour),
        "truncate": lambda: truncate(gray, 0, 65535),
        "png": lambda: picture_files.png(deep),
    }
    tracemalloc.start()
    try:
        made = conversions[convert]()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < memoryview(made).nbytes + (40 << 20)


def test_a_smooth_picture_is_the_mean_of_what_is_around() -> None:
    picture = np.zeros((10, 10), np.uint8)
    picture[5, 5] = 255
    assert resize(picture, 5, 5, smooth=True).tolist() == [
        [0, 0, 0, 0, 0],
        [0, 0, 5, 0, 0],
        [0, 5, 35, 5, 0],
        [0, 0, 5, 0, 0],
        [0, 0, 0, 0, 0],
    ]


def test_sizes_that_are_refused() -> None:
    line = np.zeros((1, 12), np.uint8)
    assert code_of(lambda: resize(line, 5, 33, smooth=False)) == 24
    assert code_of(lambda: resize(line, MAX_PIXELS + 1, 0, smooth=False)) == 24


_PICTURES = (
    arrays.arrays(np.uint8, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9))
    | arrays.arrays(np.uint16, arrays.array_shapes(min_dims=2, max_dims=2, max_side=9))
    | arrays.arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
)


@given(_PICTURES)
def test_png_and_numpy_are_read_back(picture: Any) -> None:
    with Image.open(io.BytesIO(picture_files.png(picture))) as found:
        assert np.array_equal(np.asarray(found), picture)
    shape = (*picture.shape, 1)[:3]
    data = picture_files.npy_head(shape, picture.dtype) + picture.tobytes()
    assert np.array_equal(np.load(io.BytesIO(data)), picture.reshape(shape))
    stacked = np.load(io.BytesIO(picture_files.npy_head((2, *shape), picture.dtype) + 2 * picture.tobytes()))
    assert stacked.shape == (2, *shape)
    assert np.array_equal(stacked[1], picture.reshape(shape))
    packed = picture_files.npz([data[:70], data[70:]], len(data))
    assert np.array_equal(np.load(io.BytesIO(packed))["arr_0"], picture.reshape(shape))


def test_other_files() -> None:
    rgb = np.arange(12, dtype=np.uint8).reshape(2, 2, 3)
    header = b"P7\nWIDTH 2\nHEIGHT 2\nDEPTH 3\nMAXVAL 255\nTUPLTYPE RGB\nENDHDR\n"
    assert picture_files.pam(rgb) == header + bytes(range(12))
    assert picture_files.pam(gray(1, 258)).endswith(b"MAXVAL 65535\nTUPLTYPE GRAYSCALE\nENDHDR\n\0\1\1\2")
    with Image.open(io.BytesIO(picture_files.jpeg(rgb, 90))) as found:
        assert (found.format, found.mode, found.size) == ("JPEG", "RGB", (2, 2))
    assert picture_files.matlab(np.array([[0, 1], [2, -3]], np.int16), 1000) == "double([ 0 1 ; 2 -3 ])"
    wide = np.arange(18, dtype=np.uint8).reshape(2, 3, 3)
    assert picture_files.matlab(wide, 1000).endswith("16 17 ], [ 3 2 3 ]), [ 3 2 1 ]))")
    with zipfile.ZipFile(io.BytesIO(picture_files.npz([b"x"], 1))) as archive:
        assert (archive.comment, archive.namelist()) == (b"Created by Orthanc", ["arr_0"])
    assert code_of(lambda: picture_files.png(np.zeros((0, 0), np.uint8))) == 24
