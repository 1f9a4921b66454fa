"""A codec that turns a frame of 8-bit gray upside down."""

from __future__ import annotations

import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.images.image_description import ImageDescription


def codec_for(uid: str) -> Codec:
    """Return the codec."""
    return Codec(_decode, _encode, bits=frozenset({8}), signed=False)


def _decode(data: bytes, description: ImageDescription) -> Array:
    return np.frombuffer(data, np.uint8).reshape(description.height, description.width)[::-1]


def _encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    return pixels[::-1].tobytes()
