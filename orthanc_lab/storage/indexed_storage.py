"""The storage on SQLite: one face over its parts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.journal import FileJournal
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.ingest_transcoding import ingest_transcoding
from orthanc_lab.storage.lock import IndexLock
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.records import (
    Attachment,
    AttachmentType,
    Change,
    Export,
    FindQuery,
    Origin,
    Resource,
    ResourceStatistics,
    Statistics,
    Stored,
)
from orthanc_lab.storage.sqlite import additions, deletion, logs, totals
from orthanc_lab.storage.sqlite.arrival import ArrivalReader
from orthanc_lab.storage.sqlite.attaching import Attaching
from orthanc_lab.storage.sqlite.connections import Readers, open_writer
from orthanc_lab.storage.sqlite.finding import find_statement
from orthanc_lab.storage.sqlite.ingest import Ingest
from orthanc_lab.storage.sqlite.instance_writer import InstanceWriter
from orthanc_lab.storage.sqlite.reconstruction import Reconstruction
from orthanc_lab.storage.sqlite.refreshing import refresh_parents
from orthanc_lab.storage.sqlite.resources import Resources
from orthanc_lab.storage.sqlite.stability import Stability
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.wal_sync import WalSync
from orthanc_lab.storage.sqlite.writer import Discard, Transaction, Writer

__all__ = ["SqliteStorage"]

_DELETED_AT_ONCE = 50  # resources whose deletion shares a commit


class SqliteStorage:
    """`orthanc_lab.storage.ports.Storage` on SQLite and files.

    Parameters
    ----------
    folder
        Where the index is.
    area
        Where the files are.
    """

    def __init__(
        self,
        folder: Path,
        area: FileArea,
        *,
        options: StorageOptions,
        clock: Clock,
        identifiers: Identifiers,
        metrics: Metrics,
    ) -> None:
        self._options = options
        self._clock = clock
        self._metrics = metrics
        self._names = MetadataNames(options.user_metadata)
        self._main_tags = MainTags(options.extra_main_dicom_tags)
        self._reader = ArrivalReader(options, self._main_tags, self._names, clock)
        with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
            opened.callback(IndexLock(folder).release)
            journal = FileJournal(folder / "files.journal")
            opened.callback(journal.close)
            connection = open_writer(folder / "index.sqlite")
            self._readers = Readers(folder / "index.sqlite")
            opened.callback(self._readers.close)
            self._resources = Resources(self._readers, self._names)
            self._files = AttachmentFiles(
                area,
                journal,
                options=options,
                identifiers=identifiers,
                metrics=metrics,
                read_small=self._resources.small_file,
            )
            opened.callback(self._files.close)
            self._writer = Writer(
                connection,
                Discard(journal.note, self._files.discard, self._files.forget),
                WalSync(folder / "index.sqlite") if options.sync_storage_area else None,
            )
            opened.callback(self._writer.close)
            self._remove_leftovers(journal)
            self._stability = Stability(self._writer, self._readers, clock, options.stable_age)
            opened.callback(self._stability.close)
            self._opened = opened.pop_all()
        self._attaching = Attaching(self._writer, self._files)
        self._ingest = Ingest(
            self._writer,
            self._files,
            self._reader,
            InstanceWriter(options, self._stability.touch),
            is_known=lambda id: self._resources.find_level(id) is not None,
            compress=options.storage_compression,
            transcode=ingest_transcoding(options, identifiers),
        )

    # -- in ------------------------------------------------------------------------

    def store(
        self, dicom: bytes, origin: Origin, *, overwrite: bool | None = None, metadata: Mapping[str, str] | None = None
    ) -> Stored:
        """Store one DICOM file."""
        start = time.monotonic()
        stored = self._ingest.store(dicom, origin, overwrite, metadata)
        self._note_duration(time.monotonic() - start)
        return stored

    def store_all(self, files: Iterable[bytes], origin: Origin, *, skip_foreign: bool = False) -> list[Stored]:
        """Store many files as one: all of them, or (on an error) none."""
        start = time.monotonic()
        stored = self._ingest.store_all(files, origin, skip_foreign=skip_foreign)
        if stored:
            self._note_duration((time.monotonic() - start) / len(stored))
        return stored

    def _note_duration(self, seconds: float) -> None:
        self._metrics.record("orthanc_store_dicom_duration_ms", int(seconds * 1000))

    def refresh_parents(self, instance: str) -> None:
        """Give the resources above an instance the main DICOM tags that stand in its file."""
        arrival = self._reader.read(self.read_dicom(instance), Origin(), None, None)
        self._writer.run(lambda transaction: refresh_parents(transaction, arrival))

    def reconstruct(self, id: str | None = None) -> None:
        """Read the main DICOM tags of a resource and all below it, or of all resources, from the files again."""
        if id is None:
            instances = self.list_ids(Level.INSTANCE)
        elif self.find_level(id) is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        else:
            instances = self.descendants(id, Level.INSTANCE)
        Reconstruction(self._writer, self._reader, self.read_dicom_header).run(instances)

    # -- look-ups ------------------------------------------------------------------

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource, None if it is unknown."""
        return self._resources.find_level(id)

    def get(self, id: str, level: Level | None = None) -> Resource | None:
        """Return a resource, None if it is unknown or of another level than `level`."""
        found = self._resources.get(id)
        return found if found is not None and level in (None, found.level) else None

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        return self._resources.get_many(ids)

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them, in any order."""
        return self._resources.family(ids)

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level, sorted; limit 0 = all."""
        return self._resources.list_ids(level, since, limit)

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level in order of their identifiers."""
        return self._resources.list_resources(level, since, limit)

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, sorted."""
        return self._resources.descendants(id, level)

    def first_instance(self, id: str) -> str | None:
        """Return the instance below `id` (or `id` itself) that was stored first."""
        return self._resources.first_instance(id)

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        return self._resources.ancestor(id, level)

    def lookup_identifier(self, value: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level is `value`, in any case."""
        return self._resources.by_identifier(fold(value).strip())

    def find(self, query: FindQuery) -> list[str]:
        """Return the identifiers that match a query on tags of the index."""
        statement, values = find_statement(query, self._main_tags, self._names)
        return [id for _, id in self._readers.fetch(statement, values)]

    def find_resources(self, query: FindQuery) -> list[Resource]:
        """Return the resources that match a query on tags of the index."""
        statement, values = find_statement(query, self._main_tags, self._names)
        return self._resources.by_keys([key for key, _ in self._readers.fetch(statement, values)])

    def indexed_tags(self, level: Level) -> frozenset[str]:
        """Return the tags (``gggg,eeee``) that the index keeps for a level and those above."""
        return frozenset(tag for upper in LEVELS[: level.depth + 1] for tag in self._main_tags.of(upper))

    # -- files ---------------------------------------------------------------------

    def read_dicom(self, instance: str, *, keep: bool = True) -> bytes:
        """Return the DICOM file of an instance, uncompressed."""
        return self._files.read(self._attachment(instance, AttachmentType.DICOM), keep=keep)

    def read_dicom_header(self, instance: str) -> bytes:
        """Return the DICOM file up to its pixel data (or whole, if it has none)."""
        resource = self._resources.get(instance)
        if resource is None or AttachmentType.DICOM not in resource.attachments:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        header = resource.attachments.get(AttachmentType.DICOM_UNTIL_PIXEL_DATA)
        if header is not None:
            return self._files.read(header)
        dicom, offset = resource.attachments[AttachmentType.DICOM], resource.metadata.get("PixelDataOffset")
        return self._files.read(dicom) if offset is None else self._files.read_start(dicom, int(offset))

    def read_attachment(self, attachment: Attachment, *, raw: bool = False, fresh: bool = False) -> bytes:
        """Return the bytes of an attachment; `raw` as they are on disk, `fresh` not from memory."""
        return self._files.read(attachment, raw=raw, fresh=fresh)

    def put_attachment(self, id: str, type: int, data: bytes) -> Attachment:
        """Write or replace an attachment."""
        return self._attaching.put(id, type, data, self._now(), compressed=self._options.storage_compression)

    def delete_attachment(self, id: str, type: int) -> bool:
        """Delete an attachment; False if there is none."""
        return self._attaching.delete(id, type, self._now())

    def compress_attachment(self, id: str, type: int, compressed: bool) -> None:
        """Compress or uncompress an attachment on disk."""
        while True:
            attachment = self._attachment(id, type)
            data = self._files.read(attachment)
            if self._attaching.replace(id, attachment, data, self._now(), compressed=compressed):
                return

    # -- metadata, labels, protection ----------------------------------------------

    def set_metadata(self, id: str, name: str, value: str) -> None:
        """Write a metadata; a user-defined one logs an UpdatedMetadata change."""
        self._change_metadata(id, name, value)

    def delete_metadata(self, id: str, name: str) -> bool:
        """Delete a metadata; False if there is none."""
        return self._change_metadata(id, name, None)

    def set_label(self, id: str, label: str, present: bool) -> None:
        """Add or remove a label."""
        self._writer.run(lambda transaction: additions.set_label(transaction, id, label, present))

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        return [label for (label,) in self._readers.fetch(SQL["all_labels"])]

    def set_protected(self, patient: str, protected: bool) -> None:
        """Protect a patient from recycling, or no longer."""
        self._writer.run(lambda transaction: additions.set_protected(transaction, patient, protected))

    # -- out -----------------------------------------------------------------------

    def delete(self, id: str, level: Level | None = None) -> tuple[bool, tuple[Level, str] | None]:
        """Delete a resource with all below it and the parents that become empty."""
        return self._writer.run(lambda transaction: deletion.delete(transaction, id, level))

    def delete_all(self, ids: Sequence[str]) -> None:
        """Delete many resources; those that are unknown are passed over."""

        def operation(transaction: Transaction, group: Sequence[str]) -> None:
            for id in group:
                deletion.delete(transaction, id, None)

        for start in range(0, len(ids), _DELETED_AT_ONCE):  # others write in between
            self._writer.run(partial(operation, group=ids[start : start + _DELETED_AT_ONCE]))

    # -- changes, totals -----------------------------------------------------------

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since` (with `to` alone: the last ones up to it), and whether no more follow."""
        return logs.read_changes(self._readers, since, limit, to, types)

    def last_change(self) -> Change | None:
        """Return the last change that is still listed."""
        return logs.last_change(self._readers)

    def last_change_number(self) -> int:
        """Return the number of the last change ever logged; 0 at first, never lowered."""
        return self._writer.totals.last_change

    def clear_changes(self) -> None:
        """Forget the changes; numbers go on."""
        self._writer.run(logs.clear_changes)

    def log_export(self, id: str, remote_modality: str) -> None:
        """Add a line to the exports."""
        if self._options.log_exported_resources:
            now = self._clock.now()
            self._writer.run(lambda transaction: logs.add_export(transaction, id, remote_modality, now))

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        """Return the exports after `since`, and whether no more follow."""
        return logs.read_exports(self._readers, since, limit)

    def clear_exports(self) -> None:
        """Forget the exports."""
        self._writer.run(logs.clear_exports)

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        now = self._writer.totals
        return Statistics(now.patients, now.studies, now.series, now.instances, now.disk_size, now.uncompressed_size)

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource."""
        return totals.resource_statistics(self._readers, id)

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter kept in the database."""
        return self._writer.run(lambda transaction: totals.next_number(transaction, sequence))

    def get_property(self, name: str) -> str | None:
        """Return a global property of the database."""
        return totals.get_property(self._readers, name)

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        self._writer.run(lambda transaction: totals.set_property(transaction, name, value))

    def close(self) -> None:
        """Give up the lock on the index and close all files; nothing happens the second time."""
        self._opened.close()

    # -- inside --------------------------------------------------------------------

    def _now(self) -> str:
        return iso_seconds(self._clock.now())

    def _attachment(self, id: str, type: int) -> Attachment:
        attachment = self._resources.attachment(id, type)
        if attachment is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        return attachment

    def _change_metadata(self, id: str, name: str, value: str | None) -> bool:
        logged = self._now() if self._names.is_user_defined(name) else ""
        stored = self._names.stored(name)
        return self._writer.run(lambda transaction: additions.change_metadata(transaction, id, stored, value, logged))

    def _remove_leftovers(self, journal: FileJournal) -> None:
        leftovers = journal.leftovers
        if leftovers:
            known = self._resources.known_files(leftovers)
            journal.settle(known)
            self._files.discard([name for name in leftovers if name not in known])
