"""Decoders of compressed frames: RLE of our own, JPEG by Pillow, the others where the codecs are installed.

numpy and Pillow take a while to import; the server loads this module with the first picture.
"""

from __future__ import annotations

import functools
import importlib
import io
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFile

from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.jpeg_header import JpegHeader, read_jpeg_header, with_whole_spectrum
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["MAX_FRAME_BYTES", "can_decode", "decode_compressed"]

MAX_FRAME_BYTES = 1 << 29
"""Frames that would take more memory than this are refused."""

_RLE_LIMIT = 64  # two bytes make no more than 128
_JPEG_LIMIT = 4096  # a block of 8 x 8 pixels takes two bits at least, in up to four colours
_JPEG = "1.2.840.10008.1.2.4."
_RLE = "1.2.840.10008.1.2.5"

Array = NDArray[Any]


def decode_compressed(data: bytes, syntax: str, description: ImageDescription) -> Array:
    """Decode one frame.

    Parameters
    ----------
    data
        The fragments of the frame, joined.
    syntax
        Transfer syntax UID.

    Returns
    -------
    numpy.ndarray
        Shape (rows, columns) or (rows, columns, 3), colours as RGB; samples of the allocated size.

    Raises
    ------
    OrthancError
        2 for a transfer syntax without a decoder, 15 for data that cannot be decoded.
    """
    decoder = _decoder_of(syntax)
    if decoder is None:
        raise OrthancError(
            ErrorCode.NOT_IMPLEMENTED,
            "The built-in DCMTK decoder cannot decode some DICOM instance"
            + (f" whose transfer syntax is: {syntax}" if syntax.startswith(_JPEG) else ""),
        )
    if description.frame_bytes > min(MAX_FRAME_BYTES, len(data) * _expansion(syntax)):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "A frame is too large")
    try:
        pixels = decoder(data, description)
    except OrthancError:
        raise
    except Exception as error:  # each library has exceptions of its own for broken data
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Cannot decode a non-palette image") from error
    shape = (description.height, description.width) + ((3,) if description.samples == 3 else ())
    if pixels.shape != shape:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "The size of a frame is not the one that the file declares")
    return pixels


def can_decode(syntax: str) -> bool:
    """Tell whether a decoder for a compressed transfer syntax is installed."""
    return _decoder_of(syntax) is not None


def _expansion(syntax: str) -> int:
    return _RLE_LIMIT if syntax == _RLE else _JPEG_LIMIT if syntax == _JPEG + "50" else 1 << 20


_Decoder = Callable[[bytes, ImageDescription], Array]


@functools.cache
def _decoder_of(syntax: str) -> _Decoder | None:
    if syntax == _RLE:
        return _decode_rle
    if syntax == _JPEG + "50":
        return _decode_baseline
    for suffixes, module, make in _OPTIONAL:
        if syntax.startswith(_JPEG) and syntax[len(_JPEG) :] in suffixes:
            try:
                return make(importlib.import_module(module))
            except ImportError:
                return None
    return None


def _decode_rle(data: bytes, description: ImageDescription) -> Array:
    """Decode RLE (PS3.5 annex G): a segment for each byte of each sample, the most significant first."""
    count = int.from_bytes(data[:4], "little")
    size = description.bits_allocated // 8
    if count != size * description.samples or size not in (1, 2, 4):
        raise ValueError("wrong number of RLE segments")
    bounds = [*np.frombuffer(data, "<u4", count, 4).tolist(), len(data)]
    length = description.width * description.height
    planes = np.empty((description.samples, length, size), np.uint8)
    for index in range(count):
        segment = unpack_bits(data[bounds[index] : bounds[index + 1]], length)
        planes[index // size, :, size - 1 - index % size] = np.frombuffer(segment, np.uint8)
    samples = planes.reshape(description.samples, -1).view(f"<u{size}")
    shaped = samples.reshape(description.samples, description.height, description.width)
    return shaped[0] if description.samples == 1 else np.ascontiguousarray(np.moveaxis(shaped, 0, -1))


def unpack_bits(data: bytes, length: int) -> bytes:
    """Undo the run-length encoding of one segment; what is missing at its end is zero."""
    parts = []
    position = have = 0
    end = len(data)
    while have < length and position < end:
        code = data[position]
        if code < 128:
            part = data[position + 1 : position + 2 + code]
            position += 2 + code
        elif code > 128:
            part = data[position + 1 : position + 2] * (257 - code)
            position += 2
        else:
            position += 1
            continue
        parts.append(part)
        have += len(part)
    return b"".join(parts)[:length].ljust(length, b"\0")


def _decode_baseline(data: bytes, description: ImageDescription) -> Array:
    header = read_jpeg_header(data)
    if (header.width, header.height) != (description.width, description.height):
        raise ValueError("the picture has another size")
    with Image.open(io.BytesIO(data), formats=["JPEG"]) as picture:
        assert isinstance(picture, ImageFile.ImageFile)
        if header.components == 3:
            mode = "RGB" if _holds_rgb(header, description) else "YCbCr"
            assert picture.tile
            tile = picture.tile[0]
            picture.tile = [tile._replace(args=("RGB", mode))]
        return np.asarray(picture)


def _holds_rgb(header: JpegHeader, description: ImageDescription) -> bool:
    if header.adobe_transform is not None:
        return header.adobe_transform == 0
    return description.photometric == "RGB" and not header.is_jfif


def _extended(module: Any, *, sequential: bool = False) -> _Decoder:
    """JPEG of 12 and 16 bits, lossless JPEG."""

    def decode(data: bytes, description: ImageDescription) -> Array:
        pixels: Array = module.decode(with_whole_spectrum(data) if sequential else data, colour_transform=0)
        if description.photometric.startswith("YBR") and pixels.ndim == 3:
            pixels = np.asarray(Image.fromarray(pixels, "YCbCr").convert("RGB"))
        return _with_sign(pixels, description)

    return decode


def _jpeg_ls(module: Any) -> _Decoder:
    def decode(data: bytes, description: ImageDescription) -> Array:
        pixels: Array = module.decode(np.frombuffer(data, np.uint8))
        if pixels.ndim == 3 and pixels.shape[0] == 3 != pixels.shape[2]:
            pixels = np.ascontiguousarray(np.moveaxis(pixels, 0, -1))
        return _with_sign(pixels, description)

    return decode


def _jpeg_2000(module: Any) -> _Decoder:
    def decode(data: bytes, description: ImageDescription) -> Array:
        parameters = module.get_parameters(data)
        if (parameters["columns"], parameters["rows"]) != (description.width, description.height):
            raise ValueError("the picture has another size")
        pixels: Array = module.decode(data)
        return _with_sign(pixels, description)

    return decode


def _with_sign(pixels: Array, description: ImageDescription) -> Array:
    """Return samples of the allocated size, two's complement where the file says so."""
    size = description.bits_allocated // 8
    samples = pixels.astype(f"<u{size}", copy=False) if pixels.dtype.kind == "u" else pixels.astype(f"<i{size}")
    spare = description.bits_allocated - description.bits_stored
    if description.signed and samples.dtype.kind == "u":
        signed = samples.view(f"<i{size}")
        return (signed << spare) >> spare if spare else signed
    return samples


_OPTIONAL: tuple[tuple[frozenset[str], str, Callable[[Any], _Decoder]], ...] = (
    (frozenset({"51"}), "libjpeg", functools.partial(_extended, sequential=True)),
    (frozenset({"53", "55", "57", "70"}), "libjpeg", _extended),
    (frozenset({"80", "81"}), "jpeg_ls", _jpeg_ls),
    (frozenset({"90", "91"}), "openjpeg", _jpeg_2000),
)
