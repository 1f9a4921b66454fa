"""Lossless JPEG (ITU-T T.81 annex H), by imagecodecs (libjpeg-turbo)."""

from __future__ import annotations

import imagecodecs
import numpy as np

from orthanc_lab.dicom.codecs import jpeg_process
from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.codecs.samples import bits_to_keep
from orthanc_lab.dicom.images.image_description import ImageDescription

__all__ = ["codec_for"]


def codec_for(uid: str) -> Codec:
    """Return the codec of both lossless processes; frames are written with the first predictor, which both allow."""
    return Codec(
        jpeg_process.decode,
        _encode,
        description="Lossless JPEG compression, selection value 1, point transform 0, compression ratio {ratio}",
    )


def _encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    unsigned = np.ascontiguousarray(pixels).view(f"u{pixels.dtype.itemsize}")
    bits = max(bits_to_keep(unsigned, description), 2)
    colours = "RGB" if unsigned.ndim == 3 else "GRAYSCALE"
    return bytes(
        imagecodecs.jpeg8_encode(
            unsigned, lossless=True, predictor=1, bitspersample=bits, colorspace=colours, outcolorspace=colours
        )
    )
