"""PNG pictures decoded to samples (PNG specification, third edition).

The size in the header is checked against what the data can possibly contain, so that no memory is
allocated for a header that lies.
"""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from orthanc_lab.dicom.images.picture import Picture, copy_into, samples_of
from orthanc_lab.dicom.limits import MAX_PICTURE_BYTES, may_unpack
from orthanc_lab.protocol.deflate import HAS_ISAL, adler32, crc32, inflate_zlib
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    from PIL.PngImagePlugin import PngImageFile

__all__ = ["png_size", "read_png"]

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_HEADER_END = 33  # signature and IHDR
_DEFLATE_LIMIT = 1040  # Deflate shrinks by no more than 1032 to 1
_DEPTHS = {0: (1, 2, 4, 8, 16), 2: (8, 16), 3: (1, 2, 4, 8), 4: (8, 16), 6: (8, 16)}  # by colour type
_CHANNELS = {(8, 0): 1, (16, 0): 1, (8, 2): 3, (8, 6): 4, (16, 6): 4}  # (bit depth, colour type)
_CRITICAL = frozenset({b"IHDR", b"PLTE", b"IDAT"})
_STORED_BLOCK = struct.Struct("<BHH")
_STORED_SIZE = 0xFFFF
_END = b"\0\0\0\0IEND\xaeB`\x82"
_STRIP = 1 << 20  # samples
_UNPACKED_LIMIT = 64 << 20  # larger pictures are decoded with less memory, if more slowly


def read_png(data: bytes) -> Picture:
    """Read a PNG of 8- or 16-bit gray, RGB or RGBA; alpha is dropped.

    Its header is checked at once, the rest when it is decoded.

    Raises
    ------
    OrthancError
        15 if it is corrupted, 2 for the other kinds of PNG.
    """
    header = _read_header(data)
    samples = 1 if header.colour == 0 else 3
    return Picture(header.width, header.height, samples, header.depth, partial(_decode, data, header))


def png_size(data: bytes) -> int:
    """Return the bytes of the samples of a PNG, those of its alpha included.

    Raises
    ------
    OrthancError
        As `read_png`.
    """
    return _read_header(data).size


class _Header(NamedTuple):
    width: int
    height: int
    depth: int
    colour: int
    size: int  # bytes of all samples


def _read_header(data: bytes) -> _Header:
    if data[:8] != _SIGNATURE or len(data) < _HEADER_END or data[12:16] != b"IHDR":
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    width, height, depth, colour, compression, filters = struct.unpack_from(">IIBBBB", data, 16)
    if compression or filters or depth not in _DEPTHS.get(colour, ()):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    channels = _CHANNELS.get((depth, colour))
    if channels is None:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    size = width * height * channels * depth // 8
    if not 0 < size <= min(MAX_PICTURE_BYTES, len(data) * _DEFLATE_LIMIT, may_unpack(len(data))):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return _Header(width, height, depth, colour, size)


def _decode(data: bytes, header: _Header, target: memoryview) -> None:
    """Write the samples of a PNG into memory.

    Raises
    ------
    OrthancError
        15 if it is corrupted.
    """
    width, height, depth, colour, size = header
    try:
        if HAS_ISAL and not data[28] and size <= _UNPACKED_LIMIT:
            data = _unpacked(data, size + height)
            if depth == 8 and _decode_directly(data, header, target):
                return
        if (depth, colour) == (16, 6):
            _decode_rgb16(data, (width, height), target)
        else:
            copy_into(target, _decode_by_pillow(data, (width, height)))
    except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error


def _unpacked(data: bytes, size: int) -> bytes:
    """Return the same picture with its data stored instead of deflated.

    ISA-L inflates several times faster than the zlib in Pillow, which then only undoes the filters.

    Parameters
    ----------
    size
        Bytes of the filtered rows (for a picture that is not interlaced).
    """
    rows = inflate_zlib(b"".join(_deflated(data)), size)
    if len(rows) < size:
        raise EOFError("the picture is cut off")
    body = (b"IDAT", b"\x78\x01", *_stored(rows), struct.pack(">I", adler32(rows)))
    checksum = 0
    for part in body:
        checksum = crc32(part, checksum)
    length = struct.pack(">I", sum(map(len, body)) - 4)
    return b"".join((data[:_HEADER_END], length, *body, struct.pack(">I", checksum), _END))


def _deflated(data: bytes) -> Iterator[bytes]:
    """Yield the pieces of the deflated rows; what follows them is ignored.

    Raises
    ------
    ValueError
        If a chunk is damaged, unknown and critical, or in the wrong place.
    """
    position = 8
    previous = b""
    while previous != b"IDAT" or data[position + 4 : position + 8] == previous:
        length, name = struct.unpack_from(">I4s", data, position)
        end = position + 8 + length
        critical = not name[0] & 0x20
        if (name == b"IHDR") != (not previous) or name[2] & 0x20 or (critical and name not in _CRITICAL):
            raise ValueError(f"the chunk {name!r} must not occur here")
        if critical and zlib.crc32(memoryview(data)[position + 4 : end]) != struct.unpack_from(">I", data, end)[0]:
            raise ValueError(f"the chunk {name!r} is damaged")
        if name == b"IDAT":
            yield data[position + 8 : end]
        previous = name
        position = end + 4


def _stored(rows: bytes) -> Iterator[bytes | memoryview]:
    """Yield the rows as stored blocks of Deflate (RFC 1951 section 3.2.4)."""
    view = memoryview(rows)
    for start in range(0, len(rows), _STORED_SIZE):
        block = view[start : start + _STORED_SIZE]
        is_last = start + _STORED_SIZE >= len(rows)
        yield _STORED_BLOCK.pack(is_last, len(block), len(block) ^ 0xFFFF)
        yield block


def _decode_directly(data: bytes, header: _Header, target: memoryview) -> bool:
    """Decode 8 bits with the extra ``codecs``, which spares copies out of Pillow; False without it."""
    try:
        from imagecodecs import PngError, png_decode  # noqa: PLC0415 - as Pillow
    except ModuleNotFoundError:
        return False
    import numpy as np  # noqa: PLC0415 - as Pillow

    shape: tuple[int, ...] = (header.height, header.width)
    if header.colour != 0:
        shape += (3,)
    samples = np.frombuffer(target, np.uint8).reshape(shape)
    try:
        if header.colour == 6:
            samples[...] = png_decode(data)[..., :3]
        else:
            png_decode(data, out=samples)
    except PngError as error:
        raise ValueError("the picture is damaged") from error
    return True


def _decode_by_pillow(data: bytes, size: tuple[int, int]) -> Iterator[bytes]:
    width, height = size
    with _open(data, size) as image:
        image.load()
        if image.mode == "I;16":  # `tobytes` of the whole would take its memory twice
            step = max(1, _STRIP // width)
            for top in range(0, height, step):
                yield image.crop((0, top, width, min(top + step, height))).tobytes()
        else:
            yield from samples_of(image.convert("RGB") if image.mode == "RGBA" else image)


def _decode_rgb16(data: bytes, size: tuple[int, int], target: memoryview) -> None:
    """Decode RGBA of 16 bits: Pillow keeps 8 bits of each sample, so each half is decoded by itself."""
    import numpy as np  # noqa: PLC0415 - as Pillow

    samples = np.frombuffer(target, np.uint8).reshape((size[1], size[0], 3, 2))
    for half, mode in enumerate(("RGBA;16L", "RGBA;16B")):  # the low bytes, the high bytes
        with _open(data, size) as image:
            image.tile = [tile._replace(args=mode) for tile in image.tile or ()]
            image.load()
            samples[..., half] = np.asarray(image)[..., :3]


def _open(data: bytes, size: tuple[int, int]) -> PngImageFile:
    # Pillow takes a tenth of a second to import: only a server that gets pictures pays for it.
    from PIL.PngImagePlugin import PngImageFile  # noqa: PLC0415

    image = PngImageFile(io.BytesIO(data))
    if image.size != size:  # a second header: no memory was taken for it yet
        raise ValueError("the picture has two sizes")
    return image
