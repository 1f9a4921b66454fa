"""Arrivals become instances of the index."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from orthanc_lab.dicom.series_size import is_complete, parse_index
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.arrival import Arrival
from orthanc_lab.storage.deletion import delete
from orthanc_lab.storage.records import Stored, StoreStatus
from orthanc_lab.storage.room import Room
from orthanc_lab.storage.transaction import Key, Lineage, NewResource, Transaction

__all__ = ["InstanceWriter", "VanishedError"]

_ABOVE = (
    (Level.PATIENT, ChangeType.NEW_PATIENT),
    (Level.STUDY, ChangeType.NEW_STUDY),
    (Level.SERIES, ChangeType.NEW_SERIES),
)
_New = list[tuple[ChangeType, Key]]
_Labels = list[tuple[Level, str, Sequence[str]]]


class VanishedError(Exception):
    """An instance was known when its file was not written again, and is gone now."""


class InstanceWriter:
    """Inserts arrivals into the index; all is done inside a transaction.

    Parameters
    ----------
    touched
        Called with the keys of series, study and patient that get an instance, and the number of the touch.
    """

    def __init__(self, room: Room, touched: Callable[[Sequence[Key], int], None]) -> None:
        self._room = room
        self._touched = touched

    def insert(self, transaction: Transaction, arrival: Arrival) -> Stored:
        """Insert the instance and any missing patient, study and series."""
        ids, date = arrival.ids, arrival.date
        labels: _Labels = []
        if arrival.overwrite:
            labels = _labels_of(transaction, arrival) if arrival.keep_labels else []
            delete(transaction, ids.instance, Level.INSTANCE, date)
        if self._room.is_limited:
            if transaction.find(Level.INSTANCE, ids.instance) is not None:
                return arrival.stored(StoreStatus.ALREADY_STORED)
            self._make_room(transaction, arrival)
        created: _New = []
        lineage = transaction.lineage(ids.series) or self._create_lineage(transaction, arrival, created)
        key = transaction.insert_resource(
            NewResource(Level.INSTANCE, ids.instance, lineage.series, arrival.tags, arrival.metadata, arrival.files)
        )
        if key is None:
            return arrival.stored(StoreStatus.ALREADY_STORED)
        if not arrival.files:
            raise VanishedError
        _restore_labels(transaction, labels)
        transaction.log_change(ChangeType.NEW_INSTANCE, key, date)
        for change, parent in reversed(created):
            transaction.log_change(change, parent, date)
        if lineage.expected is not None:
            self._log_completeness(transaction, arrival, lineage.series, lineage.expected)
        number = transaction.touch(lineage, date)
        self._touched((lineage.series, lineage.study, lineage.patient), number)
        return arrival.stored(StoreStatus.SUCCESS)

    def _create_lineage(self, transaction: Transaction, arrival: Arrival, created: _New) -> Lineage:
        ids = arrival.ids
        keys: list[Key] = []
        expected = None
        for (level, change), id in zip(_ABOVE, (ids.patient, ids.study, ids.series), strict=True):
            while (key := transaction.find(level, id)) is None:  # again, if another server is just faster
                tags, metadata = arrival.parent(level)
                parent = keys[-1] if keys else None
                new = NewResource(level, id, parent, tags, metadata, last_update=arrival.date)
                key = transaction.insert_resource(new)
                if key is not None:
                    created.append((change, key))
                    expected = metadata.get("ExpectedNumberOfInstances")
                    break
            keys.append(key)
        patient, study, series = keys
        return Lineage(patient, study, series, expected)

    def _log_completeness(self, transaction: Transaction, arrival: Arrival, series: Key, wanted: str) -> None:
        expected = parse_index(wanted)
        index = parse_index(arrival.metadata.get("IndexInSeries"))
        if expected is None or index is None:
            return
        indexes = transaction.instance_indexes(series)
        # With an index that another instance has too, it was complete before, or is not now.
        if indexes[index] == 1 and is_complete(indexes, expected):
            transaction.log_change(ChangeType.COMPLETED_SERIES, series, arrival.date)

    def _make_room(self, transaction: Transaction, arrival: Arrival) -> None:
        spared = transaction.find(Level.PATIENT, arrival.ids.patient)
        arriving = sum(file.attachment.compressed_size for file in arrival.files)
        if not self._room.make(transaction, arriving, spared, is_new=spared is None):
            raise OrthancError(ErrorCode.FULL_STORAGE)


def _labels_of(transaction: Transaction, arrival: Arrival) -> _Labels:
    """Return the labels of an instance and of what is above it, if it is there."""
    ids = arrival.ids
    levels = zip(LEVELS, (ids.patient, ids.study, ids.series, ids.instance), strict=True)
    keys = ((level, id, transaction.find(level, id)) for level, id in levels)
    return [(level, id, transaction.labels(key)) for level, id, key in keys if key is not None]


def _restore_labels(transaction: Transaction, labels: _Labels) -> None:
    for level, id, texts in labels:
        key = transaction.find(level, id) if texts else None
        if key is not None:
            for label in texts:
                transaction.set_label(key, label, True)
