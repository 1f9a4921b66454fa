"""Instances put together again from the buckets that have arrived."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from hashlib import md5

from orthanc_lab.dicom.files.read import check_elements
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.storage.records import NewInstance
from orthanc_lab.transfers.bucket_log import BucketLog
from orthanc_lab.transfers.buckets import Bucket, Chunk
from orthanc_lab.transfers.compression import may_unpack
from orthanc_lab.transfers.instances import TransferInstance

__all__ = ["Arrivals", "Group", "groups_of"]

_INSTANCES_AT_ONCE = 50
_BYTES_AT_ONCE = 8 << 20

Place = tuple[Chunk, int, int]
"""A chunk, the number of its bucket, and its position in there."""


@dataclass(frozen=True, slots=True)
class Group:
    """The files of some instances."""

    files: Sequence[NewInstance]  # of those that have arrived whole
    failure: OrthancError | None  # of the first one that has not


class Arrivals:
    """The instances whose buckets are in a log.

    Parameters
    ----------
    sent
        As how many bytes the buckets came: an instance that would unpack to far more, or to far too many elements,
        is passed over.
    memory
        From which is reserved what it takes to count many elements.
    """

    def __init__(self, log: BucketLog, buckets: Sequence[Bucket], sent: int, memory: MemoryBudget = UNLIMITED) -> None:
        self._log = log
        self._sent = sent
        self._memory = memory
        self._largest = may_unpack(sent)
        self._places = _places(buckets, log)

    def read(self, instances: Sequence[TransferInstance]) -> Group:
        """Return the files of instances, each checked by its MD5."""
        failure: OrthancError | None = None
        files: list[NewInstance] = []
        for instance in instances:
            content = self._content(instance)
            refused = self._failure(instance) if content is None else self._too_dense(content)
            failure = failure or refused
            if content is not None and refused is None:
                files.append(NewInstance(content, md5=instance.md5))
        return Group(files, failure)

    def _content(self, instance: TransferInstance) -> bytes | None:
        """Return a file, None if a part of it is missing, it is too large, or its MD5 is wrong."""
        places = self._places.get(instance.id, ())
        if instance.size > self._largest or not self._has_arrived(instance):
            return None  # what is claimed, and was not sent, costs no memory
        content = self._put_together(instance.size, places)
        return content if md5(content, usedforsecurity=False).hexdigest() == instance.md5 else None

    def _has_arrived(self, instance: TransferInstance) -> bool:
        return _is_covered(instance.size, [place[0] for place in self._places.get(instance.id, ())])

    def _too_dense(self, content: bytes) -> OrthancError | None:
        try:
            with self._memory.reserve(0) as reservation:
                check_elements(content, self._sent, self._memory, reservation)
        except OrthancError as error:
            return error
        return None

    def _failure(self, instance: TransferInstance) -> OrthancError:
        """Return why there is no file."""
        if instance.size > self._largest and self._has_arrived(instance):
            text = f"An instance of a transfer is too large for what was sent: {instance.id}"
            return OrthancError(ErrorCode.NOT_ENOUGH_MEMORY, text)
        return OrthancError(ErrorCode.CORRUPTED_FILE, f"Bad MD5 sum in a transfered DICOM instance: {instance.id}")

    def _put_together(self, size: int, places: Sequence[Place]) -> bytes:
        if len(places) == 1 and places[0][0].size == size:
            return self._log.read(places[0][1], places[0][2], size)
        content = bytearray(size)
        for chunk, number, position in places:
            content[chunk.offset : chunk.offset + chunk.size] = self._log.read(number, position, chunk.size)
        return bytes(content)


def groups_of(instances: Sequence[TransferInstance]) -> Iterator[Sequence[TransferInstance]]:
    """Yield the groups in which instances are stored: so many that they share a commit, and no more than fit."""
    start, size = 0, 0
    for end, instance in enumerate(instances):
        if end > start and (end - start >= _INSTANCES_AT_ONCE or size + instance.size > _BYTES_AT_ONCE):
            yield instances[start:end]
            start, size = end, 0
        size += instance.size
    if start < len(instances):
        yield instances[start:]


def _places(buckets: Sequence[Bucket], log: BucketLog) -> Mapping[str, list[Place]]:
    places: dict[str, list[Place]] = {}
    for number in log:  # in the order of their arrival: the last one wins
        position = 0
        for chunk in buckets[number].chunks if number < len(buckets) else ():
            places.setdefault(chunk.instance, []).append((chunk, number, position))
            position += chunk.size
    return places


def _is_covered(size: int, chunks: Sequence[Chunk]) -> bool:
    reached = 0
    for chunk in sorted(chunks, key=lambda chunk: chunk.offset):
        if chunk.offset > reached:
            return False
        reached = max(reached, chunk.offset + chunk.size)
    return reached >= size
