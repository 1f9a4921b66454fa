"""The storage: its rules, over any index and any storage area."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from types import MappingProxyType

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.storage.adopting import Adopting
from orthanc_lab.storage.annotations import CheckMetadata, change_metadata, set_label, set_protected
from orthanc_lab.storage.arrival import ArrivalReader
from orthanc_lab.storage.attaching import Attaching, CheckAttachment
from orthanc_lab.storage.deletion import delete
from orthanc_lab.storage.exports import log_export
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.index import Index
from orthanc_lab.storage.ingest import Ingest
from orthanc_lab.storage.ingest_transcoding import ingest_transcoding
from orthanc_lab.storage.instance_writer import InstanceWriter
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.moving import Moving
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.reconstruction import Reconstruction, refresh_parents
from orthanc_lab.storage.records import Attachment, AttachmentType, FindQuery, NewInstance, Origin, Resource, Stored
from orthanc_lab.storage.room import Room
from orthanc_lab.storage.search_plan import SearchPlanner
from orthanc_lab.storage.stability import Stability
from orthanc_lab.storage.transaction import Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["IndexedStorage"]

_DELETED_AT_ONCE = 50  # resources whose deletion shares a transaction


class IndexedStorage:
    """`orthanc_lab.storage.ports.Storage` over an index and files.

    Parameters
    ----------
    opened
        What is closed with the storage (index and files among them), once it is made.
    places
        The areas between which files can be moved, by their names.
    """

    def __init__(
        self,
        index: Index,
        files: AttachmentFiles,
        opened: ExitStack,
        *,
        places: Mapping[str, FileArea] = MappingProxyType({}),
        options: StorageOptions,
        clock: Clock,
        executor: Executor,
        identifiers: Identifiers,
        metrics: Metrics,
    ) -> None:
        self._index = index
        self._files = files
        self._options = options
        self._clock = clock
        self._metrics = metrics
        self._names = MetadataNames(options.user_metadata)
        self._main_tags = MainTags(options.extra_main_dicom_tags)
        self._planner = SearchPlanner(self._main_tags, self._names)
        self._reader = ArrivalReader(options, self._main_tags, self._names, clock)
        self._transactions = Transactions(index, files)
        room = Room(options)
        room.recycle(self._transactions)
        self._attaching = Attaching(self._transactions, files, room)
        stability = Stability(
            self._transactions,
            index.unstable,
            is_shared=index.is_shared,
            clock=clock,
            executor=executor,
            age=options.stable_age,
        )
        opened.callback(stability.close)
        self._ingest = Ingest(
            self._transactions,
            files,
            self._reader,
            InstanceWriter(room, stability.touch),
            compress=options.storage_compression,
            is_known=lambda id: index.find_level(id) is not None,
            transcode=ingest_transcoding(options, identifiers),
        )
        adopting = Adopting(self._transactions, files, self._reader, options, self._ingest.make_files)
        self.adopt = adopting.adopt
        self.adopt_log = adopting.adopt_log
        moving = Moving(index, self._transactions, files, places, executor)
        opened.callback(moving.close)
        self.file_places = moving.places
        self.move_files = moving.move
        self._opened = opened.pop_all()
        # The index answers these by itself.
        self.version = index.version
        self.find_level = index.find_level
        self.list_ids = index.list_ids
        self.descendants = index.descendants
        self.first_instance = index.first_instance
        self.ancestor = index.ancestor
        self.all_labels = index.all_labels
        self.changes = index.changes
        self.last_change = index.last_change
        self.last_change_number = index.last_change_number
        self.exports = index.exports
        self.statistics = index.statistics
        self.resource_statistics = index.resource_statistics
        self.get_property = index.get_property

    # -- in ------------------------------------------------------------------------

    def store(
        self, dicom: bytes, origin: Origin, *, overwrite: bool | None = None, metadata: Mapping[str, str] | None = None
    ) -> Stored:
        """Store one DICOM file."""
        start = self._clock.monotonic()
        stored = self._ingest.store(dicom, origin, overwrite, metadata)
        self._note_duration(self._clock.monotonic() - start)
        return stored

    def store_each(self, files: Sequence[tuple[bytes, Origin]]) -> list[Stored | BaseException]:
        """Store files, each for itself, in as few commits as possible."""
        start = self._clock.monotonic()
        stored = self._ingest.store_each(files)
        self._note_duration(self._clock.monotonic() - start)
        return stored

    def store_all(self, files: Iterable[bytes], origin: Origin, *, skip_foreign: bool = False) -> list[Stored]:
        """Store many files as one: all of them, or (on an error) none."""
        return self._timed(lambda: self._ingest.store_all(files, origin, skip_foreign=skip_foreign))

    def store_made(self, made: Sequence[NewInstance], origin: Origin, *, keep_labels: bool = False) -> list[Stored]:
        """Store files that were made of others, as one: all of them, or (on an error) none."""
        return self._timed(lambda: self._ingest.store_made(made, origin, keep_labels=keep_labels))

    def _timed(self, store: Callable[[], list[Stored]]) -> list[Stored]:
        start = self._clock.monotonic()
        stored = store()
        if stored:
            self._note_duration((self._clock.monotonic() - start) / len(stored))
        return stored

    def _note_duration(self, seconds: float) -> None:
        self._metrics.record("orthanc_store_dicom_duration_ms", int(seconds * 1000))

    def refresh_parents(self, instance: str, levels: Collection[Level]) -> None:
        """Give the resources of these levels above an instance the main DICOM tags that stand in its file."""
        arrival = self._reader.read(self.read_dicom(instance), Origin(), None, None)
        self._transactions.run(lambda transaction: refresh_parents(transaction, arrival, levels))

    def set_default_encoding(self, name: str) -> None:
        """Read files that name no character set by this one from now on."""
        self._reader.encoding = name

    def reconstruct(self, id: str | None = None) -> None:
        """Read the main DICOM tags of a resource and all below it, or of all resources, from the files again."""
        if id is None:
            instances = self.list_ids(Level.INSTANCE)
        elif self.find_level(id) is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        else:
            instances = self.descendants(id, Level.INSTANCE)
        Reconstruction(self._transactions, self._reader, self.dicom_files, self.read_dicom_header).run(instances)

    # -- look-ups ------------------------------------------------------------------

    def get(self, id: str, level: Level | None = None) -> Resource | None:
        """Return a resource, None if it is unknown or of another level than `level`."""
        found = self._index.get(id)
        if found is None or level not in (None, found.level):
            return None
        return self._named([found])[0] if self._options.user_metadata else found

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        return self._named(self._index.get_many(ids))

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them, in any order."""
        return self._named(self._index.family(ids))

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level in order of their identifiers."""
        return self._named(self._index.list_resources(level, since, limit))

    def lookup_identifier(self, value: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level is `value`, in any case."""
        folded = fold(value).strip()
        found = self._index.by_identifier(folded)
        if folded:
            return found
        # The patient with an empty PatientID; one without any has the same identifier.
        patients = self._index.get_many([id for _, id in found])
        return [(patient.level, patient.id) for patient in patients if "0010,0020" in patient.tags]

    def find(self, query: FindQuery) -> list[str]:
        """Return the identifiers that match a query on tags of the index."""
        return self._index.search(self._planner.plan(query))

    def find_resources(self, query: FindQuery) -> list[Resource]:
        """Return the resources that match a query on tags of the index."""
        return self._named(self._index.search_resources(self._planner.plan(query)))

    def indexed_tags(self, level: Level) -> frozenset[str]:
        """Return the tags (``gggg,eeee``) that the index keeps for a level and those above."""
        return frozenset(tag for upper in LEVELS[: level.depth + 1] for tag in self._main_tags.of(upper))

    # -- files ---------------------------------------------------------------------

    def dicom_files(self, instances: Sequence[str]) -> Mapping[str, Attachment]:
        """Return the DICOM files of many instances, without those that are unknown, for `read_dicom`."""
        return self._index.attachments(instances, AttachmentType.DICOM)

    def read_dicom(self, instance: str, *, keep: bool = True, known: Attachment | None = None) -> bytes:
        """Return the DICOM file of an instance, uncompressed."""
        dicom = known or self._attachment(instance, AttachmentType.DICOM)
        return self._read(instance, dicom, lambda current: self._files.read(current, keep=keep))

    def read_dicom_header(self, instance: str) -> bytes:
        """Return the DICOM file up to its pixel data (or whole, if it has none)."""
        resource = self._index.get(instance)
        if resource is None or AttachmentType.DICOM not in resource.attachments:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        header = resource.attachments.get(AttachmentType.DICOM_UNTIL_PIXEL_DATA)
        if header is not None:
            return self._read_moved(instance, header, self._files.read)
        dicom, offset = resource.attachments[AttachmentType.DICOM], resource.metadata.get("PixelDataOffset")
        if offset is None:
            return self._read_moved(instance, dicom, self._files.read)
        return self._read_moved(instance, dicom, lambda current: self._files.read_part(current, int(offset)))

    def read_dicom_part(self, instance: str, offset: int, size: int) -> bytes:
        """Return `size` bytes of the DICOM file of an instance from `offset` on, uncompressed."""
        dicom = self._attachment(instance, AttachmentType.DICOM)
        return self._read(instance, dicom, lambda current: self._files.read_part(current, size, offset))

    def read_attachment(self, attachment: Attachment, *, of: str, raw: bool = False, fresh: bool = False) -> bytes:
        """Return the bytes of an attachment; `raw` as they are on disk, `fresh` not from memory."""
        return self._read_moved(of, attachment, lambda current: self._files.read(current, raw=raw, fresh=fresh))

    def put_attachment(self, id: str, type: int, data: bytes, check: CheckAttachment | None = None) -> Attachment:
        """Write or replace an attachment."""
        compressed = self._options.storage_compression
        return self._attaching.put(id, type, data, self._now(), compressed=compressed, check=check)

    def delete_attachment(self, id: str, type: int, check: CheckAttachment | None = None) -> bool:
        """Delete an attachment; False if there is none."""
        return self._attaching.delete(id, type, self._now(), check)

    def compress_attachment(self, id: str, type: int, compressed: bool) -> None:
        """Compress or uncompress an attachment on disk; what is so already stays as it is."""
        while True:
            attachment = self._attachment(id, type)
            if attachment.compressed == compressed:
                return
            data = self._read(id, attachment, self._files.read)
            if self._attaching.replace(id, attachment, data, self._now(), compressed=compressed):
                return

    # -- metadata, labels, protection ----------------------------------------------

    def set_metadata(self, id: str, name: str, value: str, check: CheckMetadata | None = None) -> int:
        """Write a metadata and return its revision; a user-defined one logs an UpdatedMetadata change."""
        return self._change_metadata(id, name, value, check) or 0

    def delete_metadata(self, id: str, name: str, check: CheckMetadata | None = None) -> bool:
        """Delete a metadata; False if there is none."""
        return self._change_metadata(id, name, None, check) is not None

    def set_label(self, id: str, label: str, present: bool) -> None:
        """Add or remove a label."""
        self._transactions.run(lambda transaction: set_label(transaction, id, label, present))

    def set_protected(self, patient: str, protected: bool) -> None:
        """Protect a patient from recycling, or no longer."""
        self._transactions.run(lambda transaction: set_protected(transaction, patient, protected))

    # -- out -----------------------------------------------------------------------

    def delete(self, id: str, level: Level | None = None) -> tuple[bool, tuple[Level, str] | None]:
        """Delete a resource with all below it and the parents that become empty."""
        now = self._now()
        return self._transactions.run(lambda transaction: delete(transaction, id, level, now))

    def delete_all(self, ids: Sequence[str]) -> None:
        """Delete many resources; those that are unknown are passed over."""
        now = self._now()

        def operation(transaction: Transaction, group: Sequence[str]) -> None:
            for id in group:
                delete(transaction, id, None, now)

        for start in range(0, len(ids), _DELETED_AT_ONCE):  # others write in between
            self._transactions.run(partial(operation, group=ids[start : start + _DELETED_AT_ONCE]))

    # -- logs, counters, properties ------------------------------------------------

    def clear_changes(self) -> None:
        """Forget the changes; numbers go on."""
        self._transactions.run(lambda transaction: transaction.clear_changes())

    def log_export(self, id: str, remote_modality: str) -> None:
        """Add a line to the exports."""
        if self._options.log_exported_resources:
            now = self._now()
            self._transactions.run(lambda transaction: log_export(transaction, id, remote_modality, now))

    def clear_exports(self) -> None:
        """Forget the exports."""
        self._transactions.run(lambda transaction: transaction.clear_exports())

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter kept in the database."""
        return self._transactions.run(lambda transaction: transaction.next_number(sequence))

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        self._transactions.run(lambda transaction: transaction.set_property(name, value))

    def change_property(self, name: str, change: Callable[[str | None], str]) -> None:
        """Replace a global property by what `change` makes of it; nobody writes in between."""
        self._transactions.run(lambda transaction: transaction.set_property(name, change(transaction.property(name))))

    def close(self) -> None:
        """Close all that was opened; nothing happens the second time."""
        self._opened.close()

    # -- inside --------------------------------------------------------------------

    def _now(self) -> str:
        return iso_seconds(self._clock.now())

    def _named(self, resources: list[Resource]) -> list[Resource]:
        """Return resources with the names of metadata that the configuration gives."""
        if not self._options.user_metadata:
            return resources
        return [self._with_names(one) for one in resources]

    def _with_names(self, one: Resource) -> Resource:
        metadata, revisions = self._names.shown(one.metadata), self._names.shown(one.metadata_revisions)
        if metadata is one.metadata and revisions is one.metadata_revisions:
            return one  # the same object: who shows it can tell that nothing has changed
        return replace(one, metadata=metadata, metadata_revisions=revisions)

    def _read(self, id: str, attachment: Attachment, read: Callable[[Attachment], bytes]) -> bytes:
        """Return what `read` makes of an attachment, or of the one that has replaced it."""
        while True:
            try:
                return read(attachment)
            except OrthancError as error:
                if error.code != ErrorCode.INEXISTENT_FILE:
                    raise
                current = self._index.attachment(id, attachment.type)
                if current is None or current.uuid == attachment.uuid:
                    raise
                attachment = current

    def _read_moved(self, id: str, attachment: Attachment, read: Callable[[Attachment], bytes]) -> bytes:
        """Return what `read` makes of an attachment, also if another server has moved its file since."""

        def read_same(current: Attachment) -> bytes:
            if replace(current, uuid=attachment.uuid) != attachment:  # its content is another one
                raise OrthancError(ErrorCode.INEXISTENT_FILE)
            return read(current)

        return self._read(id, attachment, read_same)

    def _attachment(self, id: str, type: int) -> Attachment:
        attachment = self._index.attachment(id, type)
        if attachment is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        return attachment

    def _change_metadata(self, id: str, name: str, value: str | None, check: CheckMetadata | None) -> int | None:
        logged = self._now() if self._names.is_user_defined(name) else ""
        stored = self._names.stored(name)
        return self._transactions.run(
            lambda transaction: change_metadata(transaction, id, stored, value, logged=logged, check=check)
        )
