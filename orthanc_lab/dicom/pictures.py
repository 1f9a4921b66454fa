"""PNG, JPEG and PAM pictures decoded to the samples of Pixel Data.

The decoder of Pillow is called directly, after the sizes that the header declares were
held against what the data can possibly contain: a picture that lies is refused before
memory is taken for it.
"""

from __future__ import annotations

import io
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["MAX_BYTES", "JpegHeader", "Picture", "decode_jpeg", "decode_pam", "decode_png", "read_jpeg_header"]

MAX_BYTES = 512 << 20
"""Pictures of more decoded bytes than this are refused (15 "Bad file format")."""

_PNG_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_DEFLATE_LIMIT = 1040  # Deflate shrinks by no more than 1032 to 1
_PNG_CHANNELS = {(8, 0): 1, (16, 0): 1, (8, 2): 3, (8, 6): 4, (16, 6): 4}  # (bit depth, colour type)


@dataclass(frozen=True, slots=True)
class Picture:
    """A decoded picture."""

    width: int
    height: int
    samples: int  # 1 = gray, 3 = RGB, interleaved
    bits: int  # 8 or 16 per sample, unsigned
    pixels: bytes  # little-endian, row by row without padding


@dataclass(frozen=True, slots=True)
class JpegHeader:
    """What the frame header of a JPEG file declares."""

    width: int
    height: int
    components: int


def decode_png(data: bytes) -> Picture:
    """Decode a PNG of 8- or 16-bit gray, RGB or RGBA; alpha is dropped.

    Raises
    ------
    OrthancError
        15 if it is corrupted, 2 for the other kinds of PNG.
    """
    if data[:8] != _PNG_SIGNATURE or len(data) < 33 or data[12:16] != b"IHDR":
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    width, height, depth, colour = struct.unpack_from(">IIBB", data, 16)
    channels = _PNG_CHANNELS.get((depth, colour))
    if channels is None:
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    size = width * height * channels * depth // 8
    if not 0 < size <= min(MAX_BYTES, len(data) * _DEFLATE_LIMIT):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if (depth, colour) == (16, 6):
        return Picture(width, height, 3, 16, _rgb16(data))
    pixels = _load_png(data, "RGB" if colour == 6 else None)
    return Picture(width, height, 1 if colour == 0 else 3, depth, pixels)


def _load_png(data: bytes, convert: str | None = None, raw_mode: str | None = None) -> bytes:
    # Pillow takes a tenth of a second to import: only a server that gets pictures pays for it.
    from PIL import PngImagePlugin  # noqa: PLC0415

    try:
        with PngImagePlugin.PngImageFile(io.BytesIO(data)) as image:
            if raw_mode is not None:
                image.tile = [tile._replace(args=raw_mode) for tile in image.tile]
            image.load()
            return image.tobytes("raw", convert) if convert else image.tobytes()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error


def _rgb16(data: bytes) -> bytes:
    """Decode RGBA of 16 bits: Pillow keeps 8 bits of each sample, so the two halves come one by one."""
    import numpy as np  # noqa: PLC0415 - as Pillow

    high = np.frombuffer(_load_png(data, raw_mode="RGBA;16B"), np.uint8)
    low = np.frombuffer(_load_png(data, raw_mode="RGBA;16L"), np.uint8)
    return np.stack((low, high), axis=-1).reshape(-1, 4, 2)[:, :3].tobytes()


def decode_jpeg(data: bytes) -> Picture:
    """Decode a JPEG of 8-bit gray or colour; a truncated one is filled up, as libjpeg does.

    Raises
    ------
    OrthancError
        -1 with details if it is no JPEG, 2 for CMYK, 15 if it is too large.
    """
    header = read_jpeg_header(data)
    from PIL import JpegImagePlugin  # noqa: PLC0415 - as in _load_png

    try:
        with JpegImagePlugin.JpegImageFile(io.BytesIO(_terminated(data))) as image:
            image.load()
            pixels = image.tobytes()
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise _bad_jpeg(str(error)) from error
    return Picture(header.width, header.height, header.components, 8, pixels)


def _terminated(data: bytes) -> bytes:
    # More end markers make Pillow's libjpeg go to the end of a truncated file.
    return data if data.endswith(b"\xff\xd9") else data + b"\xff\xd9" * 64


def read_jpeg_header(data: bytes) -> JpegHeader:
    """Return the frame header of a JPEG file of 1 or 3 components with 8 bits.

    Raises
    ------
    OrthancError
        As `decode_jpeg`.
    """
    if not data:
        raise _bad_jpeg("Empty input file")
    if data[:2] != b"\xff\xd8":
        raise _bad_jpeg(f"Not a JPEG file: starts with 0x{data[0]:02x} 0x{data[1] if len(data) > 1 else 0xFF:02x}")
    frame: JpegHeader | None = None
    for marker, start in _jpeg_segments(data):
        if marker in _JPEG_FRAMES and frame is None:
            frame = _frame_header(data[start + 2 : start + 8])
        elif marker == _START_OF_SCAN:
            if frame is None:
                raise _bad_jpeg("Invalid JPEG file structure: SOS before SOF")
            return frame
    if frame is None:
        raise _bad_jpeg("JPEG datastream contains no image")
    raise _bad_jpeg("Invalid JPEG file structure: missing SOS marker")


def _jpeg_segments(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the markers up to the first scan or the end, with the offset of what follows each."""
    offset = 2
    while 0 <= (start := data.find(b"\xff", offset)) < len(data) - 1:
        marker = data[start + 1]
        if marker == 0xFF:  # fill byte
            offset = start + 1
            continue
        yield marker, start + 2
        if marker in (_START_OF_SCAN, _END_OF_IMAGE):
            return
        alone = marker in _JPEG_ALONE
        offset = start + 2 + (0 if alone else int.from_bytes(data[start + 2 : start + 4], "big"))


_START_OF_SCAN = 0xDA
_END_OF_IMAGE = 0xD9
_JPEG_FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
_JPEG_ALONE = frozenset({0x00, 0x01, *range(0xD0, 0xD9)})


def _frame_header(frame: bytes) -> JpegHeader:
    if len(frame) < 6:
        raise _bad_jpeg("JPEG datastream contains no image")
    bits, height, width, components = struct.unpack(">BHHB", frame)
    if bits != 8:
        raise _bad_jpeg(f"Unsupported JPEG data precision {bits}")
    if components not in (1, 3):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if not 0 < width * height * components <= MAX_BYTES:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return JpegHeader(width, height, components)


def _bad_jpeg(reason: str) -> OrthancError:
    return OrthancError(ErrorCode.INTERNAL_ERROR, f"Error during JPEG decoding: {reason}")


_PAM_FIELD = re.compile(rb"(?:(WIDTH|HEIGHT|DEPTH|MAXVAL) ([0-9]{1,10})|(TUPLTYPE) (.*))\Z")


def decode_pam(data: bytes) -> Picture:
    """Decode a portable arbitrary map of 8- or 16-bit gray or 8-bit RGB.

    Raises
    ------
    OrthancError
        15 if it is corrupted, 2 for the other kinds of PAM.
    """
    head, mark, pixels = data.partition(b"\nENDHDR\n")
    lines = head.split(b"\n")
    if not mark or lines[0] != b"P7":
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    found = [match for line in lines[1:] if (match := _PAM_FIELD.match(line))]
    fields = {match[1] or match[3]: match[2] or match[4] for match in found}
    try:
        width, height, depth, maximum = (int(fields[name]) for name in (b"WIDTH", b"HEIGHT", b"DEPTH", b"MAXVAL"))
        kind = fields[b"TUPLTYPE"]
    except KeyError as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
    bits = {255: 8, 65535: 16}.get(maximum, 0)
    if (kind, depth, bits) not in ((b"GRAYSCALE", 1, 8), (b"GRAYSCALE", 1, 16), (b"RGB", 3, 8)):
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED)
    if len(pixels) != width * height * depth * bits // 8:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if bits == 16:
        import numpy as np  # noqa: PLC0415 - as in _rgb16

        pixels = np.frombuffer(pixels, ">u2").astype("<u2").tobytes()
    return Picture(width, height, depth, bits, pixels)
