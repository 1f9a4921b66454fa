"""Small pictures of every kind, some broken."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Iterable
from typing import Any

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_CHANNELS = {"L": 1, "RGB": 3, "RGBA": 4, "LA": 2, "CMYK": 4}


def picture(mode: str, size: tuple[int, int] = (3, 2), form: str = "PNG", **options: Any) -> bytes:
    """Return a picture of random samples."""
    width, height = size
    random = np.random.default_rng(7)
    if mode == "I;16":
        image = Image.frombytes("I;16", size, random.bytes(width * height * 2))
    elif mode == "1":
        image = Image.new("1", size, 1)
    elif mode == "P":
        image = Image.frombytes("P", size, bytes(range(width * height)))
        image.putpalette(list(range(256)) * 3)
    else:
        image = Image.frombytes(mode, size, random.bytes(width * height * _CHANNELS[mode]))
    file = io.BytesIO()
    image.save(file, form, **options)
    return file.getvalue()


def chunk(kind: bytes, data: bytes, *, damage: int = 0) -> bytes:
    """Return a chunk of a PNG file."""
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data) ^ damage)


def chunks(png: bytes) -> list[tuple[bytes, bytes]]:
    """Return the chunks of a PNG file."""
    found, position = [], 8
    while position < len(png):
        length = int.from_bytes(png[position : position + 4], "big")
        found.append((png[position + 4 : position + 8], png[position + 8 : position + 8 + length]))
        position += 12 + length
    return found


def png_of(parts: Iterable[tuple[bytes, bytes]], damaged: int | None = None) -> bytes:
    """Return a PNG file made of chunks, one of them with a wrong checksum."""
    return SIGNATURE + b"".join(chunk(*part, damage=int(index == damaged)) for index, part in enumerate(parts))


def header(width: int, height: int, depth: int, colour: int, interlace: int = 0) -> tuple[bytes, bytes]:
    """Return the header chunk of a PNG file."""
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlace)


def raw_png(width: int, height: int, depth: int, colour: int, rows: bytes) -> bytes:
    """Return a PNG file made of filtered rows."""
    return png_of([header(width, height, depth, colour), (b"IDAT", zlib.compress(rows)), (b"IEND", b"")])


def pam(pixels: bytes, kind: str = "GRAYSCALE", depth: int = 1, maximum: int = 255) -> bytes:
    """Return a portable arbitrary map of 3 by 2 samples."""
    fields = f"WIDTH 3\nHEIGHT 2\nDEPTH {depth}\nMAXVAL {maximum}\nTUPLTYPE {kind}"
    return f"P7\n{fields}\nENDHDR\n".encode() + pixels
