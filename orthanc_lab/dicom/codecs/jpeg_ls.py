"""JPEG-LS (ITU-T T.87), read by imagecodecs and written by pyjpegls, both of them CharLS.

pyjpegls holds up all threads while it decodes. It writes the precision of Bits Stored, as Orthanc does; imagecodecs
knows 8 and 16 bits only, and adds a SPIFF header.
"""

from __future__ import annotations

import functools

import imagecodecs
import jpeg_ls
import numpy as np

from orthanc_lab.dicom.codecs.codec import Array, Codec
from orthanc_lab.dicom.codecs.samples import bits_to_keep, with_sign
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.jpeg_header import read_matching_header

__all__ = ["codec_for"]

_NEAR_LOSSLESS = "1.2.840.10008.1.2.4.81"
_BY_LINE = 1  # how colours are interleaved, as dcmtk does it
_NEAR = 2  # how much a sample may differ
_SMALL = 1024  # bytes of samples
_END = b"\xff\xd9"


def codec_for(uid: str) -> Codec:
    """Return the codec of lossless or near-lossless JPEG-LS."""
    if uid != _NEAR_LOSSLESS:
        return Codec(_decode, functools.partial(_encode, error=0), ratio_of_stored=True)
    return Codec(
        _decode,
        functools.partial(_encode, error=_NEAR),
        signed=False,
        ratio_of_stored=True,
        description=f"near lossless JPEG-LS compression, factor {{ratio}} (NEAR={_NEAR})",
        method="ISO_14495_1",
    )


def _decode(data: bytes, description: ImageDescription) -> Array:
    read_matching_header(data, description)
    if _END not in data[-3:]:
        raise ValueError("the picture is cut off")
    # Where a scan goes to the very end of the data, CharLS looks 2**31 times for another bit.
    return with_sign(imagecodecs.jpegls_decode(data + _END), description)


def _encode(pixels: Array, description: ImageDescription, quality: int, *, error: int) -> bytes:
    samples = np.ascontiguousarray(pixels).tobytes()
    rows, columns = description.height, description.width
    bits = bits_to_keep(pixels, description)
    mode = _BY_LINE if description.samples > 1 else 0
    if len(samples) < _SMALL:
        # The library leaves twice the room of the samples, too little for a header and noise: more follow, unread.
        samples += bytes(_SMALL)
        return bytes(jpeg_ls.CharLS._CharLS._encode(samples, error, mode, rows, columns, description.samples, bits))
    return bytes(
        jpeg_ls.encode_buffer(
            samples, rows, columns, description.samples, bits, lossy_error=error, interleave_mode=mode
        )
    )
