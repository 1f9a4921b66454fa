"""The instances of a transfer, and how resources become instances."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import md5
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import AttachmentType, Resource

__all__ = ["MEGABYTE", "TransferInstance", "instances_of", "megabytes", "total_size"]

MEGABYTE = 1 << 20


@dataclass(frozen=True, slots=True)
class TransferInstance:
    """A DICOM file as the sender describes it."""

    id: str  # Orthanc identifier
    size: int  # bytes of the whole file, uncompressed
    md5: str  # of the whole file, hexadecimal


def instances_of(storage: Readable, resources: Any) -> list[TransferInstance]:
    """Return the instances of the resources that a JSON array names, each once, sorted by identifier.

    Parameters
    ----------
    resources
        An array of ``{"Level": …, "ID": …}``.

    Raises
    ------
    OrthancError
        15 for anything else, 3 for an unknown level, 17 for an unknown resource.
    """
    if not isinstance(resources, list):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    ids: set[str] = set()
    seen: set[tuple[Level, str]] = set()
    for resource in resources:
        asked = _level_and_id(resource)
        if asked not in seen:
            seen.add(asked)
            ids.update(_instances_below(storage, *asked))
    found = storage.get_many(sorted(ids))
    return sorted((_described(storage, instance) for instance in found), key=lambda instance: instance.id)


def total_size(instances: Iterable[TransferInstance]) -> int:
    """Return the size of all files, in bytes."""
    return sum(instance.size for instance in instances)


def megabytes(size: int) -> int:
    """Return a number of bytes in megabytes, rounded to the nearest."""
    return (size + MEGABYTE // 2) // MEGABYTE


def _level_and_id(resource: Any) -> tuple[Level, str]:
    fields = resource if isinstance(resource, dict) else {}
    level, id = fields.get("Level"), fields.get("ID")
    if not isinstance(level, str) or not isinstance(id, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return Level.parse(level), id


def _instances_below(storage: Readable, level: Level, id: str) -> Sequence[str]:
    if storage.find_level(id) is not level:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    return storage.descendants(id, Level.INSTANCE)


def _described(storage: Readable, instance: Resource) -> TransferInstance:
    file = instance.attachments.get(AttachmentType.DICOM)
    if file is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    digest = file.uncompressed_md5
    if not digest:  # StoreMD5ForAttachments is false
        digest = md5(storage.read_attachment(file, of=instance.id), usedforsecurity=False).hexdigest()
    return TransferInstance(instance.id, file.uncompressed_size, digest)
