"""Lossless JPEG (ITU-T T.81 annex H), by imagecodecs (libjpeg-turbo)."""

from __future__ import annotations

import functools

import imagecodecs
import numpy as np

from orthanc_lab.dicom.codecs import jpeg_process
from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["codec_for"]

_FIRST_ORDER = "1.2.840.10008.1.2.4.70"


def codec_for(uid: str) -> Codec:
    """Return the codec of either lossless process; the selection value is the predictor that dcmtk writes, too."""
    predictor = 1 if uid == _FIRST_ORDER else 6
    return Codec(
        jpeg_process.decode,
        functools.partial(_encode, predictor=predictor),
        description=f"Lossless JPEG compression, selection value {predictor}, point transform 0, "
        "compression ratio {ratio}",
    )


def _encode(pixels: Array, description: ImageDescription, quality: int, *, predictor: int) -> bytes:
    unsigned = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")
    bits = description.bits_allocated  # as dcmtk does it, and never too few
    colours = "RGB" if unsigned.ndim == 3 else "GRAYSCALE"
    return bytes(
        imagecodecs.jpeg8_encode(
            unsigned, lossless=True, predictor=predictor, bitspersample=bits, colorspace=colours, outcolorspace=colours
        )
    )
