"""The time of a volume compared with pydicom, image by image, on the same server."""

from __future__ import annotations

import io
import time

import numpy as np
import pydicom
from pydicom.pixels.processing import apply_rescale

from orthanc_lab.bench import material
from orthanc_lab.bench.figure import Figure
from orthanc_lab.client.client import Client
from orthanc_lab.client.hierarchy import Series

__all__ = ["volume_gain"]

_SLICES = 200


def volume_gain(client: Client, pairs: int, slices: int = _SLICES) -> Figure:
    """Measure the wall time of a series in Hounsfield units by pydicom, one image after the other, against ours."""
    for number, content in enumerate(material.ct_instances(slices)):
        client.transport.send("POST", "/instances", data=_placed(content, number))
    series = max(client.series, key=lambda one: len(one.document["Instances"]))
    if not (series.volume(progress=False).array == _one_by_one(series)).all():
        raise RuntimeError("The two ways do not lead to the same values")
    ratios = []
    for pair in range(pairs):
        seconds = {}
        for who in ("ours", "theirs") if pair % 2 else ("theirs", "ours"):
            start = time.perf_counter()
            if who == "ours":
                series.volume(progress=False)
            else:
                _one_by_one(series)
            seconds[who] = time.perf_counter() - start
        ratios.append(seconds["theirs"] / seconds["ours"])
    return Figure(f"client: {slices} CT in HU, pydicom one by one / volume()", ratios, 5, at_most=False)


def _placed(content: bytes, number: int) -> bytes:
    data_set = pydicom.dcmread(io.BytesIO(content))
    data_set.ImagePositionPatient, data_set.ImageOrientationPatient = [0, 0, number], [1, 0, 0, 0, 1, 0]
    data_set.PixelSpacing, data_set.InstanceNumber = [0.5, 0.5], number + 1
    data_set.RescaleSlope, data_set.RescaleIntercept = 1, -1024
    out = io.BytesIO()
    data_set.save_as(out)
    return out.getvalue()


def _one_by_one(series: Series) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    images = []
    for instance in series.instances:
        data_set = instance.dataset()
        images.append(apply_rescale(data_set.pixel_array, data_set))
    return np.stack(images)
