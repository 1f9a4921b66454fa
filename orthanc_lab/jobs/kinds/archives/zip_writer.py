"""A ZIP archive written front to back, member by member, in Orthanc's form (APPNOTE 6.3).

Each member arrives deflated, so that its sizes stand in its local header: nothing is ever
sought back, and the archive can go to a file and to a socket alike. The central directory of
an archive cut off in its middle is read back from the local headers.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

__all__ = ["DamagedZip", "Deflated", "LocalMember", "ZipWriter", "read_members"]

COMMENT = b"Created by Orthanc"
_LOCAL = struct.Struct("<4s5H3I2H")
_CENTRAL = struct.Struct("<4s6H3I5H2I")
_END = struct.Struct("<4s4H2IH")
_END64 = struct.Struct("<4sQ2H2I4Q")
_LOCATOR = struct.Struct("<4sIQI")
_EXTRA64 = struct.Struct("<2H2Q")
_DEFLATE = 8
_HEAD_SIZE = 512
_VERSION, _VERSION64 = 20, 45
_MAX16, _MAX32 = 0xFFFF, 0xFFFFFFFF


class DamagedZip(Exception):
    """The local headers do not lead to the offset that was recorded."""


@dataclass(frozen=True, slots=True)
class Deflated:
    """A member, compressed."""

    data: bytes  # raw deflate stream (RFC 1951)
    crc32: int  # of the uncompressed bytes
    size: int  # bytes, uncompressed


@dataclass(frozen=True, slots=True)
class LocalMember:
    """A member found in an archive by its local header."""

    name: str
    crc32: int
    size: int  # bytes, uncompressed
    compressed_size: int
    offset: int  # bytes, of the local header
    data_offset: int  # bytes, of the compressed data


class ZipWriter:
    """Writes members and, at the end, the central directory.

    Parameters
    ----------
    write
        Takes the bytes of the archive, in order.
    written_at
        Local time that all members carry.
    zip64
        Each member gets the extra field of ZIP64. Where a value needs more than 32 bits, it
        gets it anyway.
    """

    def __init__(self, write: Callable[[bytes], object], *, written_at: datetime, zip64: bool = False) -> None:
        self._write = write
        self._time, self._date = _dos_time(written_at)
        self._zip64 = zip64
        self._directory: list[bytes] = []
        self.offset = 0
        """Bytes written so far."""

    def add(self, name: str, member: Deflated) -> None:
        """Write one member."""
        size = len(member.data)
        self._register(name, member.crc32, size, member.size, self.offset)
        header = self._local_header(name.encode("ascii"), member)
        self._write(header)
        self._write(member.data)
        self.offset += len(header) + size

    def adopt(self, member: LocalMember) -> None:
        """Adopt a member that is already in the output, after all others."""
        self._register(member.name, member.crc32, member.compressed_size, member.size, member.offset)
        self.offset = member.data_offset + member.compressed_size

    def finish(self) -> None:
        """Write the central directory and the end of the archive."""
        directory = b"".join(self._directory)
        count, start = len(self._directory), self.offset
        end = b""
        if count >= _MAX16 or start >= _MAX32 or len(directory) >= _MAX32:
            end = _END64.pack(
                b"PK\x06\x06", 44, _VERSION64, _VERSION64, 0, 0, count, count, len(directory), start
            ) + _LOCATOR.pack(b"PK\x06\x07", 0, start + len(directory), 1)
        shown = min(count, _MAX16)
        end += _END.pack(
            b"PK\x05\x06", 0, 0, shown, shown, min(len(directory), _MAX32), min(start, _MAX32), len(COMMENT)
        )
        tail = directory + end + COMMENT
        self._write(tail)
        self.offset += len(tail)

    def _local_header(self, name: bytes, member: Deflated) -> bytes:
        size, extra = len(member.data), b""
        shown, shown_compressed = member.size, size
        if self._needs64(size, member.size):
            extra = _EXTRA64.pack(1, 16, member.size, size)
            shown = shown_compressed = _MAX32
        version = _VERSION64 if extra else _VERSION
        fields = (b"PK\x03\x04", version, 0, _DEFLATE, self._time, self._date, member.crc32, shown_compressed, shown)
        return _LOCAL.pack(*fields, len(name), len(extra)) + name + extra

    def _register(self, name: str, crc32: int, compressed: int, size: int, offset: int) -> None:
        wide = [value for value in (size, compressed, offset) if value >= _MAX32]
        extra = struct.pack(f"<2H{len(wide)}Q", 1, 8 * len(wide), *wide) if wide else b""
        version = _VERSION64 if wide or self._needs64(compressed, size) else _VERSION
        encoded = name.encode("ascii")
        sizes = (crc32, min(compressed, _MAX32), min(size, _MAX32))
        head = (b"PK\x01\x02", 0, version, 0, _DEFLATE, self._time, self._date, *sizes, len(encoded), len(extra))
        self._directory.append(_CENTRAL.pack(*head, 0, 0, 0, 0, min(offset, _MAX32)) + encoded + extra)

    def _needs64(self, compressed: int, size: int) -> bool:
        return self._zip64 or compressed >= _MAX32 or size >= _MAX32


def read_members(file: BinaryIO, end: int) -> Iterator[LocalMember]:
    """Yield the members of an archive up to the offset `end`, by their local headers.

    Raises
    ------
    DamagedZip
        If a local header is missing, or the last member does not end at `end`.
    """
    offset = 0
    while offset < end:
        file.seek(offset)
        head = file.read(_HEAD_SIZE)
        if len(head) < _LOCAL.size or not head.startswith(b"PK\x03\x04"):
            raise DamagedZip(f"no local header at offset {offset}")
        *_, crc32, compressed, size, name_length, extra_length = _LOCAL.unpack_from(head)
        length = _LOCAL.size + name_length + extra_length
        if length > len(head):
            head += file.read(length - len(head))
        name = head[_LOCAL.size : _LOCAL.size + name_length]
        if extra_length == _EXTRA64.size and len(head) >= length:
            _, _, size, compressed = _EXTRA64.unpack_from(head, _LOCAL.size + name_length)
        yield LocalMember(name.decode("ascii", "replace"), crc32, size, compressed, offset, offset + length)
        offset += length + compressed
    if offset != end:
        raise DamagedZip(f"a member ends at offset {offset}, not {end}")


def _dos_time(moment: datetime) -> tuple[int, int]:
    """Return time and date as MS-DOS writes them (APPNOTE 4.4.6); two seconds is the resolution."""
    year = min(max(moment.year, 1980), 2107)
    date = (year - 1980) << 9 | moment.month << 5 | moment.day
    return moment.hour << 11 | moment.minute << 5 | moment.second // 2, date
