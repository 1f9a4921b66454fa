"""Reconstruction: the tags in the index, read from the files again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from orthanc_lab.protocol.errors import VANISHED, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.records import Origin
from orthanc_lab.storage.sqlite.arrival import Arrival, ArrivalReader, IndexedTags
from orthanc_lab.storage.sqlite.json_text import read_json, write_json
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Reconstruction"]

_BATCH = 100
_OF_TAGS = ("MainDicomTagsSignature", "MainDicomSequences")


class Reconstruction:
    """Brings the main DICOM tags up to date with the configuration.

    Parameters
    ----------
    read_header
        Returns the DICOM file of an instance up to its pixel data.
    """

    def __init__(self, writer: Writer, reader: ArrivalReader, read_header: Callable[[str], bytes]) -> None:
        self._writer = writer
        self._reader = reader
        self._read_header = read_header

    def run(self, instances: Sequence[str]) -> None:
        """Read each instance again; of those below one resource, the last one says what its tags are.

        Metadata, labels, attachments and changes stay as they are.
        """
        for start in range(0, len(instances), _BATCH):
            arrivals = [arrival for id in instances[start : start + _BATCH] if (arrival := self._read(id)) is not None]
            self._writer.run(partial(_rewrite, arrivals))

    def _read(self, instance: str) -> Arrival | None:
        try:
            return self._reader.read(self._read_header(instance), Origin(), None, None)
        except OrthancError as error:
            if error.code in VANISHED:
                return None  # deleted in the meantime
            raise


def _rewrite(arrivals: Sequence[Arrival], transaction: Transaction) -> None:
    for arrival in arrivals:
        ids = arrival.ids
        for level, id in zip(LEVELS, (ids.patient, ids.study, ids.series, ids.instance), strict=True):
            made = arrival.instance if level is Level.INSTANCE else arrival.parent(level)
            transaction.execute(SQL["set_tags"], (made.tags, made.folded, level.depth, id))
            _set_metadata_of_tags(transaction, id, made)


def _set_metadata_of_tags(transaction: Transaction, id: str, made: IndexedTags) -> None:
    row = transaction.execute(SQL["metadata"], (id,)).fetchone()
    if row is None:
        return
    key, metadata = row[0], read_json(row[1])
    fresh = read_json(made.metadata)
    for name in _OF_TAGS:
        metadata.pop(name, None)
        if name in fresh:
            metadata[name] = fresh[name]
    transaction.execute(SQL["set_metadata"], (write_json(metadata), key))
