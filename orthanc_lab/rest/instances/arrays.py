"""Decoded frames as numbers: ``numpy`` and ``matlab``."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from orthanc_lab.dicom.codecs.pixels import Array, decode_frame, decode_frames
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.image_description import count_frames
from orthanc_lab.dicom.images.picture_files import matlab, npy_head, npz
from orthanc_lab.dicom.images.raw_frames import packed_size
from orthanc_lab.dicom.images.rendering import Rescale, rescale_of, rescaled
from orthanc_lab.dicom.limits import may_unpack
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import MemoryBudget, Reservation
from orthanc_lab.rest.http.answers import answer_text
from orthanc_lab.rest.http.arguments import flag, query_arguments, unsigned
from orthanc_lab.rest.http.frame_numbers import frame_number
from orthanc_lab.rest.instances.instance_files import InstanceFiles
from orthanc_lab.rest.instances.ordered_slices import ordered_slices
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["MAX_BYTES", "MAX_FRAMES", "Frame", "Matlab", "Numpy", "SeriesNumpy", "answer_numpy", "decoded"]

MAX_BYTES = 1 << 31
"""Arrays of more bytes are refused."""

MAX_FRAMES = 100_000
"""Arrays of more frames are refused."""

_AT_ONCE = 1 << 20  # bytes; larger answers are sent in parts
_TEXT_OF_BYTE = 12  # bytes: a sample of one or two becomes up to six letters, twice


@dataclass(frozen=True, slots=True)
class Frame:
    """A decoded frame, whose values are converted while they are sent."""

    pixels: Array
    rescale: Rescale | None  # to gray values of the modality, as float32; None for the values as they are

    @property
    def kind(self) -> np.dtype[Any]:
        """The type of the values."""
        return self.pixels.dtype if self.rescale is None else np.dtype(np.float32)

    @property
    def size(self) -> int:
        """Bytes of the values."""
        return self.pixels.size * self.kind.itemsize

    def pieces(self) -> Iterator[bytes]:
        """Yield the values by rows, little endian, about a megabyte at a time."""
        kind = self.kind.newbyteorder("<")
        rows = max(_AT_ONCE * len(self.pixels) // max(self.size, 1), 1)
        for start in range(0, len(self.pixels), rows):
            part = self.pixels[start : start + rows]
            yield (part if self.rescale is None else rescaled(part, self.rescale)).astype(kind, copy=False).tobytes()


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
        with _given_back_after_errors(self._memory) as memory:
            frames = decoded([(file, numbers)], memory, rescale=rescale)
            answer_numpy(resp, frames, memory, single=frame is not None, compress=compress)


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
        with _given_back_after_errors(self._memory) as memory:
            frames = decoded(self._frames(id), memory, rescale=rescale)
            if not frames:
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Empty DICOM instance")
            answer_numpy(resp, frames, memory, single=False, compress=compress)

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


def decoded(files: Iterable[tuple[DicomFile, Iterable[int]]], memory: Reservation, *, rescale: bool) -> list[Frame]:
    """Return frames of one shape; gray ones with `rescale` as float32.

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
    found: list[Frame] = []
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
            found.append(Frame(pixels, rescale_of(file.data_set, number) if rescale and pixels.ndim == 2 else None))
            most = min(MAX_BYTES, may_unpack(packed))
            if len(found) * found[-1].size > most or len(found) > MAX_FRAMES:
                raise _too_large(most)
            memory.add(pixels.nbytes)
    return found


def _too_large(most: int = MAX_BYTES) -> OrthancError:
    message = f"More than {most} bytes of pixels or {MAX_FRAMES} frames"
    return OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE, message)


def answer_numpy(
    resp: falcon.Response, frames: list[Frame], memory: Reservation, *, single: bool, compress: bool
) -> None:
    """Answer an ``.npy``, or an ``.npz`` that holds it as ``arr_0``; the memory is given back when it is sent."""
    resp.content_type = "application/octet-stream"
    first, count = frames[0], len(frames)
    shape = (*first.pixels.shape, 1)[:3]
    head = npy_head(shape if single else (count, *shape), first.kind)
    size = len(head) + count * first.size
    pieces = _pieces(head, frames, memory)
    if compress:
        memory.add(size)
        resp.data = npz(pieces, size)
    elif size > _AT_ONCE:
        resp.set_stream(pieces, size)
    else:
        resp.data = b"".join(pieces)


def _pieces(head: bytes, frames: list[Frame], memory: Reservation) -> Iterator[bytes]:
    """Yield a file, and let go of each frame after it."""
    frames.reverse()
    try:
        yield head
        while frames:
            yield from frames.pop().pieces()
    finally:
        memory.release()


@contextmanager
def _given_back_after_errors(budget: MemoryBudget) -> Iterator[Reservation]:
    memory = budget.reserve(0)
    try:
        yield memory
    except BaseException:
        memory.release()
        raise


def _numbers(pixels: Array) -> Array:
    if pixels.ndim == 3 and pixels.dtype.itemsize > 1:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    return pixels
