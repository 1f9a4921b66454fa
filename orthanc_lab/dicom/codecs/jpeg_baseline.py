"""JPEG of 8 bits, by Pillow (ITU-T T.81, process 1)."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image, ImageFile

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.jpeg_header import JpegHeader, read_matching_header
from orthanc_lab.dicom.images.picture_files import jpeg

__all__ = ["EXPANSION", "codec_for", "decode", "encode"]

EXPANSION = 4096
"""A block of 8 x 8 pixels takes two bits at least, in up to four colours."""


def codec_for(uid: str) -> Codec:
    """Return the codec of JPEG Baseline."""
    return Codec(
        decode,
        encode,
        expansion=EXPANSION,
        bits=frozenset({8}),
        gray_bits={8: 8},
        colours="YBR_FULL_422",
        palettes=False,
        description="Lossy compression with JPEG baseline, IJG quality factor {quality}, compression ratio {ratio}",
        method="ISO_10918_1",
    )


def decode(data: bytes, description: ImageDescription) -> Array:
    """Decode a picture; its markers, else the file, tell whether its colours are RGB or YCbCr."""
    header = read_matching_header(data, description)
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
        assert isinstance(picture, ImageFile.ImageFile)
        if header.components == 3:
            mode = "RGB" if _holds_rgb(header, description) else "YCbCr"
            assert picture.tile
            tile = picture.tile[0]
            picture.tile = [tile._replace(args=("RGB", mode))]
        return np.asarray(picture)


def encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    """Compress a frame, colours at half the resolution across, as YBR_FULL_422 demands."""
    return jpeg(pixels, min(max(quality, 1), 100), subsampling="4:2:2")


def _holds_rgb(header: JpegHeader, description: ImageDescription) -> bool:
    if header.adobe_transform is not None:
        return header.adobe_transform == 0
    return description.photometric == "RGB" and not header.is_jfif
