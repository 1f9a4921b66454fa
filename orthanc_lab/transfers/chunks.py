"""Pieces of stored DICOM files, as a transfer reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import AttachmentType
from orthanc_lab.transfers.buckets import Chunk

__all__ = ["chunks_of_range", "read_chunk", "read_in_pieces"]

_PIECE = 1 << 20


def read_chunk(storage: Readable, chunk: Chunk) -> bytes:
    """Return a piece of a file.

    Raises
    ------
    OrthancError
        17 if the instance is unknown, 13 if its file has vanished.
    """
    return storage.read_dicom_part(chunk.instance, chunk.offset, chunk.size)


def read_in_pieces(storage: Readable, chunks: Sequence[Chunk]) -> Iterator[bytes]:
    """Yield the bytes of chunks, a megabyte at a time; of a file that is kept compressed, all at once.

    Raises
    ------
    OrthancError
        As `read_chunk`.
    """
    for chunk in chunks:
        file = storage.dicom_files([chunk.instance]).get(chunk.instance)
        # To read a part of it, the whole file is uncompressed.
        piece = chunk.size if file is not None and file.compressed else _PIECE
        for start in range(0, chunk.size, piece):
            yield read_chunk(storage, Chunk(chunk.instance, chunk.offset + start, min(piece, chunk.size - start)))


def chunks_of_range(storage: Readable, ids: Sequence[str], offset: int, size: int) -> list[Chunk]:
    """Return the chunks that a range of concatenated files is made of.

    Parameters
    ----------
    ids
        The instances, in the order of their files; those behind the range are not looked up.
    size
        Bytes; 0 for all that follows `offset`.

    Raises
    ------
    OrthancError
        17 for an unknown instance.
    """
    chunks = []
    skipped, wanted = offset, size
    for id in ids:
        length = _length(storage, id)
        start = min(skipped, length)
        skipped -= start
        taken = length - start if not size else min(wanted, length - start)
        wanted -= taken
        if taken:
            chunks.append(Chunk(id, start, taken))
        if size and not wanted:
            break
    return chunks


def _length(storage: Readable, id: str) -> int:
    instance = storage.get(id, Level.INSTANCE)
    file = None if instance is None else instance.attachments.get(AttachmentType.DICOM)
    if file is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    return file.uncompressed_size
