"""What is told of a slice: values, unit, place and spacing, as pydicom reads them from the file."""

from __future__ import annotations

import io

import numpy as np
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_rescale
from pydicom.sequence import Sequence
from pydicom.uid import CTImageStorage, EnhancedCTImageStorage, ExplicitVRLittleEndian, generate_uid

from orthanc_lab.widgets.browser.frame_facts import place_of, rate_of
from orthanc_lab.widgets.browser.header import Header
from orthanc_lab.widgets.browser.slice_stack import SliceStack
from orthanc_lab.widgets.elements.slice_image import Region, Spacing, Window

KINDS = {"uint8": "u1", "int16": "<i2", "uint16": "<u2", "float32": "<f4", "rgb": "u1"}
OBLIQUE = [0.8, 0.36, 0.48, -0.6, 0.48, 0.64]


def dataset(values, sop_class=CTImageStorage, **tags):
    """Make a file of values, of shape (frames, rows, columns), with samples as a fourth axis."""
    ds = Dataset()
    ds.file_meta = FileMetaDataset()
    ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    ds.SOPClassUID = ds.file_meta.MediaStorageSOPClassUID = sop_class
    ds.SOPInstanceUID = ds.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    ds.StudyInstanceUID, ds.SeriesInstanceUID = "1.2.3.1", generate_uid()
    ds.PatientID, ds.Modality = "NUMBERS", "CT"
    ds.Rows, ds.Columns = values.shape[1:3]
    ds.SamplesPerPixel = 3 if values.ndim == 4 else 1
    ds.PhotometricInterpretation = "RGB" if values.ndim == 4 else "MONOCHROME2"
    if values.ndim == 4:
        ds.PlanarConfiguration = 0
    bits = values.dtype.itemsize * 8
    ds.BitsAllocated = ds.BitsStored = bits
    ds.HighBit = bits - 1
    ds.PixelRepresentation = int(values.dtype.kind == "i")
    if len(values) > 1:
        ds.NumberOfFrames = len(values)
    ds.PixelData = values.tobytes()
    for name, value in tags.items():
        setattr(ds, name, value)
    return ds


def item(**tags):
    made = Dataset()
    for name, value in tags.items():
        setattr(made, name, value)
    return made


def stack_of(client, *files):
    """Store files, and return them as a stack with the header of the first."""
    instances = [client.instances[_store(client, ds)] for ds in files]
    stack = SliceStack(client, instances, lambda instance: client.transport.get(f"{instance.path}/tags"))
    return stack, Header(client.transport.get(f"{instances[0].path}/tags"))


def _store(client, ds):
    out = io.BytesIO()
    ds.save_as(out, enforce_file_format=True)
    return client.transport.send("POST", "/instances", data=out.getvalue()).json()["ID"]


def values_of(image):
    shape = (image.rows, image.columns, 3) if image.kind == "rgb" else (image.rows, image.columns)
    return np.frombuffer(image.data, KINDS[image.kind]).reshape(shape)


STORED = np.random.default_rng(5).integers(-1200, 3000, (1, 6, 9)).astype("i2")


@pytest.mark.parametrize(
    ("values", "tags", "unit"),
    [
        (STORED, {"RescaleSlope": "1", "RescaleIntercept": "-1024"}, "HU"),
        (STORED, {"RescaleSlope": "1", "RescaleIntercept": "-1024", "RescaleType": "US"}, ""),
        (STORED, {"RescaleSlope": "2.5", "RescaleIntercept": "10", "Modality": "PT", "Units": "BQML"}, "Bq/ml"),
        (STORED.astype("u2"), {"Modality": "MR"}, ""),
        (STORED.astype("u1"), {"Modality": "CR", "PhotometricInterpretation": "MONOCHROME1"}, ""),
        (STORED, {}, ""),
    ],
)
def test_values_are_those_of_pydicom(client, values, tags, unit):
    ds = dataset(values, **tags)
    stack, header = stack_of(client, ds)
    image = stack.image(0)
    assert values_of(image) == pytest.approx(apply_rescale(ds.pixel_array, ds), rel=1e-6)
    assert image.unit == unit
    slope, intercept = float(ds.get("RescaleSlope", 1)), float(ds.get("RescaleIntercept", 0))
    assert (image.slope, image.intercept) == (slope, intercept)
    viewed = stack.viewed(header, 0, title="", all_values=Window("All", 0, 1))
    assert viewed.is_inverted == (ds.PhotometricInterpretation == "MONOCHROME1")


def test_colours(client):
    values = np.random.default_rng(5).integers(0, 256, (1, 4, 6, 3)).astype("u1")
    stack, _ = stack_of(client, dataset(values, Modality="US"))
    assert np.array_equal(values_of(stack.image(0)), values[0])


def test_places_and_captions_of_a_series(client):
    series = generate_uid()
    files = [
        dataset(
            STORED, SeriesInstanceUID=series, InstanceNumber=number + 1, FrameOfReferenceUID="1.2.9",
            ImagePositionPatient=[1.5, -2, 4 * number], ImageOrientationPatient=OBLIQUE, PixelSpacing=[0.5, 0.25],
        )
        for number in range(3)
    ]  # fmt: skip
    stack, header = stack_of(client, *files)
    viewed = stack.viewed(header, 1, title="Three", all_values=Window("All", 0, 1))
    expected = [(1.5, -2.0, 4.0 * number, *OBLIQUE) for number in range(3)]
    assert viewed.places == [pytest.approx(place) for place in expected]  # before any slice is loaded
    assert [stack.image(number).place for number in range(3)] == [pytest.approx(place) for place in expected]
    assert stack.image(2).spacing == Spacing(0.5, 0.25, "patient")
    assert (viewed.frame_of_reference, viewed.caption(2)) == ("1.2.9", "Slice 3 of 3 · instance 3")


def enhanced(values, *, is_shared):
    """Make an Enhanced CT: the rescaling of all frames, or of each."""

    def rescale(number):
        transformation = item(RescaleSlope="2", RescaleIntercept=str(-1000 - number), RescaleType="HU")
        return {"PixelValueTransformationSequence": Sequence([transformation])}

    shared = item(
        PixelMeasuresSequence=Sequence([item(PixelSpacing=[0.5, 0.75])]),
        PlaneOrientationSequence=Sequence([item(ImageOrientationPatient=OBLIQUE)]),
        FrameVOILUTSequence=Sequence([item(WindowCenter="40", WindowWidth="400")]),
        **(rescale(0) if is_shared else {}),
    )
    frames = [
        item(
            PlanePositionSequence=Sequence([item(ImagePositionPatient=[0, 0, 2.5 * number])]),
            **({} if is_shared else rescale(number)),
        )
        for number in range(len(values))
    ]
    return dataset(
        values,
        EnhancedCTImageStorage,
        SharedFunctionalGroupsSequence=Sequence([shared]),
        PerFrameFunctionalGroupsSequence=Sequence(frames),
    )


@pytest.mark.parametrize("is_shared", [True, False])
def test_frames_with_functional_groups(client, is_shared):
    values = np.random.default_rng(6).integers(0, 2000, (4, 5, 7)).astype("u2")
    stack, header = stack_of(client, enhanced(values, is_shared=is_shared))
    assert len(stack.slices) == 4
    for number in range(4):
        image = stack.image(number)
        assert np.array_equal(values_of(image), values[number] * 2.0 - 1000 - (0 if is_shared else number))
        assert (image.place, image.unit) == (pytest.approx((0, 0, 2.5 * number, *OBLIQUE)), "HU")
        assert image.spacing == Spacing(0.5, 0.75, "patient")
    viewed = stack.viewed(header, 2, title="", all_values=Window("All", 0, 1))
    assert viewed.windows[0] == Window("As stored", 40, 400)
    assert [place[2] for place in viewed.places if place] == [0, 2.5, 5, 7.5]


@pytest.mark.parametrize(
    ("tags", "spacing"),
    [
        ({"PixelSpacing": [0.5, 0.25]}, Spacing(0.5, 0.25, "patient")),
        ({"ImagerPixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1, "detector")),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1, "detector")),
        ({"ImagerPixelSpacing": [0.2, 0.1], "PixelSpacing": [0.1, 0.1]}, Spacing(0.1, 0.1, "calibrated")),
        ({"PixelSpacing": [1, 1], "PixelSpacingCalibrationType": "FIDUCIAL"}, Spacing(1, 1, "calibrated")),
        ({"Modality": "CR", "PixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1, "unknown")),
        ({"NominalScannedPixelSpacing": [0.2, 0.1]}, Spacing(0.2, 0.1, "film")),
        ({"PixelAspectRatio": [2, 1]}, Spacing(2, 1, "none")),
        ({"PixelSpacing": [0, 1]}, Spacing(1, 1, "none")),
        ({}, Spacing(1, 1, "none")),
    ],
)
def test_where_the_size_of_a_pixel_is_measured(client, tags, spacing):
    stack, _ = stack_of(client, dataset(STORED, **tags))
    assert stack.facts(0).spacing == spacing


def test_regions_of_ultrasound(client):
    def region(units, **place):
        corners = {"X0": 2, "Y0": 1, "X1": 8, "Y1": 5} | place
        return item(
            **{f"RegionLocation{'Min' if name[1] == '0' else 'Max'}{name}": value for name, value in corners.items()},
            PhysicalUnitsXDirection=units, PhysicalUnitsYDirection=3, PhysicalDeltaX=0.02, PhysicalDeltaY=-0.05,
        )  # fmt: skip

    regions = Sequence([region(3), region(4)])  # the second one has seconds
    stack, _ = stack_of(client, dataset(STORED, Modality="US", SequenceOfUltrasoundRegions=regions))
    assert stack.facts(0).spacing == Spacing(kind="regions", regions=(Region(2, 1, 8, 5, row=0.5, column=0.2),))


def test_frames_without_groups_have_no_place(client):
    place = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": OBLIQUE}
    stack, header = stack_of(client, dataset(np.repeat(STORED, 2, axis=0), **place))
    assert stack.viewed(header, 0, title="", all_values=Window("All", 0, 1)).places == [None, None]


@pytest.mark.parametrize(
    ("position", "orientation"),
    [("", r"1\0\0\0\1\0"), (r"0\0", r"1\0\0\0\1\0"), (r"0\0\0", r"1\0\0\1\0\0"), (r"0\0\x", r"1\0\0\0\1\0"),
     (r"0\0\nan", r"1\0\0\0\1\0"), (r"0\0\0", r"2\0\0\0\1\0"), (r"0\0\0", "")],
)  # fmt: skip
def test_no_place(position, orientation):
    assert place_of(position, orientation) is None


def test_an_animal_on_four_legs_has_no_letters(client):
    tags = {"ImagePositionPatient": [0, 0, 0], "ImageOrientationPatient": OBLIQUE, "PatientOrientation": ["LE", "V"]}
    stack, header = stack_of(client, dataset(STORED, AnatomicalOrientationType="QUADRUPED", **tags))
    assert stack.image(0).place is None
    assert stack.viewed(header, 0, title="", all_values=Window("All", 0, 1)).letters == ""


@pytest.mark.parametrize(
    ("tags", "rate"),
    [
        ({}, 10),
        ({"0018,1063": "40"}, 25),
        ({"0018,0040": "15"}, 15),
        ({"0008,2144": "200"}, 60),
        ({"0018,1063": "x"}, 10),
    ],
)
def test_the_speed_of_a_cine(tags, rate):
    assert rate_of(Header({tag: {"Value": value} for tag, value in tags.items()})) == rate


def test_a_thousand_frames_are_read_once(client):
    values = np.zeros((1000, 1, 1), "u2")
    stack, header = stack_of(client, enhanced(values, is_shared=False))
    stack.learn(stack.instance(0), header)
    assert stack.image(999).place == (0, 0, 2497.5, *OBLIQUE)
    assert stack.place(998) == (0, 0, 2495, *OBLIQUE)
