"""JPEG of any process and precision, by imagecodecs (libjpeg-turbo)."""

from __future__ import annotations

import imagecodecs
import numpy as np
from PIL import Image

from orthanc_lab.dicom.codecs.codec import Array
from orthanc_lab.dicom.codecs.samples import with_sign
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.jpeg_header import read_matching_header

__all__ = ["decode", "encode"]


def decode(data: bytes, description: ImageDescription) -> Array:
    """Decode a picture, lossless or not; Photometric Interpretation tells its colours."""
    header = read_matching_header(data, description)
    if header.components == 3:
        # Named the same on both sides, colours are left as they are.
        pixels = imagecodecs.jpeg8_decode(data, colorspace="RGB", outcolorspace="RGB")
        if description.photometric.startswith("YBR"):
            pixels = np.asarray(Image.fromarray(pixels, "YCbCr").convert("RGB"))
    else:
        pixels = imagecodecs.jpeg8_decode(data)
    return with_sign(pixels, description)


def encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    """Compress a gray frame with 12 bits a sample, with losses."""
    level = min(max(quality, 1), 100)
    return bytes(imagecodecs.jpeg8_encode(np.ascontiguousarray(pixels), level=level, bitspersample=12))
