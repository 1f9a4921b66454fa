"""What has at most 500 kB and unpacks to as much as the server allows, or to more."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Iterator
from typing import Any

import imagecodecs
import numpy as np
from PIL import Image

from orthanc_lab.testing.contracts.dicom_files import TAGS, dicom, element, meta_header
from tests.create.creator import data_uri
from tests.create.pictures import header, png_of

__all__ = ["SENT", "VIEWS", "files", "requests"]

SENT = 500_000  # bytes
MB = 1 << 20
DEFLATED, IMPLICIT, JPEG_2000, JPEG_LS, RLE = (
    "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2", "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.4.80",
    "1.2.840.10008.1.2.5",
)  # fmt: skip
EMPTY_ITEM = b"\xfe\xff\0\xe0\0\0\0\0"
BODY = dicom(instance="1.2.3.99999")[len(meta_header()) :]

_VIEWS = (
    "/tags", "/tags?short", "/simplified-tags", "/content", "/preview", "/rendered", "/rendered?width=3300&height=3300",
    "/rendered?width=20000&height=20000", "/numpy", "/numpy?compress", "/frames/0/numpy", "/matlab", "/image-uint16",
    "/file?transcode=1.2.840.10008.1.2.1", "/file?transcode=1.2.840.10008.1.2.4.70",
)  # fmt: skip
VIEWS = [
    *((view, "*/*") for view in _VIEWS),
    *(("/tags", "application/xml"), ("/file", "application/dicom+json"), ("/file", "application/dicom+xml")),
]
"""The path below an instance, and the media type to ask for."""


def requests(full: bool) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Yield a name, the path of a POST, and its arguments."""
    zeros = dicom(pixels=bytes(38 * MB))
    yield "gzip", "/instances", _gzip(zeros)
    yield "gzip of too much", "/instances", _gzip(bytes(200 * MB))
    yield "gzip of two members", "/instances", _gzip(zeros[: 9 * MB], zeros[9 * MB :])
    yield "gzip of numbers", "/instances", _gzip(_implicit_file(_implicit(0x00541330, bytes(10 * MB))))
    yield "gzip of text", "/instances", _gzip(_implicit_file(_implicit(0x00080050, b"a" * (40 * MB))))
    yield "ZIP", "/instances", {"data": _zip(zeros, zeros, zeros)}
    yield "ZIP of too much", "/instances", {"data": _zip(bytes(120 * MB))}
    for depth, colour, size in ((8, 0, 1), (8, 2, 3), (8, 6, 4), (16, 0, 2), (16, 6, 8)):
        for interlaced in (0, 1) if full else (0,):
            height = 38 * MB // (5000 * size)
            picture = _png(5000, height, depth, colour, interlaced)
            yield f"PNG of {depth} bits, colour {colour}, interlaced {interlaced}", *_create(picture, "image/png")
    yield "PNG of too much", *_create(_png(20_000, 5000, 8, 0, 0), "image/png")
    rows = zlib.compress(bytes(20_001 * 5000 + MB), 9)
    twice = [header(8, 8, 8, 0, interlace=1), header(20_000, 5000, 8, 0, interlace=1), (b"IDAT", rows), (b"IEND", b"")]
    yield "PNG with two headers", *_create(png_of(twice), "image/png")
    for progressive in (False, True) if full else (True,):
        out = io.BytesIO()
        Image.new("RGB", (3500, 3500)).save(out, "JPEG", quality=10, progressive=progressive, optimize=True)
        yield f"JPEG, progressive {progressive}", *_create(out.getvalue(), "image/jpeg")
    yield "JSON of lists", "/tools/find", {"data": b"[" + b"[]," * (SENT // 3 - 3) + b"[]]"}
    yield "JSON of objects", "/tools/find", {"data": b'{"Query":[' + b"{}," * (SENT // 3 - 9) + b"{}]}"}
    items = b'{"Tags":{"ReferencedSeriesSequence":[' + b"{}," * (SENT // 3 - 20) + b"{}]}}"
    yield "JSON of items", "/tools/create-dicom", {"data": items}
    tags = ",".join(f'"0011{number:04x}":""' for number in range(0x1000, 0x9000))
    yield "JSON of tags", "/tools/create-dicom", {"data": f'{{"Tags":{{{tags}}}}}'.encode()}


def files(full: bool) -> Iterator[tuple[str, bytes]]:
    """Yield names and DICOM files that grow when they are read."""
    yield "elements", _implicit_file(_elements(59_000))
    yield "items", _implicit_file(_implicit(0x00081115, EMPTY_ITEM * 60_000))
    for depth in (2, 10, 44):
        yield f"chains {depth} deep", _implicit_file(_sequence(depth, SENT // (16 * depth) - 40))
        yield f"elements {depth} deep", _implicit_file(_nested(_elements(59_000), depth, 0x00081115))
    yield "deflated items", _deflated(element(0x00081115, b"SQ", EMPTY_ITEM * (5 * MB)))
    yield "deflated elements", _deflated(_explicit_elements(300_000))
    yield "deflated text", _deflated(element(0x00104000, b"UT", b"a" * (22 * MB)))
    yield "deflated values", _deflated(element(0x00104000, b"UT", b"\\" * (20 * MB)))
    yield "deflated numbers", _deflated(struct.pack("<HH2s2xI", 0x0009, 0x1001, b"UN", 22 * MB) + bytes(22 * MB))
    yield "too much, deflated", _deflated(element(0x00104000, b"UT", b"a" * (200 * MB)))
    rle = struct.pack("<16I", 1, 64, *[0] * 14) + b"\x81\0" * 240_000
    yield "RLE", _picture([rle], RLE, 5000, 8)
    yield "single bits", meta_header() + BODY + _described(1900, 1, 1) + element(0x7FE00010, b"OB", bytes(475_000))
    if not full:
        return
    frame = bytes(imagecodecs.jpeg2k_encode(np.zeros((512, 512), np.uint16), level=0, codecformat="J2K"))
    number = SENT // (len(frame) + 10) - 10
    yield "frames of JPEG 2000", _picture([frame] * number, JPEG_2000, 512, 16)
    for size in (4400, 9000):
        frame = bytes(imagecodecs.jpeg2k_encode(np.zeros((size, size), np.uint16), level=0, codecformat="J2K"))
        yield f"a frame of JPEG 2000 of {size}", _picture([frame], JPEG_2000, size, 16)
    lying = bytes(imagecodecs.jpegls_encode(np.zeros((20_000, 20_000), np.uint8)))
    yield "JPEG-LS that lies", _picture([lying], JPEG_LS, 8, 8)


def _gzip(*parts: bytes) -> dict[str, Any]:
    return {"data": b"".join(map(gzip.compress, parts)), "headers": {"Content-Encoding": "gzip"}}


def _zip(*members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for number, member in enumerate(members):
            archive.writestr(str(number), member)
    return out.getvalue()


def _create(picture: bytes, mime: str) -> tuple[str, dict[str, Any]]:
    return "/tools/create-dicom", {"json": {"Tags": {}, "Content": data_uri(picture, mime)}}


def _png(width: int, height: int, depth: int, colour: int, interlaced: int) -> bytes:
    row = width * {0: 1, 2: 3, 6: 4}[colour] * depth // 8
    rows = bytes((row + 1) * height + interlaced * (MB + 8 * row))
    return png_of([header(width, height, depth, colour, interlaced), (b"IDAT", zlib.compress(rows, 9)), (b"IEND", b"")])


def _implicit(tag: int, value: bytes) -> bytes:
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(value)) + value


def _implicit_file(*more: bytes) -> bytes:
    texts = {"patient": b"P ", "study": b"1.2\0", "series": b"1.2.3\0", "instance": b"1.2.3.99998\0"}
    return meta_header(IMPLICIT) + b"".join((*(_implicit(TAGS[name][0], text) for name, text in texts.items()), *more))


def _elements(number: int) -> bytes:
    return b"".join(struct.pack("<HHI", 0x0011 + 2 * (n >> 15), 0x1000 + (n & 0x7FFF), 0) for n in range(number))


def _explicit_elements(number: int) -> bytes:
    return b"".join(
        struct.pack("<HH2sH", 0x0011 + 2 * (n >> 15), 0x1000 + (n & 0x7FFF), b"LO", 0) for n in range(number)
    )


def _nested(inner: bytes, depth: int, tag: int) -> bytes:
    for _ in range(depth):
        inner = _implicit(tag, EMPTY_ITEM[:4] + struct.pack("<I", len(inner)) + inner)
    return inner


def _sequence(depth: int, chains: int) -> bytes:
    """Return a sequence of so many items, each with sequences in sequences."""
    chain = _nested(b"", depth - 1, 0x00081140)
    item = EMPTY_ITEM[:4] + struct.pack("<I", len(chain)) + chain
    return _implicit(0x00081140, item * chains)


def _deflated(more: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return meta_header(DEFLATED) + packer.compress(BODY + more) + packer.flush()


def _described(size: int, bits: int, frames: int) -> bytes:
    numbers = {0x00280010: size, 0x00280011: size, 0x00280100: bits, 0x00280101: bits, 0x00280102: bits - 1,
               0x00280002: 1, 0x00280103: 0}  # fmt: skip
    described = b"".join(element(tag, b"US", struct.pack("<H", number)) for tag, number in numbers.items())
    return described + element(0x00280004, b"CS", b"MONOCHROME2") + element(0x00280008, b"IS", str(frames).encode())


def _picture(frames: list[bytes], syntax: str, size: int, bits: int) -> bytes:
    items = b"".join(EMPTY_ITEM[:4] + struct.pack("<I", len(f) + len(f) % 2) + f + bytes(len(f) % 2) for f in frames)
    pixels = struct.pack("<HH2s2xI", 0x7FE0, 0x0010, b"OB", 0xFFFFFFFF) + EMPTY_ITEM + items
    return meta_header(syntax) + BODY + _described(size, bits, len(frames)) + pixels + b"\xfe\xff\xdd\xe0\0\0\0\0"
