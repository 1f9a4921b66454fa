"""The attachments of a resource in a column of an index: one JSON object."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.records import Attachment

__all__ = ["attachments_object", "attachments_of_type", "numbered", "read_attachments", "write_attachments"]


def read_attachments(column: str | None) -> dict[int, Attachment]:
    """Return the attachments by type."""
    if column is None:
        return {}
    attachments: dict[int, Attachment] = {}
    for name, item in orjson.loads(column).items():
        uuid, size, md5, size_on_disk, md5_on_disk, compressed, key, *revision = item
        type = int(name)
        fields = (type, uuid, size, md5, size_on_disk, md5_on_disk, bool(compressed), revision[0] if revision else 0)
        attachments[type] = Attachment(*fields) if key is None else SmallFile(*fields, key)
    return attachments


def attachments_of_type(rows: Iterable[Sequence[Any]], type: int) -> dict[str, Attachment]:
    """Return the attachments of one type, by the identifiers that stand before the columns."""
    columns = ((id, read_attachments(column).get(int(type))) for id, column in rows)
    return {id: attachment for id, attachment in columns if attachment is not None}


def write_attachments(attachments: Iterable[Attachment], *, revisions: bool = False) -> str | None:
    """Return the column for some attachments.

    Parameters
    ----------
    revisions
        Whether the index counts how often an attachment was replaced.
    """
    column = attachments_object(attachments, revisions=revisions)
    return orjson.dumps(column).decode() if column else None


def attachments_object(attachments: Iterable[Attachment], *, revisions: bool = False) -> dict[str, Any] | None:
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
            *((it.revision,) if revisions and it.revision else ()),
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
        it.revision,
        key,
    )
