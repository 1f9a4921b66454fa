"""``series.volume()``: the voxels are those of pydicom, in every kind of file, from our server and the real one."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRBigEndian, ImplicitVRLittleEndian, RLELossless

from orthanc_lab import Client, samples
from orthanc_lab.client import Series, VolumeError
from tests.client.volume_files import COLUMNS, ROWS, dose, encoded, enhanced, film, image, pixels_of, series_of


def uploaded(client: Client, files: Iterable[Dataset | bytes]) -> Series:
    for file in files:
        data = file if isinstance(file, bytes) else encoded(file)
        client.transport.send("POST", "/instances", data=data)
    (series,) = client.series
    return series


def test_a_stack(client: Client) -> None:
    volume = uploaded(client, reversed(series_of(5))).volume()
    expected = np.stack([pixels_of(number) for number in range(1, 6)]).astype(int) - 1024
    assert volume.array.dtype == np.int16
    assert (volume.array == expected).all()
    assert np.asarray(volume) is volume.array
    assert (volume.shape, volume.spacing) == ((5, ROWS, COLUMNS), (2.5, 0.5, 0.75))
    assert (volume.units, volume.orientation, volume.tilt) == ("HU", "SPL", 0)
    assert (volume.problems, volume.remarks, volume.name) == ((), (), "Stack")
    assert volume.affine is not None
    assert (volume.affine @ [1, 2, 3, 1] == [-10 + 3 * 0.75, -20 + 2 * 0.5, 5, 1]).all()
    assert volume.times is not None
    assert volume.times.tolist() == [0, 1, 2, 3, 4]
    assert [client.instances[id].number for id, _ in volume.sources] == [1, 2, 3, 4, 5]
    assert repr(volume) == f"<Volume of 5 × {ROWS} × {COLUMNS} int16: 2.5 × 0.5 × 0.75 mm, HU, SPL>"


def test_stored_values(client: Client) -> None:
    volume = uploaded(client, series_of(3)).volume(rescale=False)
    assert (volume.array == np.stack([pixels_of(number) for number in (1, 2, 3)])).all()
    assert (volume.array.dtype, volume.units) == (np.uint16, "")


@pytest.mark.parametrize("syntax", [ImplicitVRLittleEndian, ExplicitVRBigEndian, RLELossless])
def test_other_transfer_syntaxes(client: Client, syntax: str) -> None:
    volume = uploaded(client, [encoded(made, syntax) for made in series_of(3)]).volume()
    assert (volume.array == np.stack([pixels_of(number) for number in (1, 2, 3)]).astype(int) - 1024).all()


@pytest.mark.parametrize(
    ("kind", "elements", "expected"),
    [
        ("u2", {"RescaleSlope": 1, "RescaleIntercept": 0}, "uint16"),
        ("u2", {"RescaleSlope": None, "RescaleIntercept": None}, "uint16"),
        ("i2", {}, "int16"),
        ("u2", {"BitsStored": 16, "HighBit": 15}, "int32"),
        ("u2", {"RescaleIntercept": 30000}, "uint16"),
        ("u2", {"RescaleSlope": 0.5}, "float32"),
        ("u4", {"BitsStored": 32, "HighBit": 31}, "float64"),
    ],
)
def test_kinds_of_values(client: Client, kind: str, elements: dict[str, Any], expected: str) -> None:
    made = [image(number, pixels_of(number, kind), **elements) for number in (1, 2)]
    volume = uploaded(client, made).volume()
    assert volume.array.dtype == expected
    slope, intercept = made[0].get("RescaleSlope", 1), made[0].get("RescaleIntercept", 0)
    stored = np.stack([pixels_of(number, kind) for number in (1, 2)])
    assert (volume.array == stored * float(slope) + float(intercept)).all()


def test_bits_that_do_not_count(client: Client) -> None:
    dirty = [image(number, pixels_of(number) | 0xF000) for number in (1, 2)]
    signed = [image(number, (pixels_of(number).astype("i2") - 2048) & 0x0FFF) for number in (1, 2)]
    for made in (dirty, signed):
        series = uploaded(client, made)
        expected = [series.instances[number].dataset().pixel_array for number in range(2)]
        assert (series.volume(rescale=False).array == np.stack(expected)).all()
        client.patients.find()[0].delete()


def test_an_enhanced_file(client: Client) -> None:
    volume = uploaded(client, [enhanced(5)]).volume()
    assert (volume.orientation, volume.spacing) == ("RIP", (4, 0.5, 0.75))
    frames = [number for _, number in volume.sources]
    assert [frame * 3 % 5 for frame in frames] == [0, 1, 2, 3, 4]
    for slice_, frame in zip(volume.array, frames, strict=True):
        assert slice_ == pytest.approx(pixels_of(frame) * (frame + 1) + 0.5, rel=1e-6)
    assert volume.times is not None
    assert volume.times.tolist() == frames


def test_several_volumes_in_one(client: Client) -> None:
    series = uploaded(client, [enhanced(5, echoes=2)])
    with pytest.raises(VolumeError, match="At the same place"):
        series.volume()
    volume = series.volume(where={"EffectiveEchoTime": 20})
    assert [number % 2 for _, number in volume.sources] == [1] * 5
    with pytest.raises(VolumeError, match=r"No image has the EffectiveEchoTime 30; there are 10.0, 20.0"):
        series.volume(where={"EffectiveEchoTime": 30})
    with pytest.raises(ValueError, match="no element with the keyword Echo"):
        series.volume(where={"Echo": 1})


def test_what_tells_images_apart_is_named(client: Client) -> None:
    made = series_of(6)
    for number, one in enumerate(made):
        one.ImagePositionPatient = [0, 0, number // 2]
        one.EchoTime = 10 + number % 2
    series = uploaded(client, made)
    with pytest.raises(VolumeError, match=r"differ in EchoTime \(10.0, 11.0\): where=\{'EchoTime': '10.0'\}"):
        series.volume()
    assert series.volume(where={"EchoTime": 11}).shape == (3, ROWS, COLUMNS)


def test_a_dose(client: Client) -> None:
    volume = uploaded(client, [dose(3)]).volume()
    assert (volume.units, volume.spacing, volume.orientation) == ("GY", (3, 0.5, 0.75), "SPL")
    assert volume.array == pytest.approx(np.stack([pixels_of(number) for number in range(3)]) * 0.001)


def test_a_film_has_times_and_no_place(client: Client) -> None:
    volume = uploaded(client, [film(3)]).volume()
    assert (volume.affine, volume.orientation, volume.spacing) == (None, "", (None, 0.5, 0.75))
    assert volume.times is not None
    assert volume.times == pytest.approx([0, 0.04, 0.08])
    assert "ImagePositionPatient" in volume.remarks[0]
    with pytest.raises(VolumeError, match="NIfTI needs an affine"):
        volume.to_nifti()


def test_colours(client: Client) -> None:
    made = series_of(2)
    pixels = np.random.default_rng(1).integers(0, 256, (2, ROWS, COLUMNS, 3)).astype("u1")
    for one, values in zip(made, pixels, strict=True):
        one.SamplesPerPixel, one.PhotometricInterpretation, one.PlanarConfiguration = 3, "RGB", 0
        one.BitsAllocated, one.BitsStored, one.HighBit, one.PixelData = 8, 8, 7, values.tobytes()
    volume = uploaded(client, made).volume()
    assert volume.is_color
    assert (volume.array == pixels).all()
    assert "<img" in volume._repr_html_()


def test_a_gap_is_an_error_unless_it_is_permitted(client: Client) -> None:
    series = uploaded(client, [made for made in series_of(6) if made.InstanceNumber != 4])
    with pytest.raises(VolumeError) as raised:
        series.volume()
    assert raised.value.problems == (
        "A slice is missing: slices are 2.50 mm apart, but not instance 3 and instance 5 (5.00 mm)",
    )
    volume = series.volume(strict=False)
    assert (volume.affine, volume.spacing, volume.shape) == (None, (None, 0.5, 0.75), (5, ROWS, COLUMNS))
    assert volume.problems == raised.value.problems
    assert volume.remarks == ("No instance has the InstanceNumber 4",)
    assert "A slice is missing" in volume._repr_html_()


def test_other_sizes(client: Client) -> None:
    odd = image(4, np.zeros((2, 2), "u2"))
    with pytest.raises(VolumeError, match="Of another size than instance 1: instance 4"):
        uploaded(client, [*series_of(3), odd]).volume(strict=False)


def test_files_without_pixels(client: Client) -> None:
    bare = image(4)
    for keyword in ("PixelData", "Rows", "Columns"):
        delattr(bare, keyword)
    series = uploaded(client, [*series_of(3), bare])
    assert series.volume().remarks == ("Without pixels: instance 4",)
    for instance in series.instances[:3]:
        instance.delete()
    with pytest.raises(VolumeError, match="The series has no images"):
        series.volume()


def test_pixels_that_cannot_be_decoded(client: Client) -> None:
    broken = image(1)
    broken.PixelData = broken.PixelData[:10]
    series = uploaded(client, [broken])
    with pytest.raises(VolumeError, match="The pixels of instance 1 cannot be decoded"):
        series.volume()


def test_progress(client: Client) -> None:
    seen: list[tuple[int, int | None]] = []
    uploaded(client, series_of(4)).volume(progress=lambda done, total: seen.append((done, total)))
    assert seen == [(1, 4), (2, 4), (3, 4), (4, 4)]


def test_compressed_samples(client: Client) -> None:
    client.upload(samples.path("ct/soft_tissue"))
    (series,) = client.series
    volume = series.volume()
    expected = [instance.dataset().pixel_array for instance in series.instances]
    assert (volume.array == np.stack(expected)).all()  # its values are HU already
    html = volume._repr_html_()
    assert html.count("<img") == 3
    assert "HU" in html


def test_nifti(client: Client, tmp_path: Path) -> None:
    nibabel = pytest.importorskip("nibabel")
    volume = uploaded(client, series_of(5)).volume()
    volume.to_nifti(tmp_path / "stack.nii.gz")
    read = nibabel.load(tmp_path / "stack.nii.gz")
    assert read.shape == (COLUMNS, ROWS, 5)
    assert nibabel.aff2axcodes(read.affine) == ("L", "P", "S")
    assert (np.asarray(read.dataobj).transpose(2, 1, 0) == volume.array).all()
    x, y, z, _ = read.affine @ [3, 2, 1, 1]
    assert (-x, -y, z) == pytest.approx((-10 + 3 * 0.75, -20 + 2 * 0.5, 5))


def test_xarray(client: Client) -> None:
    pytest.importorskip("xarray")
    found = uploaded(client, series_of(5)).volume().to_xarray()
    assert found.sel(slice=5, row=1, column=0.75, method="nearest") == pixels_of(3)[2, 1] - 1024.0
    assert found.attrs["units"] == "HU"
    assert found.time.values.tolist() == [0, 1, 2, 3, 4]


def oblique(number: int) -> Dataset:
    rows, columns = [0.6, 0.8, 0], [0, 0, -1]
    normal = np.cross(rows, columns)
    place = np.array([5, 6, 7]) + normal * 2.5 * number
    return image(number, ImageOrientationPatient=rows + columns, ImagePositionPatient=[float(x) for x in place])


def test_simpleitk_reads_the_same_files_in_the_same_way(client: Client, tmp_path: Path) -> None:
    itk = pytest.importorskip("SimpleITK")
    files = [encoded(oblique(number)) for number in range(1, 6)]
    for number, data in enumerate(files):
        (tmp_path / f"{number}.dcm").write_bytes(data)
    expected = itk.ReadImage(itk.ImageSeriesReader.GetGDCMSeriesFileNames(str(tmp_path)))
    image_ = uploaded(client, files).volume().to_sitk()
    assert (itk.GetArrayFromImage(image_) == itk.GetArrayFromImage(expected)).all()
    assert image_.GetSpacing() == pytest.approx(expected.GetSpacing())
    assert image_.GetOrigin() == pytest.approx(expected.GetOrigin())
    assert image_.GetDirection() == pytest.approx(expected.GetDirection())


def test_a_tilted_stack_is_refused_by_simpleitk_alone(client: Client) -> None:
    tilted = series_of(4)
    for number, made in enumerate(tilted):
        made.ImagePositionPatient = [0, number * 0.5, number * 2.5]
    volume = uploaded(client, tilted).volume()
    assert volume.tilt == pytest.approx(11.31, abs=0.01)
    with pytest.raises(VolumeError, match=r"tilted \(here by 11.3°\)"):
        volume.to_sitk()


@pytest.mark.parametrize("library", ["nibabel", "xarray", "SimpleITK"])
def test_a_library_that_is_missing_is_named(client: Client, library: str, monkeypatch: pytest.MonkeyPatch) -> None:
    volume = uploaded(client, series_of(2)).volume()
    monkeypatch.setitem(sys.modules, library, None)
    method = {"nibabel": volume.to_nifti, "xarray": volume.to_xarray, "SimpleITK": volume.to_sitk}[library]
    with pytest.raises(ModuleNotFoundError, match=f"needs {library}, which is not installed: pip install"):
        method()
