"""Frames as what a viewer draws."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_lab.widgets.browser.windows import ValueRange, aspect, given_window, presets
from orthanc_lab.widgets.elements.slice_image import SliceImage, Window


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([[-1024.0, 3071.0]], "f4"), "int16"),
        (np.array([[0, 65535]], "u2"), "float32"),
        (np.array([[0.5]], "f4"), "float32"),
        (np.array([[[1, 2, 3]]], "u1"), "rgb"),
    ],
)
def test_values_keep_what_they_are(values, kind):
    picture = SliceImage.of(values)
    read = np.frombuffer(picture.data, {"int16": "<i2", "float32": "<f4", "rgb": "u1"}[kind])
    assert picture.kind == kind
    assert np.array_equal(read.reshape(values.shape), values)


def test_a_large_picture_is_thinned_out():
    picture = SliceImage.of(np.zeros((4096, 3000), "u2"))
    assert (picture.rows, picture.columns, picture.step, len(picture.data)) == (1024, 750, 4, 1024 * 750 * 2)


ALL = Window("All values", 0, 2000)


def test_the_given_window_comes_first():
    tags = {"WindowCenter": "40", "WindowWidth": "400", "Modality": "CT"}
    names = [window.name for window in presets(tags, ALL)]
    assert names == ["As stored", "All values", "Soft tissue", "Lung", "Bone", "Brain"]
    assert presets({"Modality": "MR"}, ALL) == [ALL]


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"WindowCenter": "40"},
        {"WindowCenter": "40", "WindowWidth": "0"},
        {"WindowCenter": "wide", "WindowWidth": "9"},
        {"WindowCenter": None, "WindowWidth": None},
    ],
)
def test_no_window_is_given(tags):
    assert given_window(tags) is None


def test_all_values_are_those_of_all_slices():
    seen = ValueRange({"BitsStored": "12"})
    assert seen.window == Window("All values", 0, 1)
    assert not seen.add(np.zeros((0, 0)))
    assert seen.add(np.full((2, 2), 7))
    assert seen.window == Window("All values", 7, 1)
    assert [seen.add(np.array([[value]])) for value in (8, 7.5, -2)] == [True, False, True]
    assert seen.window == Window("All values", 3, 10)


@pytest.mark.parametrize(
    ("tags", "window"),
    [
        ({"BitsStored": "8"}, (127.5, 255)),
        ({"BitsStored": "8", "PixelRepresentation": "0", "RescaleSlope": "2", "RescaleIntercept": "-10"}, (245, 510)),
        ({"BitsStored": "8", "PixelRepresentation": "1"}, (60, 1)),
        ({}, (60, 1)),
    ],
)
def test_of_8_bits_all_values_are_the_possible_ones(tags, window):
    seen = ValueRange(tags)
    seen.add(np.full((2, 2), 60))
    assert (seen.window.center, seen.window.width) == window


def test_pixels_that_are_not_square():
    assert aspect({"PixelSpacing": r"2\1"}) == 2
    assert aspect({"PixelAspectRatio": r"1\2"}) == 0.5
    assert aspect({"PixelSpacing": r"0\1"}) == aspect({"PixelSpacing": "x"}) == aspect({}) == 1
