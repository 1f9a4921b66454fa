"""Frames compressed for encapsulated transfer syntaxes.

JPEG by Pillow, lossless JPEG and RLE of our own, JPEG-LS and JPEG 2000 where the codecs are installed.
"""

from __future__ import annotations

import functools
import importlib
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from orthanc_lab.dicom.codecs.jpeg_lossless import encode_lossless
from orthanc_lab.dicom.images.image_description import ImageDescription
from orthanc_lab.dicom.images.picture_files import jpeg

__all__ = ["NEAR", "Encoder", "encoder_for"]

Array = NDArray[Any]
Encoder = Callable[[Array, ImageDescription, int], bytes]
"""Takes a frame, its description and the quality (1 to 100, for lossy ones)."""

_JPEG = "1.2.840.10008.1.2.4."
_RLE = "1.2.840.10008.1.2.5"

NEAR = 2
"""How much a sample may differ in near-lossless JPEG-LS."""


@functools.cache
def encoder_for(syntax: str) -> Encoder | None:
    """Return what compresses frames for a transfer syntax, None if nothing here does."""
    if syntax == _RLE:
        return _encode_rle
    if syntax in (_JPEG + "50", _JPEG + "51"):
        return _encode_lossy
    if syntax in (_JPEG + "57", _JPEG + "70"):
        return _encode_lossless
    make, module = _OPTIONAL.get(syntax, (None, ""))
    try:
        return None if make is None else make(importlib.import_module(module))
    except ImportError:
        return None


def _encode_lossy(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    return jpeg(pixels, min(max(quality, 1), 100), subsampling="4:2:2")  # as YBR_FULL_422 says


def _encode_lossless(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    unsigned = pixels.view(f"<u{pixels.dtype.itemsize}")
    return encode_lossless(unsigned, max(_bits(unsigned, description), 2))


def _encode_rle(pixels: Array, description: ImageDescription, quality: int) -> bytes:
    """Encode RLE (PS3.5 annex G): one segment for each byte of each sample, the most significant first."""
    samples = np.ascontiguousarray(pixels).reshape(description.height, description.width, -1)
    size = samples.dtype.itemsize
    planes = samples.view(np.uint8).reshape(*samples.shape, size)
    segments = [
        _pack_rows(planes[:, :, sample, byte]) for sample in range(samples.shape[2]) for byte in reversed(range(size))
    ]
    offsets, position = [], 64
    for segment in segments:
        offsets.append(position)
        position += len(segment)
    header = np.zeros(16, "<u4")
    header[0] = len(segments)
    header[1 : 1 + len(segments)] = offsets
    return header.tobytes() + b"".join(segments)


def _pack_rows(plane: Array) -> bytes:
    packed = b"".join(pack_bits(row.tobytes()) for row in plane)
    return packed + b"\0" if len(packed) & 1 else packed


def pack_bits(row: bytes) -> bytes:
    """Encode one row: runs of three bytes and more as runs, all else as it is."""
    values = np.frombuffer(row, np.uint8)
    edges = np.flatnonzero(np.diff(values)) + 1
    starts = [0, *edges.tolist(), len(row)]
    parts: list[bytes] = []
    literal = 0  # where the bytes that are not in a run start
    for start, end in itertools.pairwise(starts):
        length = end - start
        if length < 3:
            continue
        _put_literal(parts, row[literal:start])
        while length > 0:
            run = min(length, 128)
            parts.append(bytes((257 - run, row[start])) if run > 1 else bytes((0, row[start])))
            length -= run
        literal = end
    _put_literal(parts, row[literal:])
    return b"".join(parts)


def _put_literal(parts: list[bytes], data: bytes) -> None:
    for start in range(0, len(data), 128):
        piece = data[start : start + 128]
        parts.append(bytes((len(piece) - 1,)) + piece)


def _jpeg_ls(module: Any, error: int = 0) -> Encoder:
    def encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
        return bytes(
            module.encode_pixel_data(
                np.ascontiguousarray(pixels).tobytes(),
                rows=description.height,
                columns=description.width,
                samples_per_pixel=description.samples,
                bits_stored=_bits(pixels, description),
                planar_configuration=0,
                lossy_error=error,
            )
        )

    return encode


def _jpeg_2000(module: Any) -> Encoder:
    def encode(pixels: Array, description: ImageDescription, quality: int) -> bytes:
        return bytes(
            module.encode_pixel_data(
                np.ascontiguousarray(pixels).tobytes(),
                rows=description.height,
                columns=description.width,
                samples_per_pixel=description.samples,
                bits_allocated=description.bits_allocated,
                bits_stored=_bits(pixels, description),
                pixel_representation=int(description.signed),
                photometric_interpretation=description.photometric,
                codec_format=0,
            )
        )

    return encode


def _bits(pixels: Array, description: ImageDescription) -> int:
    # Samples with bits set above the stored ones are written whole, so that nothing is lost.
    if description.signed:
        return description.bits_allocated
    highest = int(pixels.max()).bit_length() if pixels.size else 1
    return max(description.bits_stored, highest)


_OPTIONAL: dict[str, tuple[Callable[[Any], Encoder], str]] = {
    _JPEG + "80": (_jpeg_ls, "jpeg_ls"),
    _JPEG + "81": (functools.partial(_jpeg_ls, error=NEAR), "jpeg_ls"),
    _JPEG + "90": (_jpeg_2000, "openjpeg"),
}
