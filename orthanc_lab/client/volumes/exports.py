"""Arrays of voxels for other libraries, where these are installed."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from orthanc_lab.client.volumes.errors import VolumeError

__all__ = ["to_nifti", "to_sitk", "to_xarray"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_EXTRA = "orthanc-lab[volumes]"
_DIMENSIONS = ("slice", "row", "column", "color")
_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])  # NIfTI's x goes to the right, its y to the front


def to_nifti(array: Array, affine: Array, path: str | Path | None) -> Any:
    """Return a `nibabel.Nifti1Image`, and save it."""
    nibabel = _library("nibabel", "to_nifti", _EXTRA)
    if array.ndim != 3:
        raise VolumeError("Colors have no place in a NIfTI file")
    # Of NIfTI's array, columns are the first axis.
    image = nibabel.Nifti1Image(array.transpose(2, 1, 0), _TO_RAS @ affine[:, [2, 1, 0, 3]])
    image.header.set_xyzt_units("mm")
    if path is not None:
        nibabel.save(image, Path(path))
    return image


def to_xarray(
    array: Array, spacing: Sequence[float | None], times: Array | None, name: str, notes: Mapping[str, Any]
) -> Any:
    """Return a `xarray.DataArray`."""
    xarray = _library("xarray", "to_xarray", _EXTRA)
    places: dict[str, Any] = {
        dimension: (dimension, np.arange(size) * distance, {"units": "mm"})
        for dimension, size, distance in zip(_DIMENSIONS, array.shape, spacing, strict=False)
        if distance is not None
    }
    if times is not None:
        places["time"] = ("slice", times, {"units": "s"})
    return xarray.DataArray(array, places, _DIMENSIONS[: array.ndim], name or None, notes)


def to_sitk(array: Array, affine: Array) -> Any:
    """Return a `SimpleITK.Image`; the axes of the affine are perpendicular."""
    simple_itk = _library("SimpleITK", "to_sitk", "SimpleITK")
    lengths = np.linalg.norm(affine[:3, :3], axis=0)
    image = simple_itk.GetImageFromArray(array, isVector=array.ndim == 4)
    image.SetSpacing([float(length) for length in lengths[::-1]])
    image.SetOrigin([float(place) for place in affine[:3, 3]])
    image.SetDirection([float(share) for share in (affine[:3, :3] / lengths)[:, ::-1].flatten()])
    return image


def _library(name: str, method: str, requirement: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name != name:
            raise
        text = f'{method} needs {name}, which is not installed: pip install "{requirement}"'
        raise ModuleNotFoundError(text, name=name) from None
