"""A series as an array of voxels, with its place in space."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from orthanc_lab.client import display
from orthanc_lab.client.volumes import exports, pictures
from orthanc_lab.client.volumes.errors import VolumeError
from orthanc_lab.client.volumes.geometry import letters_of

if TYPE_CHECKING:
    import nibabel
    import SimpleITK
    import xarray

__all__ = ["Volume"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Volume:
    """The images of a series, stacked.

    Slices are ordered along their normal, so that the index of a slice rises with its position.

    Attributes
    ----------
    array
        Values of shape (slices, rows, columns), or (slices, rows, columns, 3) for colours.
    spacing
        Distances between slices, rows and columns in millimetres; None where the files do not say.
    affine
        From the indices (slice, row, column, 1) to (x, y, z, 1): millimetres in the coordinates of DICOM, x to the
        left, y to the back, z to the head of the patient. None if the files do not say, or the slices form no grid.
    units
        Of the values: ``"HU"``, ``"BQML"`` …; "" if the files do not say, and for stored values.
    times
        When each slice was acquired, in seconds after the first one; None if one of the files does not say.
    tilt
        Degrees between the direction of the stack and the normal of the slices (a gantry that was tilted).
    problems
        Why there is no affine although the files hold positions; only with ``strict=False``.
    remarks
        What should be known: a tilt, numbers that are missing, files without pixels.
    sources
        The Orthanc identifier of the instance of each slice, and the number of its frame.
    name
        The description of the series.

    Examples
    --------
    >>> volume = client.series.find(Modality="CT")[0].volume()
    >>> volume
    <Volume of 20 × 128 × 128 int16: 4 × 1.875 × 1.875 mm, HU, SPL>
    >>> volume.affine[:3, 3].tolist(), volume.tilt  # where the first voxel is
    ([-119.0625, -119.0625, -38.0], 0.0)
    """

    array: np.ndarray[Any, np.dtype[Any]]
    spacing: tuple[float | None, float | None, float | None]
    affine: np.ndarray[Any, np.dtype[Any]] | None
    units: str
    times: np.ndarray[Any, np.dtype[Any]] | None
    tilt: float
    problems: tuple[str, ...]
    remarks: tuple[str, ...]
    sources: tuple[tuple[str, int], ...]
    name: str = ""

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the array."""
        return tuple(self.array.shape)

    @property
    def orientation(self) -> str:
        """Towards which side slices, rows and columns go: ``"SPL"`` for usual axial images; "" without an affine."""
        return "" if self.affine is None else letters_of(self.affine)

    @property
    def is_color(self) -> bool:
        """Whether there are three values at each place."""
        return self.array.ndim == 4

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray[Any, np.dtype[Any]]:
        return self.array.astype(dtype) if dtype is not None or copy else self.array

    def to_nifti(self, path: str | Path | None = None) -> nibabel.Nifti1Image:
        """Return a `nibabel.Nifti1Image`, whose axes are column, row and slice; with a path, it is saved there too.

        Raises
        ------
        VolumeError
            If there is no affine, or the values are colours.
        ModuleNotFoundError
            If nibabel is not installed (extra ``volumes``).
        """
        image: nibabel.Nifti1Image = exports.to_nifti(self.array, self._placed("NIfTI"), path)
        return image

    def to_xarray(self) -> xarray.DataArray:
        """Return a `xarray.DataArray`, whose coordinates are millimetres from the first voxel.

        Raises
        ------
        ModuleNotFoundError
            If xarray is not installed (extra ``volumes``).
        """
        notes: dict[str, Any] = {"units": self.units} if self.units else {}
        if self.affine is not None:
            notes |= {"affine": self.affine, "orientation": self.orientation}
        named: xarray.DataArray = exports.to_xarray(self.array, self.spacing, self.times, self.name, notes)
        return named

    def to_sitk(self) -> SimpleITK.Image:
        """Return a `SimpleITK.Image`.

        Raises
        ------
        VolumeError
            If there is no affine, or the slices are tilted: such an image has no right angles.
        ModuleNotFoundError
            If SimpleITK is not installed.
        """
        affine = self._placed("SimpleITK")
        if self.tilt:
            text = f"SimpleITK has no place for slices that are tilted (here by {self.tilt:.1f}°); NIfTI has"
            raise VolumeError(text)
        image: SimpleITK.Image = exports.to_sitk(self.array, affine)
        return image

    def _placed(self, what: str) -> np.ndarray[Any, np.dtype[Any]]:
        if self.affine is None:
            raise VolumeError(f"{what} needs an affine, and there is none", *(self.problems or self.remarks))
        return self.affine

    def __repr__(self) -> str:
        size = " × ".join(map(str, self.shape))
        words = [_millimetres(self.spacing), self.units, self.orientation]
        said = ", ".join(filter(None, words))
        return f"<Volume of {size} {self.array.dtype}{': ' if said else ''}{said}>"

    def _repr_html_(self) -> str:
        return display.guarded(self._card)

    def _pictures(self) -> Iterator[tuple[str, bytes]]:
        return pictures.cross_sections(self.array, self.spacing, self.orientation)

    def _card(self) -> str:
        seconds = "" if self.times is None else f"{float(self.times.max()):g} s"
        rows = {
            "Slices × rows × columns": " × ".join(map(str, self.shape)),
            "Values": f"{self.array.dtype}, {self.array.min():g} to {self.array.max():g} {self.units}".strip(),
            "Spacing": _millimetres(self.spacing),
            "Directions": self.orientation,
            "Acquired within": seconds,
            "Problems": "; ".join(self.problems),
            "Remarks": "; ".join(self.remarks),
        }
        beside = "".join(display.picture(png, words) for words, png in self._pictures())
        return display.card(self.name or "Volume", rows, beside=f"<div>{beside}</div>" if beside else "")


def _millimetres(spacing: Sequence[float | None]) -> str:
    if all(distance is None for distance in spacing):
        return ""
    return " × ".join("?" if distance is None else f"{distance:.4g}" for distance in spacing) + " mm"
