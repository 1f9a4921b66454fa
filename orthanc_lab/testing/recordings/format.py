"""The file of a recording: a line that names its version, then segments, each checked and compressed.

A segment holds whole records and is written by one call, so that a program that is killed loses what it had not
finished, and nothing else. A body is a row of pieces with the SHA-256 at its end, and exchanges name it by that; runs
of one byte, which make up the images of a capsule, take nine bytes.
"""

from __future__ import annotations

import lzma
import struct
import zlib
from collections.abc import Callable, Iterator
from enum import IntEnum
from typing import BinaryIO, NamedTuple

from orthanc_lab.testing.recordings.errors import RecordingError

__all__ = ["MAGIC", "Codec", "Record", "RecordKind", "pack_record", "pack_segment", "read_magic", "read_segments"]

VERSION = 1
MAGIC = b"orthanc-lab recording %d\n" % VERSION
_NAME = MAGIC[:22]
_LONGEST_MAGIC = 32
_HEAD = struct.Struct(">4sBII")  # mark, codec, bytes that follow, their CRC-32; its own CRC-32 comes after it
_CHECK = struct.Struct(">I")
_MARK = b"SEG\n"
_RECORD = struct.Struct(">BI")
_MOST_CONTENT = 16 << 20  # bytes of an unpacked segment
_MOST_RECORDS = 1 << 19  # in a segment: each takes a hundred bytes of memory, however short it is


class RecordKind(IntEnum):
    """What a record holds."""

    HEADER = 1  # JSON: the first record
    DATA = 2  # the next bytes of a body
    RUN = 3  # one byte, and how often it comes next
    BODY = 4  # the end of a body: its SHA-256
    EXCHANGE = 5  # JSON
    END = 6  # JSON: the last record of a recording that was ended


class Codec(IntEnum):
    """How a segment is compressed."""

    ZLIB = 1
    XZ = 2


class Record(NamedTuple):
    """One record, and where its segment stands in the file."""

    kind: RecordKind
    data: bytes
    segment: int
    number: int  # in its segment


def pack_record(kind: RecordKind, data: bytes) -> bytes:
    """Return a record as it stands in a segment."""
    return _RECORD.pack(kind, len(data)) + data


def pack_segment(content: bytes, codec: Codec = Codec.ZLIB) -> bytes:
    """Return a segment of whole records."""
    packed = zlib.compress(content, 1) if codec is Codec.ZLIB else lzma.compress(content, preset=6)
    head = _HEAD.pack(_MARK, codec, len(packed), zlib.crc32(packed))
    return head + _CHECK.pack(zlib.crc32(head)) + packed


def read_magic(file: BinaryIO, name: str) -> None:
    """Read the first line of a recording.

    Raises
    ------
    RecordingError
        If it is another file, or of another version.
    """
    line = file.read(len(MAGIC))
    if line == MAGIC:
        return
    if line.startswith(_NAME):
        version = (line + file.read(_LONGEST_MAGIC))[len(_NAME) :].split(b"\n")[0].decode("latin-1")
        raise RecordingError(f"{name} is a recording of version {version}; this program reads version {VERSION}")
    raise RecordingError(f"{name} is not a recording")


def read_segments(file: BinaryIO, name: str, start: int | None = None) -> Iterator[list[Record]]:
    """Read segment after segment; one that is cut off at the end of the file, by a kill, is left out.

    Parameters
    ----------
    start
        Position of the first one; where the file stands if omitted.

    Raises
    ------
    RecordingError
        If one of them is damaged.
    """
    if start is not None:
        file.seek(start)
    while True:
        position = file.tell()
        head = file.read(_HEAD.size)
        check = file.read(_CHECK.size)
        if len(check) < _CHECK.size:
            return
        mark, codec, size, checksum = _HEAD.unpack(head)
        if mark != _MARK or size > 2 * _MOST_CONTENT or check != _CHECK.pack(zlib.crc32(head)):
            raise _damaged(name, position)
        packed = file.read(size)
        if len(packed) < size:
            return
        if zlib.crc32(packed) != checksum:
            raise _damaged(name, position)
        yield _records(_unpacked(packed, codec, name, position), name, position)


def _unpacked(packed: bytes, codec: int, name: str, position: int) -> bytes:
    unpack = _UNPACK.get(codec)
    if unpack is None:
        raise _damaged(name, position)
    try:
        content = unpack(packed)
    except (zlib.error, lzma.LZMAError) as error:
        raise _damaged(name, position) from error
    if len(content) > _MOST_CONTENT:
        raise _damaged(name, position)
    return content


def _inflated(packed: bytes) -> bytes:
    return zlib.decompressobj().decompress(packed, _MOST_CONTENT + 1)


def _unpacked_xz(packed: bytes) -> bytes:
    return lzma.LZMADecompressor(memlimit=256 << 20).decompress(packed, _MOST_CONTENT + 1)


_UNPACK: dict[int, Callable[[bytes], bytes]] = {Codec.ZLIB: _inflated, Codec.XZ: _unpacked_xz}


def _records(content: bytes, name: str, position: int) -> list[Record]:
    records: list[Record] = []
    at = 0
    while at < len(content):
        if at + _RECORD.size > len(content) or len(records) == _MOST_RECORDS:
            raise _damaged(name, position)
        kind, size = _RECORD.unpack_from(content, at)
        at += _RECORD.size
        if at + size > len(content) or kind not in _KINDS:
            raise _damaged(name, position)
        records.append(Record(RecordKind(kind), content[at : at + size], position, len(records)))
        at += size
    return records


_KINDS = frozenset(RecordKind)


def _damaged(name: str, position: int) -> RecordingError:
    return RecordingError(f"{name} is damaged at byte {position}")
