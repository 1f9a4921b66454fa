"""JPEG of 8 and 12 bits, sequential and progressive (ITU-T T.81, processes 2, 4, 6, 8, 10, 12)."""

from __future__ import annotations

from dataclasses import replace

from orthanc_lab.dicom.codecs import jpeg_baseline
from orthanc_lab.dicom.codecs.codec import Array, Codec, Decoder
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.jpeg_header import with_whole_spectrum

try:
    from orthanc_lab.dicom.codecs import jpeg_process
except ModuleNotFoundError:  # without the extra `codecs` there is only the encoder of 8 bits
    _DECODE: Decoder | None = None
else:
    _DECODE = jpeg_process.decode

__all__ = ["codec_for"]

_GRAY_BITS = dict.fromkeys(range(1, 9), 8)
_SEQUENTIAL = "1.2.840.10008.1.2.4.51"


def codec_for(uid: str) -> Codec:
    """Return the codec of JPEG Extended, or the decoder of a progressive one."""
    if uid != _SEQUENTIAL:
        return Codec(_DECODE)
    return replace(
        jpeg_baseline.codec_for(uid),
        decode=None if _DECODE is None else _decode_sequential,
        encode=jpeg_baseline.encode if _DECODE is None else _encode,
        expansion=Codec().expansion,
        gray_bits=_GRAY_BITS if _DECODE is None else _GRAY_BITS | dict.fromkeys(range(9, 13), 12),
        description="Lossy compression with JPEG extended sequential {bits} bit, IJG quality factor {quality}, "
        "compression ratio {ratio}",
    )


def _decode_sequential(data: bytes, description: ImageDescription) -> Array:
    assert _DECODE is not None
    return _DECODE(with_whole_spectrum(data), description)


def _encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    is_baseline = description.bits_stored == 8 or description.samples == 3
    encoder = jpeg_baseline.encode if is_baseline else jpeg_process.encode
    return encoder(pixels, description, quality)
