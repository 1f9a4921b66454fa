"""Decoded frames as numbers: ``numpy`` and ``matlab``."""

from __future__ import annotations

from collections.abc import Iterable

import falcon

from orthanc_lab.dicom.image_description import count_frames
from orthanc_lab.dicom.picture_files import matlab, npy, npz
from orthanc_lab.dicom.pixels import Array, decode_frame
from orthanc_lab.dicom.read import DicomFile
from orthanc_lab.dicom.rendering import rescaled
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.answers import answer_text
from orthanc_lab.rest.arguments import flag, query_arguments, unsigned
from orthanc_lab.rest.frame_numbers import frame_number
from orthanc_lab.rest.instance_files import InstanceFiles
from orthanc_lab.rest.services import Services

__all__ = ["MAX_BYTES", "Matlab", "Numpy", "answer_numpy", "decoded"]

MAX_BYTES = 1 << 31
"""Arrays of more bytes are refused."""


class Numpy:
    """A frame, or all frames of an instance, as a file for `numpy.load`."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str | None = None) -> None:
        """Answer values after the rescale slope, unless ``rescale`` is false; an ``.npz`` with ``compress``."""
        arguments = query_arguments(req)
        rescale = flag(arguments, "rescale", default=True)
        compress = flag(arguments, "compress")
        if frame is None:
            file = self._files.whole(id)
            count = count_frames(file.data_set)
            if not count:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Empty DICOM instance")
            arrays = decoded(file, range(count), rescale=rescale)
        else:
            number = unsigned(frame)
            if number is None:
                details = 'Expected an unsigned integer for the "frame" argument'
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
            arrays = decoded(self._files.whole(id), [number], rescale=rescale)
        answer_numpy(resp, arrays, single=frame is not None, compress=compress)


class Matlab:
    """A frame as an expression of Matlab."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str = "0") -> None:
        """Answer the stored values."""
        number = frame_number(frame)
        file = self._files.whole(id)
        try:
            pixels = decode_frame(file, number)
        except OrthancError as error:
            details = f"Cannot decode DICOM instance with ID: {id}"
            raise OrthancError(ErrorCode.NOT_IMPLEMENTED, details) from error
        answer_text(resp, matlab(_numbers(pixels)))


def decoded(file: DicomFile, frames: Iterable[int], *, rescale: bool) -> list[Array]:
    """Return frames as arrays; gray ones with `rescale` as float32.

    Raises
    ------
    OrthancError
        2 for a format that cannot be shown, 24 for more than `MAX_BYTES`.
    """
    found: list[Array] = []
    size = 0
    for frame in frames:
        pixels = _numbers(decode_frame(file, frame))
        found.append(rescaled(pixels, file.data_set) if rescale and pixels.ndim == 2 else pixels)
        size += found[-1].nbytes
        if size > MAX_BYTES:
            raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    return found


def answer_numpy(resp: falcon.Response, arrays: list[Array], *, single: bool, compress: bool) -> None:
    """Answer an ``.npy``, or an ``.npz`` that holds it as ``arr_0``."""
    resp.content_type = "application/octet-stream"
    data = npy(arrays, single=single)
    resp.data = npz(data) if compress else data


def _numbers(pixels: Array) -> Array:
    if pixels.ndim == 3 and pixels.dtype.itemsize > 1:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    return pixels
