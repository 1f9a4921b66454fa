"""The storage on SQLite: one face over its parts."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from orthanc_lab.dicom.main_tags import MainTags
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.journal import FileJournal
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
from orthanc_lab.storage.sqlite import annotations, attaching, deletion, logs, resources, totals
from orthanc_lab.storage.sqlite.connections import Readers, open_writer
from orthanc_lab.storage.sqlite.finding import find_statement
from orthanc_lab.storage.sqlite.ingest import Ingest
from orthanc_lab.storage.sqlite.stability import Stability
from orthanc_lab.storage.sqlite.writer import Writer

__all__ = ["SqliteStorage"]


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
        self._lock = IndexLock(folder)
        self._journal = FileJournal(folder / "files.journal")
        connection = open_writer(folder / "index.sqlite", synchronous=options.sync_storage_area)
        self._readers = Readers(folder / "index.sqlite")
        self._files = AttachmentFiles(area, self._journal, options, identifiers, metrics, self._read_small)
        self._remove_leftovers()
        self._writer = Writer(connection, self._files.before_discard, self._files.discard)
        self._stability = Stability(self._writer, self._readers, clock, options.stable_age)
        self._ingest = Ingest(
            self._writer,
            self._files,
            options,
            self._main_tags,
            self._names,
            clock,
            self._is_known,
            self._stability.touch,
        )

    # -- in ------------------------------------------------------------------------

    def store(
        self, dicom: bytes, origin: Origin, *, overwrite: bool | None = None, metadata: Mapping[str, str] | None = None
    ) -> Stored:
        """Store one DICOM file."""
        start = time.monotonic()
        stored = self._ingest.store(dicom, origin, overwrite, metadata)
        self._metrics.record("orthanc_store_dicom_duration_ms", int((time.monotonic() - start) * 1000))
        return stored

    def store_all(self, files: Iterable[bytes], origin: Origin) -> list[Stored]:
        """Store many files as one: all of them, or (on an error) none."""
        return self._ingest.store_all(files, origin)

    # -- look-ups ------------------------------------------------------------------

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource, None if it is unknown."""
        with self._readers.reading() as connection:
            return resources.find_level(connection, id)

    def get(self, id: str, level: Level | None = None) -> Resource | None:
        """Return a resource, None if it is unknown or of another level than `level`."""
        with self._readers.reading() as connection:
            found = resources.load(connection, [id], self._names)
        return found[0] if found and (level is None or found[0].level is level) else None

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        with self._readers.reading() as connection:
            return resources.load(connection, ids, self._names)

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level in order of creation; limit 0 = all."""
        with self._readers.reading() as connection:
            return resources.list_ids(connection, level, since, limit)

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level in order of creation."""
        with self._readers.reading() as connection:
            return resources.load_listed(connection, level, since, limit, self._names)

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, in order of creation."""
        with self._readers.reading() as connection:
            return resources.descendants(connection, id, level)

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        with self._readers.reading() as connection:
            return resources.ancestor(connection, id, level)

    def lookup_identifier(self, value: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level equals `value`."""
        with self._readers.reading() as connection:
            return resources.lookup_identifier(connection, value)

    def find(self, query: FindQuery) -> list[str]:
        """Return the identifiers that match a query on tags of the index."""
        statement, values = find_statement(query, self._main_tags, self._names)
        with self._readers.reading() as connection:
            return [id for (id,) in connection.execute(statement, values)]

    def indexed_tags(self, level: Level) -> frozenset[str]:
        """Return the tags (``gggg,eeee``) that the index keeps for a level and those above."""
        return frozenset(tag for upper in LEVELS[: level.depth + 1] for tag in self._main_tags.of(upper))

    # -- files ---------------------------------------------------------------------

    def read_dicom(self, instance: str) -> bytes:
        """Return the DICOM file of an instance, uncompressed."""
        return self._files.read(self._attachment(instance, AttachmentType.DICOM))

    def read_dicom_header(self, instance: str) -> bytes:
        """Return the DICOM file up to its pixel data (or whole, if it has none)."""
        with self._readers.reading() as connection:
            found = resources.load(connection, [instance], self._names)
        if not found or AttachmentType.DICOM not in found[0].attachments:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        attachments = found[0].attachments
        header = attachments.get(AttachmentType.DICOM_UNTIL_PIXEL_DATA)
        if header is not None:
            return self._files.read(header)
        offset = found[0].metadata.get("PixelDataOffset")
        if offset is None:
            return self._files.read(attachments[AttachmentType.DICOM])
        return self._files.read_start(attachments[AttachmentType.DICOM], int(offset))

    def read_attachment(self, attachment: Attachment, *, raw: bool = False) -> bytes:
        """Return the bytes of an attachment; `raw` as they are on disk."""
        return self._files.read(attachment, raw=raw)

    def put_attachment(self, id: str, type: int, data: bytes) -> Attachment:
        """Write or replace an attachment."""
        return attaching.put(self._writer, self._files, self._now(), id, type, data, self._options.storage_compression)

    def delete_attachment(self, id: str, type: int) -> bool:
        """Delete an attachment; False if there is none."""
        return attaching.remove(self._writer, self._now(), id, type)

    def compress_attachment(self, id: str, type: int, compressed: bool) -> None:
        """Compress or uncompress an attachment on disk."""
        attachment = self._attachment(id, type)
        if attachment.compressed != compressed:
            data = self._files.read(attachment)
            attaching.put(self._writer, self._files, "", id, type, data, compressed)

    # -- metadata, labels, protection ----------------------------------------------

    def set_metadata(self, id: str, name: str, value: str) -> None:
        """Write a metadata; a user-defined one logs an UpdatedMetadata change."""
        self._change_metadata(id, name, value)

    def delete_metadata(self, id: str, name: str) -> bool:
        """Delete a metadata; False if there is none."""
        return self._change_metadata(id, name, None)

    def set_label(self, id: str, label: str, present: bool) -> None:
        """Add or remove a label."""
        self._writer.run(lambda transaction: annotations.set_label(transaction, id, label, present))

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        with self._readers.reading() as connection:
            return [label for (label,) in connection.execute("SELECT DISTINCT label FROM labels ORDER BY label")]

    def set_protected(self, patient: str, protected: bool) -> None:
        """Protect a patient from recycling, or no longer."""
        self._writer.run(lambda transaction: annotations.set_protected(transaction, patient, protected))

    # -- out -----------------------------------------------------------------------

    def delete(self, id: str, level: Level | None = None) -> tuple[bool, tuple[Level, str] | None]:
        """Delete a resource with all below it and the parents that become empty."""
        return self._writer.run(lambda transaction: deletion.delete(transaction, id, level))

    # -- changes, totals -----------------------------------------------------------

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since` (with `to` alone: the last ones up to it), and whether no more follow."""
        with self._readers.reading() as connection:
            return logs.read_changes(connection, since, limit, to, types)

    def last_change(self) -> Change | None:
        """Return the last change that is still listed."""
        with self._readers.reading() as connection:
            return logs.last_change(connection)

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
        with self._readers.reading() as connection:
            return logs.read_exports(connection, since, limit)

    def clear_exports(self) -> None:
        """Forget the exports."""
        self._writer.run(logs.clear_exports)

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        now = self._writer.totals
        return Statistics(now.patients, now.studies, now.series, now.instances, now.disk_size, now.uncompressed_size)

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource."""
        with self._readers.reading() as connection:
            return totals.resource_statistics(connection, id)

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter kept in the database."""
        return self._writer.run(lambda transaction: totals.next_number(transaction, sequence))

    def get_property(self, name: str) -> str | None:
        """Return a global property of the database."""
        with self._readers.reading() as connection:
            return totals.get_property(connection, name)

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        self._writer.run(lambda transaction: totals.set_property(transaction, name, value))

    def close(self) -> None:
        """Give up the lock on the index and close all files."""
        self._stability.close()
        self._readers.close()
        self._writer.close()
        self._journal.close()
        self._lock.release()

    # -- inside --------------------------------------------------------------------

    def _now(self) -> str:
        return iso_seconds(self._clock.now())

    def _is_known(self, id: str) -> bool:
        return self.find_level(id) is not None

    def _read_small(self, row: int) -> bytes | None:
        with self._readers.reading() as connection:
            found = connection.execute("SELECT content FROM small_files WHERE key = ?", (row,)).fetchone()
        return found[0] if found else None

    def _attachment(self, id: str, type: int) -> Attachment:
        with self._readers.reading() as connection:
            attachment = resources.load_attachment(connection, id, type)
        if attachment is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        return attachment

    def _change_metadata(self, id: str, name: str, value: str | None) -> bool:
        logged = self._now() if self._names.is_user_defined(name) else ""
        stored = self._names.stored(name)
        return self._writer.run(lambda transaction: annotations.change_metadata(transaction, id, stored, value, logged))

    def _remove_leftovers(self) -> None:
        if self._journal.leftovers:
            with self._readers.reading() as connection:
                known = resources.known_files(connection, self._journal.leftovers)
            self._journal.settle(known)
            self._files.discard([name for name in self._journal.leftovers if name not in known])
