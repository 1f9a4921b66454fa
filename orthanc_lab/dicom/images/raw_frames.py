"""The frames of pixel data as they are in the file, compressed or not (PS3.5 section A.4)."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from orthanc_lab.dicom.dictionary.tags import PIXEL_DATA
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.images.elscint_runs import elscint_pixels
from orthanc_lab.dicom.images.image_description import ImageDescription, count_frames, describe_image
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["compressed_frames", "packed_size", "raw_frame", "uncompressed_frame"]


def raw_frame(data_set: DataSet, index: int) -> bytes:
    """Return the bytes of one frame, as `/frames/{frame}/raw` answers them.

    Raises
    ------
    OrthancError
        2, 15 or 23 if the file is not an image or is shorter than declared, 3 for a missing frame.
    """
    element = data_set.get(PIXEL_DATA)
    value = elscint_pixels(data_set) if element is None else element.value
    count = count_frames(data_set)
    description = describe_image(data_set)
    if isinstance(value, tuple):
        frames = compressed_frames(value, count)
        if not 0 <= index < len(frames):
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        return b"".join(frames[index])
    if isinstance(value, bytes) and description.frame_bytes * count > len(value):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if not 0 <= index < count:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    if not isinstance(value, bytes):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Cannot access a raw frame")
    return uncompressed_frame(value, description, index)


def packed_size(file: DicomFile) -> int:
    """Return the bytes of the pixel data as they are in the file; of a deflated file, no more than it has."""
    element = file.data_set.get(PIXEL_DATA)
    value = element.value if element is not None else b""
    size = len(value) if isinstance(value, bytes) else sum(len(item) for item in value if isinstance(item, bytes))
    return size if file.deflated_size is None else min(size, file.deflated_size)


def uncompressed_frame(pixels: bytes, description: ImageDescription, index: int) -> bytes:
    """Return the bytes of one frame, which must exist."""
    size = description.frame_bytes
    return pixels[index * size : (index + 1) * size]


def compressed_frames(fragments: Sequence[bytes], count: int) -> list[Sequence[bytes]]:
    """Return the fragments of each frame.

    Parameters
    ----------
    fragments
        Items of the pixel data, the basic offset table first.
    count
        Number of frames that the file declares.

    Raises
    ------
    OrthancError
        15 if the fragments cannot be assigned to frames.
    """
    table, items = (fragments[0], fragments[1:]) if fragments else (b"", ())
    if len(items) == count:
        return [(item,) for item in items]
    if count == 1 and items:
        return [items]
    if count > 1 and len(table) >= 4 * count:
        return _by_offsets(items, struct.unpack_from(f"<{count}I", table))
    raise OrthancError(ErrorCode.BAD_FILE_FORMAT)


def _by_offsets(items: Sequence[bytes], offsets: Sequence[int]) -> list[Sequence[bytes]]:
    starts = {}
    position = 0
    for index, item in enumerate(items):
        starts[position] = index
        position += 8 + len(item)
    if offsets[0] != 0 or any(offset not in starts for offset in offsets) or sorted(offsets) != list(offsets):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    firsts = [starts[offset] for offset in offsets]
    return [items[first:last] for first, last in zip(firsts, [*firsts[1:], len(items)], strict=True)]
