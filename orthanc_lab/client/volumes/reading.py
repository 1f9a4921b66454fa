"""Reading the images of a series, several at the same time, and stacking them."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np

from orthanc_lab.client.progress import Follow, following
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.volumes.errors import VolumeError
from orthanc_lab.client.volumes.files import read_image
from orthanc_lab.client.volumes.geometry import Grid, grid_of
from orthanc_lab.client.volumes.images import Frame, Image
from orthanc_lab.client.volumes.tag_numbers import TEMPORAL_POSITION_INDEX
from orthanc_lab.client.volumes.volume import Volume

__all__ = ["Source", "VolumeRequest", "read_volume"]

Array: TypeAlias = "np.ndarray[Any, np.dtype[Any]]"

_AT_ONCE = 4
_MOST_NAMED = 5
_TELLING = (
    "EchoTime",
    "EchoNumbers",
    "TemporalPositionIdentifier",
    "TemporalPositionIndex",
    "TriggerTime",
    "DiffusionBValue",
    "InversionTime",
    "FlipAngle",
    "AcquisitionNumber",
    "ImageType",
)
"""What may tell images at the same place apart, the most telling first."""


@dataclass(frozen=True, slots=True)
class Source:
    """An instance."""

    id: str
    path: str  # on the server
    number: int  # InstanceNumber, 0 if there is none

    @property
    def name(self) -> str:
        """How messages call it."""
        return f"instance {self.number}" if self.number else f"instance {self.id[:8]}"


@dataclass(frozen=True, slots=True)
class VolumeRequest:
    """What a caller wants of a series."""

    rescale: bool = True
    where: Mapping[str, object] | None = None
    strict: bool = True
    name: str = ""


@dataclass(frozen=True, slots=True)
class _Slice:
    """A frame of a file, and whose it is."""

    source: Source
    number: int  # of the frame
    image: Image

    @property
    def frame(self) -> Frame:
        return self.image.frames[self.number]

    @property
    def pixels(self) -> Array:
        pixels: Array = self.image.pixels[self.number]
        return pixels


def read_volume(transport: Transport, sources: Sequence[Source], request: VolumeRequest, progress: Follow) -> Volume:
    """Return the volume of some instances; see `orthanc_lab.client.Series.volume`."""
    keywords = _keywords(request.where or {})
    images = _read_all(transport, sources, keywords, progress)
    slices = [
        _Slice(source, number, image)
        for source, image in zip(sources, images, strict=True)
        if image is not None
        for number in range(len(image.frames))
    ]
    remarks = _remarks(sources, images)
    if request.where:
        slices = _chosen(slices, request.where)
    if not slices:
        raise VolumeError("The series has no images", *remarks)
    _refuse_other_sizes(slices)
    grid = grid_of([one.frame.plane for one in slices])
    if grid.problems and request.strict:
        raise VolumeError(*grid.problems, advice=_advice(slices, grid))
    ordered = [slices[number] for number in grid.order]
    array = _stacked(ordered, request.rescale)
    return Volume(
        array=array,
        spacing=grid.spacing,
        affine=grid.affine,
        units=ordered[0].image.units if request.rescale and array.ndim == 3 else "",
        times=_times(ordered),
        tilt=grid.tilt,
        problems=grid.problems,
        remarks=(*grid.remarks, *remarks),
        sources=tuple((one.source.id, one.number) for one in ordered),
        name=request.name,
    )


def _keywords(where: Mapping[str, object]) -> dict[str, int]:
    """Return the tags of what is chosen by, and of what may tell images apart."""
    if not where:
        return {"TemporalPositionIndex": TEMPORAL_POSITION_INDEX}
    from pydicom.datadict import tag_for_keyword  # noqa: PLC0415 - slow to import

    found = {keyword: tag_for_keyword(keyword) for keyword in where}
    unknown = [keyword for keyword, tag in found.items() if tag is None]
    if unknown:
        raise ValueError(f"DICOM has no element with the keyword {unknown[0]}")
    return {keyword: int(tag) for keyword, tag in found.items() if tag is not None}


def _read_all(
    transport: Transport, sources: Sequence[Source], keywords: Mapping[str, int], progress: Follow
) -> list[Image | None]:
    file = transport.reader()

    def read(source: Source) -> Image | None:
        try:
            return read_image(file(f"{source.path}/file"), source.name, keywords)
        except ValueError as error:
            raise VolumeError(str(error)) from error

    images = []
    with following(progress, "Reading", "Read", "files") as tell:
        for image in _side_by_side(read, sources):
            images.append(image)
            tell(len(images), len(sources))
    return images


def _side_by_side(work: Callable[[Any], Any], items: Sequence[Any]) -> Iterator[Any]:
    if len(items) < 2:
        yield from map(work, items)
        return
    with ThreadPoolExecutor(_AT_ONCE, "volume") as pool:
        try:
            yield from pool.map(work, items)
        except BaseException:
            pool.shutdown(wait=True, cancel_futures=True)
            raise


def _remarks(sources: Sequence[Source], images: Sequence[Image | None]) -> list[str]:
    remarks = []
    bare = [source.name for source, image in zip(sources, images, strict=True) if image is None]
    if bare:
        remarks.append(f"Without pixels: {_listed(bare)}")
    numbers = sorted({source.number for source in sources})
    missing = [
        str(number)
        for one, other in itertools.pairwise(numbers)
        for number in range(one + 1, min(other, one + 2 + _MOST_NAMED))
    ]
    if missing and numbers[0] > 0:
        remarks.append(f"No instance has the InstanceNumber {_listed(missing)}")
    return remarks


def _listed(names: Sequence[str]) -> str:
    more = len(names) - _MOST_NAMED
    return ", ".join(names[:_MOST_NAMED]) + (" …" if more > 0 else "")


def _chosen(slices: Sequence[_Slice], where: Mapping[str, object]) -> list[_Slice]:
    chosen = [one for one in slices if all(_is(_value(one, key), value) for key, value in where.items())]
    if not chosen:
        lines = [
            f"No image has the {key} {value}; there are {_listed(sorted({_value(one, key) for one in slices}))}"
            for key, value in where.items()
        ]
        raise VolumeError(*lines)
    return chosen


def _value(one: _Slice, keyword: str) -> str:
    return (one.frame.values or {}).get(keyword, "")


def _is(text: str, value: object) -> bool:
    wanted = "\\".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
    if text == wanted:
        return True
    try:
        return float(text) == float(wanted)
    except ValueError:
        return False


def _refuse_other_sizes(slices: Sequence[_Slice]) -> None:
    first = slices[0]
    others = [one.frame.plane.name for one in slices if one.pixels.shape != first.pixels.shape]
    if others:
        raise VolumeError(f"Of another size than {first.frame.plane.name}: {_listed(others)}")


def _advice(slices: Sequence[_Slice], grid: Grid) -> str:
    """Return by what images at the same place could be told apart."""
    for keyword in _TELLING if grid.twins > 1 else ():
        counts: dict[str, int] = {}
        for one in slices:
            value = _value(one, keyword)
            counts[value] = counts.get(value, 0) + 1
        if len(counts) == grid.twins and "" not in counts and len(set(counts.values())) == 1:
            values = sorted(counts)
            example = "{" + f"{keyword!r}: {values[0]!r}" + "}"
            return (
                f"There are {grid.twins} at each place, which differ in {keyword} ({_listed(values)}): where={example}"
            )
    return "strict=False stacks the images all the same, without an affine"


def _times(slices: Sequence[_Slice]) -> Array | None:
    seconds = [one.frame.seconds for one in slices]
    known = [moment for moment in seconds if moment is not None]
    return np.array(known) - min(known) if len(known) == len(seconds) else None


def _stacked(slices: Sequence[_Slice], rescale: bool) -> Array:
    kind = _kind_of(slices) if rescale and slices[0].pixels.ndim == 2 else _stored_kind(slices)
    array = np.empty((len(slices), *slices[0].pixels.shape), kind)

    def fill(number: int) -> None:
        one, target = slices[number], array[number]
        pixels = _counting_bits(one.pixels, one.image.bits, target)
        if not rescale or pixels.ndim == 3 or (one.frame.slope, one.frame.intercept) == (1, 0):
            np.copyto(target, pixels, casting="unsafe")
        elif kind.kind == "f":
            np.multiply(pixels, kind.type(one.frame.slope), out=target, casting="unsafe")
            target += kind.type(one.frame.intercept)
        else:
            if pixels.dtype.itemsize == kind.itemsize and pixels.dtype.isnative:
                pixels = pixels.view(kind)  # sums are the same, modulo 2 to the number of bits, and sooner done
            np.add(pixels, kind.type(int(one.frame.intercept)), out=target, dtype=kind, casting="unsafe")

    for _ in _side_by_side(fill, range(len(slices))):
        pass
    return array


def _counting_bits(pixels: Array, bits: int, room: Array) -> Array:
    """Return values without the bits that do not count, as pydicom does; they are put into `room` if they fit."""
    unused = 8 * pixels.dtype.itemsize - bits
    if pixels.dtype.kind not in "iu" or unused <= 0:
        return pixels
    fits = room.dtype.itemsize == pixels.dtype.itemsize and pixels.dtype.isnative
    place = room.view(pixels.dtype) if fits else None
    counting: Array
    if pixels.dtype.kind == "u":
        counting = np.bitwise_and(pixels, pixels.dtype.type((1 << bits) - 1), out=place)
    else:
        counting = np.left_shift(pixels, unused, out=place)
        np.right_shift(counting, unused, out=counting)  # puts the sign where it belongs
    return counting


def _stored_kind(slices: Sequence[_Slice]) -> np.dtype[Any]:
    return np.result_type(*{one.pixels.dtype.newbyteorder("=") for one in slices})


def _kind_of(slices: Sequence[_Slice]) -> np.dtype[Any]:
    """Return the smallest type that holds all rescaled values exactly, or ``float32``."""
    stored = _stored_kind(slices)
    ways = {(one.frame.slope, one.frame.intercept) for one in slices}
    if ways == {(1.0, 0.0)}:
        return stored
    if stored.kind not in "iu" or any(slope != 1 or intercept % 1 for slope, intercept in ways):
        return np.dtype(np.float64 if stored == np.float64 else np.float32)
    bits = max(one.image.bits for one in slices)
    lowest, highest = (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1) if stored.kind == "i" else (0, 2**bits - 1)
    lowest += int(min(intercept for _, intercept in ways))
    highest += int(max(intercept for _, intercept in ways))
    for kind in (np.int16, np.uint16, np.int32):
        if np.iinfo(kind).min <= lowest and highest <= np.iinfo(kind).max:
            return np.dtype(kind)
    return np.dtype(np.float64)
