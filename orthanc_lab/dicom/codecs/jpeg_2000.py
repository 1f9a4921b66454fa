"""JPEG 2000 (ITU-T T.800), by imagecodecs (OpenJPEG)."""

from __future__ import annotations

import struct

import imagecodecs
import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.codecs.samples import bits_to_keep, with_sign
from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["codec_for"]

_LOSSLESS = "1.2.840.10008.1.2.4.90"
_SIZE_MARKER = b"\xff\x4f\xff\x51"  # start of the codestream, and of the segment with the size
_SIZE = struct.Struct(">4x2x2xIIII")  # up to the offset of the image


def codec_for(uid: str) -> Codec:
    """Return the codec of JPEG 2000; only the lossless one is written."""
    return Codec(_decode, _encode if uid == _LOSSLESS else None)


def _decode(data: bytes, description: ImageDescription) -> Array:
    position = data.find(_SIZE_MARKER)
    if position < 0:
        raise ValueError("the picture has no size")
    right, bottom, left, top = _SIZE.unpack_from(data, position)
    if (right - left, bottom - top) != (description.width, description.height):
        raise ValueError("the picture has another size")
    return with_sign(imagecodecs.jpeg2k_decode(data), description)


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
