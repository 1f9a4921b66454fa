"""Arrays written as PNG, JPEG, PAM, numpy and Matlab."""

from __future__ import annotations

import io
import struct
import time
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from orthanc_lab.protocol.deflate import deflate_zlib
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["jpeg", "matlab", "npy_head", "npz", "pam", "png"]

Array = NDArray[Any]

_LETTERS = 6  # of a sample and the blank after it
_LONGEST_SIDE = 65500  # of a JPEG that libjpeg writes

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_AT_ONCE = 4 << 20  # bytes of samples
_UP = 2  # filter type: the difference to the sample above (PNG specification section 9.2)


def png(pixels: Array) -> bytes:
    """Write a PNG of 8- or 16-bit gray or 8-bit RGB.

    Raises
    ------
    OrthancError
        24 for a picture without pixels.
    """
    if not pixels.size:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    height, width = pixels.shape[:2]
    colour = 2 if pixels.ndim == 3 else 0
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.dtype.itemsize, colour, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", deflate_zlib(_filtered(pixels))), (b"IEND", b""))
    return _PNG_SIGNATURE + b"".join(_chunk(name, data) for name, data in chunks)


def _filtered(pixels: Array) -> Iterator[memoryview]:
    """Yield the rows of a PNG, so many at a time that large pictures are not copied as a whole."""
    height = len(pixels)
    step = max(_AT_ONCE // (pixels.nbytes // height), 1)
    for start in range(0, height, step):
        part = pixels[max(start - 1, 0) : start + step]  # with the row above
        samples = part.astype(">u2") if pixels.dtype.itemsize == 2 else part
        rows = np.ascontiguousarray(samples).view(np.uint8).reshape(len(part), -1)
        filtered = np.empty((min(step, height - start), rows.shape[1] + 1), np.uint8)
        filtered[:, 0] = _UP
        if not start:
            filtered[:1, 1:] = rows[:1]
        np.subtract(rows[1:], rows[:-1], out=filtered[not start :, 1:])
        yield filtered.data


def _chunk(name: bytes, data: bytes) -> bytes:
    return b"".join((struct.pack(">I", len(data)), name, data, struct.pack(">I", zlib.crc32(data, zlib.crc32(name)))))


def jpeg(pixels: Array, quality: int, subsampling: str = "4:2:0") -> bytes:
    """Write a JPEG of 8-bit gray or RGB (colours at half the resolution, or only across: ``4:2:2``).

    Raises
    ------
    OrthancError
        24 for a picture without pixels, or with a side of more than 65500.
    """
    if not pixels.size or max(pixels.shape) > _LONGEST_SIDE:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality, subsampling=subsampling)
    return buffer.getvalue()


def pam(pixels: Array) -> bytes:
    """Write a Portable Arbitrary Map; samples of 16 bits are big endian."""
    height, width = pixels.shape[:2]
    depth, kind = (3, "RGB") if pixels.ndim == 3 else (1, "GRAYSCALE")
    size = pixels.dtype.itemsize
    header = f"P7\nWIDTH {width}\nHEIGHT {height}\nDEPTH {depth}\nMAXVAL {256**size - 1}\nTUPLTYPE {kind}\nENDHDR\n"
    return header.encode() + (pixels.astype(">u2") if size == 2 else pixels).tobytes()


def npy_head(shape: Sequence[int], kind: np.dtype[Any]) -> bytes:
    """Return the head of a numpy file; the samples, little endian, are to follow.

    Parameters
    ----------
    shape
        Rows, columns and samples of a frame; or the number of frames before them.
    """
    words = [str(length) for length in shape]
    text = f"({words[0]}, {','.join(words[1:])})" if len(words) > 3 else f"({','.join(words)})"
    header = f"{{'descr': '<{kind.kind}{kind.itemsize}', 'fortran_order': False, 'shape': {text}, }}".encode()
    header = header.ljust(-(-(len(header) + 11) // 64) * 64 - 11) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header


def npz(pieces: Iterable[bytes], size: int) -> bytes:
    """Put a numpy file of so many bytes into a ZIP as ``arr_0``, as `numpy.load` reads it."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        archive.comment = b"Created by Orthanc"
        member = zipfile.ZipInfo("arr_0", time.localtime()[:6])
        member.compress_type, member.create_system, member.create_version = zipfile.ZIP_DEFLATED, 0, 0
        member.external_attr, member.file_size = 0o600 << 16, size
        member._compresslevel = 1  # type: ignore[attr-defined] # as ZipFile.writestr does
        with archive.open(member, "w") as file:
            for piece in pieces:
                file.write(piece)
        member.external_attr = 0
    return buffer.getvalue()


def matlab(pixels: Array, most: int) -> str:
    """Write a frame as an expression for Octave's and Matlab's `eval`.

    Parameters
    ----------
    most
        Bytes that the text may have.

    Raises
    ------
    OrthancError
        24 for a picture that may take more.
    """
    if pixels.size * _LETTERS > most:
        raise OrthancError(ErrorCode.INCOMPATIBLE_IMAGE_SIZE)
    rows = (" ".join(map(str, row.ravel().tolist())) for row in pixels)
    if pixels.ndim == 3:
        size = f"[ 3 {pixels.shape[0]} {pixels.shape[1]} ]"
        return f"double(permute(reshape([ {' '.join(rows)} ], {size}), [ 3 2 1 ]))"
    return f"double([ {' ; '.join(rows)} ])" if pixels.size else "double([ ])"
