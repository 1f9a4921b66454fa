"""Totals, counters and properties."""

from __future__ import annotations

import sqlite3

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.records import AttachmentType, ResourceStatistics
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["get_property", "next_number", "resource_statistics", "set_property"]

_BELOW = (
    "WITH RECURSIVE below(key, level) AS (SELECT key, level FROM resources WHERE id = ? UNION ALL"
    " SELECT c.key, c.level FROM below JOIN resources c ON c.parent = below.key)"
)


def resource_statistics(connection: sqlite3.Connection, id: str) -> ResourceStatistics:
    """Return the totals below one resource."""
    counts = dict(connection.execute(f"{_BELOW} SELECT level, count(*) FROM below GROUP BY level", (id,)).fetchall())
    if not counts:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    sizes = connection.execute(
        f"{_BELOW} SELECT coalesce(sum(a.compressed_size), 0), coalesce(sum(a.uncompressed_size), 0),"
        " coalesce(sum(CASE WHEN a.type = ? THEN a.compressed_size ELSE 0 END), 0),"
        " coalesce(sum(CASE WHEN a.type = ? THEN a.uncompressed_size ELSE 0 END), 0)"
        " FROM below JOIN attachments a ON a.resource = below.key",
        (id, AttachmentType.DICOM, AttachmentType.DICOM),
    ).fetchone()
    return ResourceStatistics(counts.get(1, 0), counts.get(2, 0), counts.get(3, 0), *sizes)


def next_number(transaction: Transaction, sequence: str) -> int:
    """Return 1, 2, … of a named counter."""
    row = transaction.execute(
        "INSERT INTO counters (name, value) VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = counters.value + 1 RETURNING value",
        (sequence,),
    ).fetchone()
    number: int = row[0]
    return number


def get_property(connection: sqlite3.Connection, name: str) -> str | None:
    """Return a global property."""
    row = connection.execute("SELECT value FROM properties WHERE name = ?", (name,)).fetchone()
    return row[0] if row else None


def set_property(transaction: Transaction, name: str, value: str) -> None:
    """Write a global property."""
    transaction.execute(
        "INSERT INTO properties (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (name, value),
    )
