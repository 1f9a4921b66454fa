"""JPEG 2000 (ITU-T T.800), by imagecodecs (OpenJPEG)."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.codecs.samples import bits_to_keep, with_sign
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.limits import may_unpack

__all__ = ["codec_for"]

_LOSSLESS = "1.2.840.10008.1.2.4.90"
_START = b"\xff\x4f\xff\x51"  # of the codestream, and of the segment with the size
_SIZE = struct.Struct(">4x2x2xIIIIIIIIH")  # up to the number of components
_HEAD = 4  # bytes of a marker and the length of its segment
_CODING, _CODING_OF_COMPONENT, _TILE_PART, _DATA, _END = 0xFF52, 0xFF53, 0xFF90, 0xFF93, 0xFFD9
_WITH_LENGTH = frozenset({*range(0xFF50, 0xFF65), 0xFF74, 0xFF75, 0xFF77, 0xFF78, _TILE_PART})
_TILE_BYTES = 16_384  # of memory, whatever its size
_SMALLEST_BLOCK = 8  # the sum of the exponents of its sides: 16 x 16; OpenJPEG has structures for each
_SMALLEST_PRECINCT = 12  # at full resolution


def codec_for(uid: str) -> Codec:
    """Return the codec of JPEG 2000; only the lossless one is written."""
    return Codec(_decode, _encode if uid == _LOSSLESS else None)


def _decode(data: bytes, description: ImageDescription) -> Array:
    start = data.find(_START)  # there may be the boxes of a JP2 file before it
    if start < 0:
        raise ValueError("the picture has no size")
    codestream = data[start:]
    _check_header(codestream, description)
    return with_sign(imagecodecs.jpeg2k_decode(codestream), description)


def _check_header(data: bytes, description: ImageDescription) -> None:
    """Refuse another size than the one declared, and what takes memory without a sample that would need it.

    Raises
    ------
    ValueError, struct.error, IndexError
        If it is refused, or cut off.
    """
    right, bottom, left, top, tile_width, tile_height, tile_left, tile_top, components = _SIZE.unpack_from(data)
    size = (right - left, bottom - top, components)
    if size != (description.width, description.height, description.samples):
        raise ValueError("the picture has another size")
    tiles = -(-(right - tile_left) // tile_width) * -(-(bottom - tile_top) // tile_height)
    if tiles * components * _TILE_BYTES > may_unpack(len(data)):
        raise ValueError("the picture has too many tiles")
    position, end = 2, 0  # of the part of a tile
    while position + _HEAD <= len(data):
        marker, length = struct.unpack_from(">HH", data, position)
        if marker == _END or (marker == _DATA and not end):
            return  # the last part may leave its length open
        if marker == _DATA:
            if end <= position:
                raise ValueError("a part of the picture is shorter than its head")
            position = end
            continue
        if marker not in _WITH_LENGTH:  # OpenJPEG would look for the next marker in it
            raise ValueError("the picture has an unknown marker")
        if marker == _TILE_PART:
            size_of_part = struct.unpack_from(">I", data, position + 6)[0]
            end = position + size_of_part if size_of_part else 0
        elif marker == _CODING:
            _check_coding(data[position + 9 : position + 2 + length], data[position + 4] & 1)
        elif marker == _CODING_OF_COMPONENT:  # there are no more than 256 components
            _check_coding(data[position + 6 : position + 2 + length], data[position + 5] & 1)
        position += 2 + length


def _check_coding(parameters: bytes, has_precincts: int) -> None:
    blocks = parameters[1] + parameters[2] + 4
    sizes = parameters[5:] if has_precincts else b""
    # The first one is that of the smallest resolution, of which each further one has four times the samples.
    precincts = [sum(divmod(sides, 16)) + 2 * (parameters[0] - level) for level, sides in enumerate(sizes)]
    if blocks < _SMALLEST_BLOCK or min(precincts, default=_SMALLEST_PRECINCT) < _SMALLEST_PRECINCT:
        raise ValueError("the parts of the picture are too small")


def _encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    return bytes(
        imagecodecs.jpeg2k_encode(
            np.ascontiguousarray(pixels),
            level=0,
            codecformat="J2K",
            reversible=True,
            bitspersample=bits_to_keep(pixels, description),
        )
    )
