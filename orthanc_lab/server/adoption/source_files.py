"""Reads the files of a real Orthanc, and compares them with the rows of its index."""

from __future__ import annotations

import hashlib
import os
import re
import stat
import zlib
from pathlib import Path

from orthanc_lab.server.adoption.source_rows import FileError, SourceFile

__all__ = ["SourceFiles", "verified"]

_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_PLAIN, _ZLIB = 1, 2
_SIZE_BYTES = 8


class SourceFiles:
    """The storage area of a real Orthanc.

    Parameters
    ----------
    folder
        ``StorageDirectory``.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def read(self, file: SourceFile) -> bytes:
        """Return the content of a file, uncompressed.

        Raises
        ------
        FileError
            If it is missing or cannot be read, or its size or MD5 is not that of its row.
        """
        if not _UUID.fullmatch(file.uuid):
            raise FileError("the index names a file that can be none")
        return verified(self._stored(file), file)

    def _stored(self, file: SourceFile) -> bytes:
        path = self._folder / file.uuid[:2] / file.uuid[2:4] / file.uuid
        try:
            descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe of this name would wait for a writer
            try:
                found = os.fstat(descriptor)
                if not stat.S_ISREG(found.st_mode):
                    raise FileError(f"{path} is no file")
                if found.st_size != file.compressed_size:
                    raise FileError(f"{path} has {found.st_size} bytes in place of {file.compressed_size}")
                with os.fdopen(descriptor, "rb", closefd=False) as opened:
                    return opened.read(file.compressed_size)
            finally:
                os.close(descriptor)
        except FileNotFoundError as error:
            raise FileError(f"{path} is missing") from error
        except OSError as error:
            raise FileError(f"{path} cannot be read: {error.strerror or error}") from error


def verified(stored: bytes, file: SourceFile) -> bytes:
    """Return the content of a file, given the bytes that were stored for it.

    Raises
    ------
    FileError
        If its size or MD5 is not that of its row.
    """
    _check_md5(stored, file.compressed_md5)
    if file.compression == _PLAIN:
        content = stored
    elif file.compression == _ZLIB:
        content = _uncompress(stored, file.uncompressed_size)
    else:
        raise FileError(f"compression {file.compression} is unknown")
    if len(content) != file.uncompressed_size:
        raise FileError(f"{len(content)} bytes in place of {file.uncompressed_size}")
    if file.uncompressed_md5 != file.compressed_md5 or content is not stored:
        _check_md5(content, file.uncompressed_md5)
    return content


def _check_md5(content: bytes, wanted: str) -> None:
    if wanted and hashlib.md5(content, usedforsecurity=False).hexdigest() != wanted.lower():
        raise FileError("its content is damaged: the MD5 is not that of the index")


def _uncompress(stored: bytes, size: int) -> bytes:
    """Return what was compressed: zlib after the size of what it holds."""
    if not stored:
        return b""
    if int.from_bytes(stored[:_SIZE_BYTES], "little") != size:
        raise FileError("its compressed form names another size than the index")
    inflating = zlib.decompressobj()
    try:
        content = inflating.decompress(memoryview(stored)[_SIZE_BYTES:], size + 1)  # not more than is believed
    except zlib.error as error:
        raise FileError(f"it cannot be uncompressed: {error}") from error
    if len(content) == size and not inflating.eof:
        inflating.decompress(inflating.unconsumed_tail, 1)
    if not inflating.eof:
        raise FileError("its compressed form is incomplete, or longer than the index says")
    return content
