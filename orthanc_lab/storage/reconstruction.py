"""The main DICOM tags in the index, read from the files again."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial

from orthanc_lab.protocol.errors import VANISHED, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.arrival import Arrival, ArrivalReader
from orthanc_lab.storage.records import Attachment, AttachmentType, Origin
from orthanc_lab.storage.transaction import IndexedTags, Key, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Reconstruction", "refresh_parents"]

_BATCH = 100
_OF_TAGS = ("MainDicomTagsSignature", "MainDicomSequences")


class Reconstruction:
    """Brings the main DICOM tags up to date with the configuration.

    Parameters
    ----------
    files_of
        Returns the DICOM files of instances, without those that are unknown.
    read_header
        Returns the DICOM file of an instance up to its pixel data.
    """

    def __init__(
        self,
        transactions: Transactions,
        reader: ArrivalReader,
        files_of: Callable[[Sequence[str]], Mapping[str, Attachment]],
        read_header: Callable[[str], bytes],
    ) -> None:
        self._transactions = transactions
        self._files_of = files_of
        self._reader = reader
        self._read_header = read_header

    def run(self, instances: Sequence[str]) -> None:
        """Read each instance again; the last one below a resource gives it its tags.

        Metadata, labels, attachments and changes stay as they are.
        """
        for start in range(0, len(instances), _BATCH):
            left = instances[start : start + _BATCH]
            while left:
                files = self._files_of(left)  # before they are read
                arrivals = {id: arrival for id in left if id in files and (arrival := self._read(id)) is not None}
                left = self._transactions.run(partial(_rewrite, arrivals, files))

    def _read(self, instance: str) -> Arrival | None:
        try:
            return self._reader.read(self._read_header(instance), Origin(), None, None)
        except OrthancError as error:
            if error.code in VANISHED:
                return None  # deleted in the meantime
            raise


def refresh_parents(transaction: Transaction, arrival: Arrival, levels: Collection[Level]) -> None:
    """Give patient, study and series, as far as they are wanted, the tags in the file of an instance below them."""
    ids = arrival.ids
    for level, id in ((Level.PATIENT, ids.patient), (Level.STUDY, ids.study), (Level.SERIES, ids.series)):
        key = transaction.find(level, id) if level in levels else None
        if key is not None:
            _set_tags(transaction, key, *arrival.parent(level))


def _rewrite(
    arrivals: Mapping[str, Arrival], files: Mapping[str, Attachment], transaction: Transaction
) -> Sequence[str]:
    """Write the tags; return the instances that have another file by now than the one that was read."""
    replaced: list[str] = []
    for id, arrival in arrivals.items():
        place = transaction.place(id)
        file = None if place is None else transaction.attachments(place.key).get(AttachmentType.DICOM)
        if file is None:
            continue  # deleted in the meantime
        if file.uuid != files[id].uuid:
            replaced.append(id)
            continue
        ids = arrival.ids
        for level, its_id in zip(LEVELS, (ids.patient, ids.study, ids.series, ids.instance), strict=True):
            key = transaction.find(level, its_id)
            if key is None:
                continue
            if level is Level.INSTANCE:
                tags, fresh = arrival.tags, arrival.metadata
            else:
                tags, fresh = arrival.parent(level)
            _set_tags(transaction, key, tags, fresh)
    return replaced


def _set_tags(transaction: Transaction, key: Key, tags: IndexedTags, fresh: Mapping[str, str]) -> None:
    """Give a resource other tags, and the metadata that say which ones they are or hold them."""
    transaction.set_tags(key, tags)
    metadata = transaction.metadata(key)
    for name in _OF_TAGS:
        metadata.pop(name, None)
        if name in fresh:
            metadata[name] = fresh[name]
    transaction.set_metadata(key, metadata)
