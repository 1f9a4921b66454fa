"""Files are read without pydicom where that is possible, and hostile ones do no harm."""

from __future__ import annotations

import contextlib
import io
import warnings

import pydicom
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydicom.dataset import Dataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, ImplicitVRLittleEndian, RLELossless

from orthanc_lab.client.volumes.elements import find_elements
from orthanc_lab.client.volumes.files import read_image
from orthanc_lab.client.volumes.images import moment_of
from orthanc_lab.client.volumes.tag_numbers import TAGS
from tests.client.volume_files import encoded, enhanced, image

SYNTAXES = [ExplicitVRLittleEndian, ImplicitVRLittleEndian]


def nested(depth: int) -> Sequence:
    item = Dataset()
    item.PatientComments = "inside"
    if depth:
        item.RequestAttributesSequence = nested(depth - 1)
        item["RequestAttributesSequence"].is_undefined_length = True
    item.is_undefined_length_sequence_item = True
    return Sequence([item, Dataset()])


@pytest.mark.parametrize("syntax", SYNTAXES)
@pytest.mark.parametrize("depth", [0, 3, 20])
def test_elements_and_pixels_are_found_behind_sequences(syntax: str, depth: int) -> None:
    made = image(1)
    made.RequestAttributesSequence = nested(depth)
    made["RequestAttributesSequence"].is_undefined_length = True
    data = encoded(made, syntax)
    found = find_elements(data, set(TAGS.values()))
    if depth == 20:
        assert found is None  # so deep a file is pydicom's
        return
    assert found is not None
    assert data[found.start : found.start + found.length] == made.PixelData
    assert found.values[TAGS["PixelSpacing"]].strip() == b"0.5\\0.75"
    assert TAGS["EchoTime"] not in found.values


@pytest.mark.parametrize("made", [encoded(image(1), RLELossless), b"", b"DICM" * 100, encoded(image(1))[132:]])
def test_other_files_are_left_to_pydicom(made: bytes) -> None:
    assert find_elements(made, set(TAGS.values())) is None


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(SYNTAXES), st.data())
def test_broken_files_end_in_an_error_or_an_image(syntax: str, data: st.DataObject) -> None:
    file = bytearray(encoded(image(1), syntax))
    for _ in range(data.draw(st.integers(1, 4))):
        file[data.draw(st.integers(132, len(file) - 1))] = data.draw(st.integers(0, 255))
    del file[data.draw(st.integers(140, len(file))) :]
    found = find_elements(bytes(file), set(TAGS.values()))
    assert found is None or found.start + found.length <= len(file)
    with warnings.catch_warnings(), contextlib.suppress(ValueError):
        warnings.simplefilter("ignore")  # pydicom's
        read_image(bytes(file), "instance 1", {})


@pytest.mark.parametrize("made", [image(1), enhanced(2)])
def test_both_ways_read_the_same(made: Dataset) -> None:
    data = encoded(made)
    found = read_image(data, "instance 1", {})
    assert found is not None
    pixels = pydicom.dcmread(io.BytesIO(data)).pixel_array
    assert (found.pixels.squeeze() == pixels).all()
    assert found.frames[0].plane.name == ("instance 1" if pixels.ndim == 2 else "instance 1, frame 1")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("20260102120000", 1767355200),
        ("20260102120000.25", 1767355200.25),
        ("20260102120000+0100", 1767351600),
        ("20260102120000.5-0130", 1767360600.5),
        ("2026", None),
        ("20261302120000", None),
        ("20260102120000+9999", None),
        ("x" * 14, None),
        ("", None),
    ],
)
def test_moments(text: str, seconds: float | None) -> None:
    assert moment_of(text) == seconds
