"""The attachments of a resource in a column of an index: one JSON object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.records import Attachment

__all__ = ["attachments_object", "numbered", "read_attachments", "write_attachments"]


def read_attachments(column: str | None) -> dict[int, Attachment]:
    """Return the attachments by type."""
    if column is None:
        return {}
    attachments: dict[int, Attachment] = {}
    for name, (uuid, size, md5, size_on_disk, md5_on_disk, compressed, key) in orjson.loads(column).items():
        type = int(name)
        fields = (type, uuid, size, md5, size_on_disk, md5_on_disk, bool(compressed))
        attachments[type] = Attachment(*fields) if key is None else SmallFile(*fields, key)
    return attachments


def write_attachments(attachments: Iterable[Attachment]) -> str | None:
    """Return the column for some attachments."""
    column = attachments_object(attachments)
    return orjson.dumps(column).decode() if column else None


def attachments_object(attachments: Iterable[Attachment]) -> dict[str, Any] | None:
    """Return what the column has for some attachments."""
    column = {
        str(int(it.type)): (
            it.uuid,
            it.uncompressed_size,
            it.uncompressed_md5,
            it.compressed_size,
            it.compressed_md5,
            int(it.compressed),
            it.key if isinstance(it, SmallFile) else None,
        )
        for it in attachments
    }
    return column or None


def numbered(files: Iterable[PreparedFile], last: int) -> list[Attachment]:
    """Return the attachments that files will be: the small ones get the keys after the last one."""
    attachments = []
    for file in files:
        attachment = file.attachment
        if file.content is not None:
            last += 1
            attachment = _small_file(attachment, last)
        attachments.append(attachment)
    return attachments


def _small_file(it: Attachment, key: int) -> SmallFile:
    return SmallFile(
        it.type,
        it.uuid,
        it.uncompressed_size,
        it.uncompressed_md5,
        it.compressed_size,
        it.compressed_md5,
        it.compressed,
        key,
    )
