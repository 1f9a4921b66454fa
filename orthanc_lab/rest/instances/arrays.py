"""Decoded frames as numbers: ``numpy`` and ``matlab``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from orthanc_lab.dicom.codecs.pixels import Array, decode_frame, decode_frames
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.image_description import count_frames
from orthanc_lab.dicom.images.picture_files import matlab, npy, npz
from orthanc_lab.dicom.images.raw_frames import packed_size
from orthanc_lab.dicom.images.rendering import rescaled
from orthanc_lab.dicom.limits import may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import Reservation
from orthanc_lab.rest.http.answers import answer_text
from orthanc_lab.rest.http.arguments import flag, query_arguments, unsigned
from orthanc_lab.rest.http.frame_numbers import frame_number
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.instances.ordered_slices import ordered_slices
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["MAX_BYTES", "MAX_FRAMES", "Matlab", "Numpy", "SeriesNumpy", "answer_numpy", "decoded"]

MAX_BYTES = 1 << 31
"""Arrays of more bytes are refused."""

MAX_FRAMES = 100_000
"""Arrays of more frames are refused."""

_TEXT_OF_BYTE = 12  # bytes: a sample of one or two becomes up to six letters, twice


class Numpy:
    """A frame, or all frames of an instance, as a file for `numpy.load`."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)
        self._memory = services.memory

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str | None = None) -> None:
        """Answer values after the rescale slope, unless ``rescale`` is false; an ``.npz`` with ``compress``."""
        arguments = query_arguments(req)
        compress = flag(arguments, "compress")
        rescale = flag(arguments, "rescale", default=True)
        if frame is None:
            file = self._files.whole(id)
            count = count_frames(file.data_set)
            if not count:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Empty DICOM instance")
            if count > MAX_FRAMES:
                raise _too_large()
            numbers: Iterable[int] = range(count)
        else:
            number = unsigned(frame.strip(" "))
            if number is None:
                details = 'Expected an unsigned integer for the "frame" argument'
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
            file, numbers = self._files.whole(id), (number,)
        with self._memory.reserve(0) as memory:
            arrays = decoded([(file, numbers)], memory, rescale=rescale)
            answer_numpy(resp, arrays, single=frame is not None, compress=compress)


class SeriesNumpy:
    """All frames of a series, in the order of its slices, as a file for `numpy.load`."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._files = InstanceFiles(services)
        self._memory = services.memory

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer as `Numpy` does.

        Raises
        ------
        OrthancError
            2040 if the order is unknown, 23 and 24 if the frames differ.
        """
        arguments = query_arguments(req)
        compress = flag(arguments, "compress")
        rescale = flag(arguments, "rescale", default=True)
        with self._memory.reserve(0) as memory:
            arrays = decoded(self._frames(id), memory, rescale=rescale)
            if not arrays:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Empty DICOM instance")
            answer_numpy(resp, arrays, single=False, compress=compress)

    def _frames(self, series: str) -> Iterator[tuple[DicomFile, Iterable[int]]]:
        for item in ordered_slices(self._storage, series).slices:
            file = self._files.whole(item.instance)
            yield file, range(count_frames(file.data_set))


class Matlab:
    """A frame as an expression of Matlab."""

    def __init__(self, services: Services) -> None:
        self._files = InstanceFiles(services)
        self._memory = services.memory
        self._decodes = services.settings["BuiltinDecoderTranscoderOrder"] != "Disabled"

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, frame: str = "0") -> None:
        """Answer the stored values."""
        number = frame_number(frame)
        file = self._files.whole(id)
        undecodable = OrthancError(ErrorCode.NOT_IMPLEMENTED, f"Cannot decode DICOM instance with ID: {id}")
        if not self._decodes:
            raise undecodable
        try:
            pixels = decode_frame(file, number)
        except OrthancError as error:
            raise undecodable from error
        with self._memory.reserve(_TEXT_OF_BYTE * pixels.nbytes):
            answer_text(resp, matlab(_numbers(pixels), may_unpack(packed_size(file))))


def decoded(files: Iterable[tuple[DicomFile, Iterable[int]]], memory: Reservation, *, rescale: bool) -> list[Array]:
    """Return frames as arrays of one shape; gray ones with `rescale` as float32.

    Parameters
    ----------
    files
        Each with the numbers of the frames in it.
    memory
        To which the memory of the frames is added.

    Raises
    ------
    OrthancError
        2 for a format that cannot be shown, 23 and 24 if the frames differ, 24 for more than `MAX_BYTES`, or many
        times the bytes of the files.
    """
    found: list[Array] = []
    first: Array | None = None
    packed = 0
    for file, numbers in files:
        packed += packed_size(file)
        for number, frame in zip(numbers, decode_frames(file, numbers), strict=False):
            pixels = _numbers(frame)
            if pixels.dtype.itemsize > 2 and not rescale:
                raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
            first = pixels if first is None else first
            if pixels.shape[:2] != first.shape[:2]:
                message = "The size of the frames varies across the instance(s)"
                raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE, message)
            if (pixels.ndim, pixels.dtype) != (first.ndim, first.dtype):
                message = "The pixel format of the frames varies across the instance(s)"
                raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_FORMAT, message)
            found.append(rescaled(pixels, file.data_set, number) if rescale and pixels.ndim == 2 else pixels)
            most = min(MAX_BYTES, may_unpack(packed))
            if len(found) * found[-1].nbytes > most or len(found) > MAX_FRAMES:
                raise _too_large(most)
            memory.add(2 * found[-1].nbytes)  # the frame, and its part of the answer
    return found


def _too_large(most: int = MAX_BYTES) -> OrthancError:
    message = f"More than {most} bytes of pixels or {MAX_FRAMES} frames"
    return OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE, message)


def answer_numpy(resp: falcon.Response, arrays: list[Array], *, single: bool, compress: bool) -> None:
    """Answer an ``.npy``, or an ``.npz`` that holds it as ``arr_0``."""
    resp.content_type = "application/octet-stream"
    data = npy(arrays, single=single)
    resp.data = npz(data) if compress else data


def _numbers(pixels: Array) -> Array:
    if pixels.ndim == 3 and pixels.dtype.itemsize > 1:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    return pixels
