"""The way of an arrival into the index."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from orthanc_lab.dicom.series_size import is_complete, parse_index
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import Stored, StoreStatus
from orthanc_lab.storage.sqlite.arrival import Arrival, IndexedTags
from orthanc_lab.storage.sqlite.attaching import place, take_over
from orthanc_lab.storage.sqlite.attachment_column import write_attachments
from orthanc_lab.storage.sqlite.deletion import delete, recycle_one
from orthanc_lab.storage.sqlite.json_text import read_json
from orthanc_lab.storage.sqlite.lineage import Lineage
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction

__all__ = ["InstanceWriter", "VanishedError"]

_ABOVE = (
    (Level.PATIENT, ChangeType.NEW_PATIENT, "patients"),
    (Level.STUDY, ChangeType.NEW_STUDY, "studies"),
    (Level.SERIES, ChangeType.NEW_SERIES, "series"),
)
_ADD, _TOUCH, _RERANK = SQL["add_resource"], SQL["touch"], SQL["rerank"]
_New = list[tuple[ChangeType, int]]


class VanishedError(Exception):
    """An instance was known when its file was not written again, and is gone now."""


class InstanceWriter:
    """Enters arrivals into the index; all is done inside a transaction.

    Parameters
    ----------
    touched
        Called with the keys of series, study and patient that get an instance.
    """

    def __init__(self, options: StorageOptions, touched: Callable[[Sequence[int]], None]) -> None:
        self._largest = options.maximum_storage_size << 20
        self._most_patients = options.maximum_patient_count
        self._recycles = options.maximum_storage_mode != "Reject"
        self._touched = touched

    def enter(self, transaction: Transaction, arrival: Arrival) -> Stored:
        """Make an instance of an arrival, and what is missing above it."""
        ids, date = arrival.ids, arrival.date
        if arrival.overwrite:
            delete(transaction, ids.instance, Level.INSTANCE)
        if self._largest or self._most_patients:
            if transaction.execute(SQL["parent"], (Level.INSTANCE.depth, ids.instance)).fetchone():
                return arrival.stored(StoreStatus.ALREADY_STORED)
            self._make_room(transaction, arrival)
        created: _New = []
        lineage = transaction.lineages.get(ids.series) or self._lineage(transaction, arrival, created)
        attachments = place(transaction, arrival.files)
        column = write_attachments(attachments)
        if not _add(
            transaction, Level.INSTANCE, ids.instance, arrival.instance, parent=lineage.series, attachments=column
        ):
            return arrival.stored(StoreStatus.ALREADY_STORED)
        if not attachments:
            raise VanishedError
        key = transaction.totals.last_resource
        transaction.totals.instances += 1
        take_over(transaction, attachments, arrival.files)
        log_change(transaction, ChangeType.NEW_INSTANCE, key, date)
        for change, parent in reversed(created):
            log_change(transaction, change, parent, date)
        if lineage.expected is not None:
            self._complete(transaction, arrival, lineage, lineage.expected)
        self._touch(transaction, lineage, date)
        self._touched((lineage.series, lineage.study, lineage.patient))
        return arrival.stored(StoreStatus.SUCCESS)

    def _lineage(self, transaction: Transaction, arrival: Arrival, created: _New) -> Lineage:
        ids = arrival.ids
        keys: list[int] = []
        ranks: list[int | None] = []
        metadata = ""
        for (level, change, count), id in zip(_ABOVE, (ids.patient, ids.study, ids.series), strict=True):
            row = transaction.execute(SQL["parent"], (level.depth, id)).fetchone()
            if row is None:
                row = self._create(transaction, arrival, level, id, keys[-1] if keys else None)
                setattr(transaction.totals, count, getattr(transaction.totals, count) + 1)
                created.append((change, row[0]))
            key, rank, metadata = row
            keys.append(key)
            ranks.append(rank)
        expected = parse_index(read_json(metadata).get("ExpectedNumberOfInstances"))
        patient, study, series = keys
        lineage = Lineage(series, study, patient, expected, ranks[0])
        transaction.lineages.put(ids.series, lineage)
        return lineage

    def _create(
        self, transaction: Transaction, arrival: Arrival, level: Level, id: str, parent: int | None
    ) -> tuple[int, int | None, str]:
        """Add a resource above the instance; return its key, rank and metadata."""
        totals = transaction.totals
        rank = None
        if level is Level.PATIENT:
            totals.last_rank += 1
            rank = totals.last_rank
        made = arrival.parent(level)
        _add(transaction, level, id, made, parent=parent, last_update=arrival.date, rank=rank)
        return totals.last_resource, rank, made.metadata

    def _complete(self, transaction: Transaction, arrival: Arrival, lineage: Lineage, expected: int) -> None:
        index = parse_index(read_json(arrival.instance.metadata).get("IndexInSeries"))
        if lineage.indexes is None:
            rows = transaction.execute(SQL["instance_indexes"], (lineage.series,)).fetchall()
            numbers = (parse_index(text) for (text,) in rows)
            lineage.indexes = Counter(number for number in numbers if number is not None)
        elif index is not None:
            lineage.indexes[index] += 1
        # With an index that another instance has too, it was complete before, or is not now.
        if index is not None and lineage.indexes[index] == 1 and is_complete(lineage.indexes, expected):
            log_change(transaction, ChangeType.COMPLETED_SERIES, lineage.series, arrival.date)

    def _touch(self, transaction: Transaction, lineage: Lineage, date: str) -> None:
        totals = transaction.totals
        if lineage.last_update != date:
            transaction.execute(_TOUCH, (date, lineage.series, lineage.study, lineage.patient))
            lineage.last_update = date
        if lineage.rank is not None and lineage.rank != totals.last_rank:
            totals.last_rank += 1
            lineage.rank = totals.last_rank
            transaction.execute(_RERANK, (lineage.rank, lineage.patient))

    def _make_room(self, transaction: Transaction, arrival: Arrival) -> None:
        totals = transaction.totals
        row = transaction.execute(SQL["parent"], (Level.PATIENT.depth, arrival.ids.patient)).fetchone()
        spared = row[0] if row else None
        arriving = sum(file.attachment.compressed_size for file in arrival.files)
        while (self._largest and totals.disk_size + arriving > self._largest) or (
            self._most_patients and totals.patients + (spared is None) > self._most_patients
        ):
            if not self._recycles or not recycle_one(transaction, spared):
                raise OrthancError(ErrorCode.FULL_STORAGE)


def _add(
    transaction: Transaction,
    level: Level,
    id: str,
    made: IndexedTags,
    *,
    parent: int | None,
    attachments: str | None = None,
    last_update: str | None = None,
    rank: int | None = None,
) -> bool:
    """Add a row with the next key; False if there is one with this identifier."""
    depth = level.depth
    totals = transaction.totals
    cursor = transaction.execute(
        _ADD,
        (
            totals.last_resource + 1,
            depth,
            id,
            parent,
            made.identifier,
            made.tags,
            made.folded,
            made.metadata,
            attachments,
            last_update,
            1 if depth == 3 else 0,
            rank,
        ),
    )
    added = cursor.rowcount > 0
    totals.last_resource += added
    return added
