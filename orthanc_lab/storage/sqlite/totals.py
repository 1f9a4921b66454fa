"""Totals of one resource, counters and properties."""

from __future__ import annotations

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.records import ResourceStatistics
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.json_text import bindable
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["get_property", "next_number", "resource_statistics", "set_property"]


def resource_statistics(readers: Readers, id: str) -> ResourceStatistics:
    """Return the totals below one resource."""
    with readers.reading() as connection:
        counts = dict(connection.execute(SQL["counts_below"], (bindable(id),)).fetchall())
        if not counts:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        sizes = connection.execute(SQL["sizes_below"], (bindable(id),)).fetchone()
    return ResourceStatistics(counts.get(1, 0), counts.get(2, 0), counts.get(3, 0), *sizes)


def next_number(transaction: Transaction, sequence: str) -> int:
    """Return 1, 2, … of a named counter."""
    number: int = transaction.execute(SQL["next_number"], (sequence,)).fetchone()[0]
    return number


def get_property(readers: Readers, name: str) -> str | None:
    """Return a global property."""
    rows = readers.fetch(SQL["property"], (name,))
    return rows[0][0] if rows else None


def set_property(transaction: Transaction, name: str, value: str) -> None:
    """Write a global property."""
    transaction.execute(SQL["set_property"], (name, value))
