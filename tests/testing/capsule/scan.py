"""An independent look into a capsule: reads the file by itself, unpacks whatever it finds, and looks for texts.

It shares no code with the package, so that it does not share its mistakes.
"""

from __future__ import annotations

import base64
import gzip
import io
import json
import lzma
import re
import struct
import urllib.parse
import zipfile
import zlib
from collections.abc import Iterable, Iterator
from pathlib import Path

DEEPEST = 7


def contents(path: Path) -> Iterator[bytes]:
    """Yield all that a capsule holds: the JSON records, and the bodies."""
    data = path.read_bytes()
    position = data.index(b"\n") + 1
    body = bytearray()
    while position < len(data):
        mark, codec, size, checksum, _ = struct.unpack_from(">4sBIII", data, position)
        packed = data[position + 17 : position + 17 + size]
        assert mark == b"SEG\n"
        assert zlib.crc32(packed) == checksum
        plain = zlib.decompress(packed) if codec == 1 else lzma.decompress(packed)
        position += 17 + size
        at = 0
        while at < len(plain):
            kind, length = struct.unpack_from(">BI", plain, at)
            record = plain[at + 5 : at + 5 + length]
            at += 5 + length
            if kind == 2:
                body += record
            elif kind == 3:
                assert set(record[:1]) <= {0, 0x78, 0x20}, "a run of anything but zeros, x and blanks"
                body += record[:1] * 32
            elif kind == 4:
                yield bytes(body)
                body.clear()
            else:
                yield record
    assert not body


def views(blob: bytes, depth: int = 0) -> Iterator[str]:
    """Yield a blob as text, in each way in which something can be hidden in it."""
    if depth > DEEPEST or not blob.strip(b"\0x"):
        return
    yield blob.decode("latin-1")
    yield blob.decode("utf-8", "replace")
    for codec in ("utf-16-le", "utf-16-be"):
        yield blob.decode(codec, "replace")
        yield blob[1:].decode(codec, "replace")
    for inner in unpacked(blob):
        yield from views(inner, depth + 1)


def unpacked(blob: bytes) -> Iterator[bytes]:
    for start in re.finditer(rb"\x1f\x8b\x08", blob):
        yield attempt(lambda at=start: zlib.decompressobj(31).decompress(blob[at.start() :]))
    if blob.startswith(b"PK"):
        yield from members(blob)
    if blob[128:132] == b"DICM":
        for start in range(132, min(len(blob), 700)):
            inflater = zlib.decompressobj(-15)
            found = attempt(lambda at=start, inflater=inflater: inflater.decompress(blob[at:]))
            if inflater.eof and len(found) > 64:
                yield found
    for start in re.finditer(rb"IDAT|\x78[\x01\x5e\x9c\xda]", blob):
        yield attempt(lambda at=start: zlib.decompressobj().decompress(blob[at.start() :][:4096]))
    for run in re.finditer(rb"[A-Za-z0-9+/_-]{12,}={0,2}", blob):
        if len(run[0]) < len(blob) or b"/" not in blob:
            yield attempt(lambda text=run[0]: base64.b64decode(text + b"=="))
    if b"%" in blob:
        yield urllib.parse.unquote_to_bytes(blob)
    if b"\\u" in blob or b"\\/" in blob:
        yield attempt(lambda: json.dumps(json.loads(blob), ensure_ascii=False).encode("utf-8", "surrogatepass"))


def members(blob: bytes) -> Iterator[bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(blob)) as archive:
            yield archive.comment
            for member in archive.infolist():
                yield member.filename.encode() + member.comment + member.extra
                yield archive.read(member)
    except (zipfile.BadZipFile, ValueError):
        pass


def attempt(unpack) -> bytes:
    try:
        return unpack()
    except (zlib.error, ValueError, gzip.BadGzipFile, EOFError, RecursionError):
        return b""


def found_in(path: Path, secrets: Iterable[str]) -> set[str]:
    """Return those texts that the capsule holds, in whatever case."""
    by_length: dict[int, set[str]] = {}
    for secret in secrets:
        by_length.setdefault(len(secret), set()).add(secret.lower())
    found: set[str] = set()
    for blob in contents(path):
        for text in map(str.lower, views(blob)):
            for length, wanted in by_length.items():
                windows = {text[at : at + length] for at in range(len(text) - length + 1)}
                found |= windows & wanted
    return found


def dates_in(path: Path) -> set[str]:
    """Return all numbers of eight digits that stand alone."""
    found: set[str] = set()
    for blob in contents(path):
        for text in views(blob):
            found.update(re.findall(r"(?<!\d)\d{8}(?=T|\D|101112|$)", text))
    return found
