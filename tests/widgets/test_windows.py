"""Frames as what a viewer draws."""

from __future__ import annotations

import numpy as np
import pytest

from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.browser.windows import ValueRange, given_windows, presets
from orthanc_lab.widgets.elements.slice_image import SliceImage, Window


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        (np.array([[-1024.0, 3071.0]], "f4"), "int16"),
        (np.array([[0, 255]], "f4"), "uint8"),
        (np.array([[-1, 255]], "i2"), "int16"),
        (np.array([[0, 65535]], "u2"), "uint16"),
        (np.array([[-1, 65535]], "f4"), "float32"),
        (np.array([[np.nan]], "f4"), "float32"),
        (np.array([[0.5]], "f4"), "float32"),
        (np.array([[[1, 2, 3]]], "u1"), "rgb"),
    ],
)
def test_values_keep_what_they_are(values, kind):
    picture = SliceImage.of(values)
    read = np.frombuffer(picture.data, {"int16": "<i2", "uint16": "<u2", "float32": "<f4"}.get(kind, "u1"))
    assert picture.kind == kind
    assert np.array_equal(read.reshape(values.shape), values, equal_nan=kind == "float32")


def test_a_large_picture_is_thinned_out():
    picture = SliceImage.of(np.full((10, 9000), 300, "u2"))
    assert (picture.rows, picture.columns, picture.step, len(picture.data)) == (4, 3000, 3, 4 * 3000 * 2)


ALL = Window("All values", 0, 2000)


def header(**tags):
    numbers = {"center": "0028,1050", "width": "0028,1051", "name": "0028,1055"}
    return Header({numbers[name]: {"Name": name, "Type": "String", "Value": value} for name, value in tags.items()})


def test_the_given_windows_come_first():
    given = given_windows(header(center=r"40\-600", width=r"400\1500", name="SOFT"))
    assert given == [Window("As stored: SOFT", 40, 400), Window("As stored, 2", -600, 1500)]
    names = [window.name for window in presets("CT", given, ALL)]
    assert names[:6] == ["As stored: SOFT", "As stored, 2", "All values", "Soft tissue", "Lung", "Bone"]
    assert presets("MR", [], ALL) == [ALL]


@pytest.mark.parametrize(
    "tags",
    [
        {},
        {"center": "40"},
        {"center": "40", "width": "0"},
        {"center": "wide", "width": "9"},
        {"center": None, "width": None},
        {"center": "inf", "width": "9"},
    ],
)
def test_no_window_is_given(tags):
    assert given_windows(header(**tags)) == []


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
