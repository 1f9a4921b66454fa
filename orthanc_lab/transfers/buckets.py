"""How instances are cut into buckets: the pieces of files that one request carries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.transfers.instances import TransferInstance

__all__ = ["Bucket", "Chunk", "chunks_uri", "plan_buckets"]

_LONGEST_URL = 1956  # letters, from which a bucket is closed
_MOST_PIECES = 1_000_000  # of large files; a peer may say that it has anything


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a DICOM file."""

    instance: str  # Orthanc identifier
    offset: int  # bytes
    size: int  # bytes


@dataclass(frozen=True, slots=True)
class Bucket:
    """The pieces that one request carries, one behind the other."""

    chunks: tuple[Chunk, ...]

    @property
    def size(self) -> int:
        """Bytes of all pieces."""
        return sum(chunk.size for chunk in self.chunks)


def plan_buckets(
    instances: Sequence[TransferInstance], full: int, *, pull: tuple[str, str] | None = None
) -> list[Bucket]:
    """Return the buckets of instances that are sorted by identifier.

    Parameters
    ----------
    full
        Bytes from which a bucket is closed.
    pull
        The URL of the peer and the compression, if each bucket is to be asked for by a URL, which has a limit.

    Raises
    ------
    OrthancError
        4 for sizes that no transfer can have.
    """
    if sum(instance.size // (2 * full) for instance in instances) > _MOST_PIECES:
        raise OrthancError(ErrorCode.NOT_ENOUGH_MEMORY, "The transfer has too many buckets")
    return list(_buckets(instances, full, pull))


def chunks_uri(bucket: Bucket, compression: str) -> str:
    """Return the path and the query by which a bucket is asked for, without an initial slash."""
    ids = ".".join(chunk.instance for chunk in bucket.chunks)
    query = f"offset={bucket.chunks[0].offset}&size={bucket.size}&compression={compression}"
    return f"transfers/chunks/{ids}?{query}"


def _buckets(instances: Sequence[TransferInstance], full: int, pull: tuple[str, str] | None) -> Iterator[Bucket]:
    for instance in instances:
        if instance.size >= full:
            yield from _pieces(instance, 2 * full)
    group = _Group(pull)
    for instance in instances:
        if instance.size < full:
            group.add(instance)
            if group.size >= full or group.url_is_long:
                yield group.bucket()
                group = _Group(pull)
    if group.chunks:
        yield group.bucket()


def _pieces(instance: TransferInstance, largest: int) -> Iterator[Bucket]:
    """Cut a file into pieces of the same size; the last one takes the rest."""
    count = max(1, -(-instance.size // largest))
    size = instance.size // count
    for number in range(count):
        end = instance.size if number == count - 1 else (number + 1) * size
        yield Bucket((Chunk(instance.id, number * size, end - number * size),))


class _Group:
    """Small files that share a bucket."""

    def __init__(self, pull: tuple[str, str] | None) -> None:
        self.chunks: list[Chunk] = []
        self.size = 0
        self._compression = "" if pull is None else pull[1]
        self._url = None if pull is None else len(f"{pull[0]}/transfers/chunks/")
        self._ids = -1  # letters of the identifiers, and the dots between them

    def add(self, instance: TransferInstance) -> None:
        self.chunks.append(Chunk(instance.id, 0, instance.size))
        self.size += instance.size
        self._ids += len(instance.id) + 1

    @property
    def url_is_long(self) -> bool:
        if self._url is None:
            return False
        query = f"?offset=0&size={self.size}&compression={self._compression}"
        return self._url + self._ids + len(query) >= _LONGEST_URL

    def bucket(self) -> Bucket:
        return Bucket(tuple(self.chunks))
