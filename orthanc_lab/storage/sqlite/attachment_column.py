"""The column ``attachments`` of a resource: one JSON object."""

from __future__ import annotations

from collections.abc import Iterable

import orjson

from orthanc_lab.storage.records import Attachment

__all__ = ["read_attachments", "write_attachments"]


def read_attachments(column: str | None) -> dict[int, Attachment]:
    """Return the attachments by type."""
    if column is None:
        return {}
    return {
        int(type): Attachment(
            int(type),
            uuid,
            uncompressed_size,
            uncompressed_md5,
            compressed_size,
            compressed_md5,
            bool(compressed),
            row,
        )
        for type, (
            uuid,
            uncompressed_size,
            uncompressed_md5,
            compressed_size,
            compressed_md5,
            compressed,
            row,
        ) in orjson.loads(column).items()
    }


def write_attachments(attachments: Iterable[Attachment]) -> str | None:
    """Return what the column says of some attachments."""
    column = {
        str(int(it.type)): (
            it.uuid,
            it.uncompressed_size,
            it.uncompressed_md5,
            it.compressed_size,
            it.compressed_md5,
            int(it.compressed),
            it.row,
        )
        for it in attachments
    }
    return orjson.dumps(column).decode() if column else None
