"""The members of a ZIP archive in memory; names do not matter, hostile archives are bounded."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from concurrent.futures import Future
from io import BytesIO

from orthanc_lab.dicom.files.read import check_elements
from orthanc_lab.protocol.deflate import crc32, inflate_raw
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.rest.services import UploadLimits

__all__ = ["is_zip", "members_of"]

_MAGIC = (b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")
_LOCAL_HEADER = struct.Struct("<4s22xHH")
_WAITING = 64 << 20  # bytes of small files that the storage keeps until all of them are committed
_WORTH_A_THREAD = 1 << 16
"""Members of at least this size (bytes) are inflated while the one before is stored."""


def is_zip(body: bytes) -> bool:
    """Return whether a body starts like a ZIP archive."""
    return body.startswith(_MAGIC)


def members_of(
    body: bytes, limits: UploadLimits, executor: Executor, memory: MemoryBudget = UNLIMITED
) -> Iterator[bytes]:
    """Return the contents of the files in an archive, in its order.

    Parameters
    ----------
    executor
        Inflates large members ahead.
    memory
        From which the members are reserved that are there at the same time, until the last one was taken.

    Raises
    ------
    OrthancError
        15 for a broken archive, members that overlap or are of another method than stored and deflated, a wrong
        checksum or size, a file of too many elements, and for an archive that exceeds the limits; 4 with status 503 if
        the memory is spent.
    """
    members = _directory(body, limits)
    if _overlap(members):
        raise _refused("has members that overlap")
    sizes = [member.file_size for member in members]
    if sum(sizes) > max(limits.size, limits.ratio * len(body)) or any(
        member.file_size > limits.of_file(min(member.compress_size, len(body))) for member in members
    ):
        raise _refused("unpacks to too much")
    with memory.reserve(min(sum(sizes), 2 * max(sizes, default=0) + _WAITING)) as reservation:
        for member, content in zip(members, _inflated(body, members, executor), strict=True):
            check_elements(content, member.compress_size, memory, reservation)
            yield content


def _directory(body: bytes, limits: UploadLimits) -> list[zipfile.ZipInfo]:
    if body.count(b"PK\x01\x02") > limits.members:
        raise _refused(f"has more than {limits.members} members")
    try:
        with zipfile.ZipFile(BytesIO(body)) as archive:
            return [member for member in archive.infolist() if not member.is_dir()]
    except (zipfile.BadZipFile, NotImplementedError, struct.error, ValueError, OSError, IndexError) as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Cannot open ZIP archive from memory buffer") from error


def _overlap(members: list[zipfile.ZipInfo]) -> bool:
    """Tell whether some bytes belong to several members, which no program writes: a few could become gigabytes."""
    end = 0
    for member in sorted(members, key=lambda member: member.header_offset):
        if member.header_offset < end:
            return True
        end = member.header_offset + _LOCAL_HEADER.size + member.compress_size
    return False


def _inflated(body: bytes, members: list[zipfile.ZipInfo], executor: Executor) -> Iterator[bytes]:
    """Inflate the members; a large one beside the work of the caller."""
    if not any(member.file_size >= _WORTH_A_THREAD for member in members):
        for member in members:
            yield _content(body, member)
        return
    pool = executor.pool("inflate", 1)
    try:
        ahead: Future[bytes] | None = None
        for member in members:
            following = pool.submit(_content, body, member)
            if ahead is not None:
                yield ahead.result()
            ahead = following
        if ahead is not None:
            yield ahead.result()
    finally:
        pool.shutdown()


def _content(body: bytes, member: zipfile.ZipInfo) -> bytes:
    start = member.header_offset
    if start < 0 or start + _LOCAL_HEADER.size > len(body):
        raise _damaged()
    signature, name_length, extra_length = _LOCAL_HEADER.unpack_from(body, start)
    start += _LOCAL_HEADER.size + name_length + extra_length
    end = start + member.compress_size
    if signature != _MAGIC[0] or end > len(body):
        raise _damaged()
    packed = memoryview(body)[start:end]
    if member.compress_type == zipfile.ZIP_STORED:
        content = bytes(packed)
    elif member.compress_type == zipfile.ZIP_DEFLATED:
        content = _inflate(packed, member.file_size)
    else:
        raise _damaged()
    if len(content) != member.file_size or crc32(content) != member.CRC:
        raise _damaged()
    return content


def _inflate(packed: memoryview, size: int) -> bytes:
    try:
        return inflate_raw(packed, size + 1)  # one more, to see that there is none
    except ValueError as error:
        raise _damaged() from error


def _damaged() -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, "Invalid file or unsupported compression method (e.g. Deflate64)")


def _refused(why: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, f"The ZIP archive {why}")
