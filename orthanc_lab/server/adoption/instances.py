"""The instances of another server are taken over, in groups that share a commit."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.server.adoption.reached import ReachedStore
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.adoption.source_rows import (
    FileError,
    FileSource,
    InstanceSource,
    SourceFile,
    SourceInstance,
    SourceResource,
)
from orthanc_lab.storage.adopted import AdoptedInstance, AdoptedResource
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import AttachmentType, Resource, StoreStatus

__all__ = ["InstanceImport"]

_MOST_INSTANCES, _MOST_BYTES = 100, 32 << 20  # of a group
_MOST_COMPLETE = 100_000
_FIRST_OF_USER = 1024
_DAMAGED = (ErrorCode.CORRUPTED_FILE, ErrorCode.INEXISTENT_FILE)


class InstanceImport:
    """Takes over all instances with their files, metadata, labels and attachments.

    Parameters
    ----------
    names
        What the target calls metadata.
    store
        Knows which instances were read back.
    """

    def __init__(
        self,
        index: InstanceSource,
        files: FileSource,
        storage: Storage,
        *,
        names: MetadataNames,
        report: Report,
        store: ReachedStore,
    ) -> None:
        self._index = index
        self._files = files
        self._storage = storage
        self._names = names
        self._report = report
        self._store = store
        self._complete: set[str] = set()  # some patients, studies and series that need nothing more
        self._group: list[tuple[SourceInstance, AdoptedInstance]] = []
        self._bytes = 0
        self._is_whole = True  # what was read back

    def run(self, show: Callable[[int], None]) -> None:
        """Import the instances; `show` is told how many were dealt with."""
        done = 0
        for done, instance in enumerate(self._index.instances(), 1):
            self._add(instance)
            if not self._group:
                show(done)
            elif len(self._group) >= _MOST_INSTANCES or self._bytes >= _MOST_BYTES:
                self._flush()
                show(done)
        self._flush()
        show(done)
        for _ in range(self._index.count() - done):
            self._report.lose("an instance", "the index names no series, study or patient of it")

    def _add(self, instance: SourceInstance) -> None:
        own = instance.own
        asked = [one.id for one in instance.lineage if one.id not in self._complete]
        found = {one.id: one for one in self._storage.get_many(asked)}
        present = found.get(own.id)
        dicom = next((file for file in own.files if file.type == AttachmentType.DICOM), None)
        if dicom is None:
            self._report.lose(f"instance {own.id}", "it has no DICOM file")
            return
        is_read_back = own.key <= self._store.reached.instances
        if present is not None and is_read_back and self._needs_nothing(instance, dicom, found):
            self._report.present += 1
            return
        try:
            content = self._files.read(dicom)
        except FileError as error:
            self._report.lose(f"instance {own.id}", str(error))
            return
        if present is not None and not _returns(lambda: self._storage.read_dicom(own.id, keep=False), content):
            self._report.lose(f"instance {own.id}", "another file of this instance is there already, and stays")
            return
        lineage = [self._adopted(one, found.get(one.id)) for one in instance.lineage]
        self._group.append((instance, AdoptedInstance(content, lineage)))
        self._bytes += len(content) + sum(len(file) for one in lineage for file in one.attachments.values())
        if any(one.attachments for one in lineage[:-1]):
            self._flush()  # so that the next instance does not bring them again

    def _needs_nothing(self, instance: SourceInstance, dicom: SourceFile, found: dict[str, Resource]) -> bool:
        present = found[instance.own.id].attachments.get(AttachmentType.DICOM)
        if present is None or not dicom.uncompressed_md5 or present.uncompressed_md5 != dicom.uncompressed_md5:
            return False
        for one in instance.lineage:
            if one.id in self._complete:
                continue
            if one.id not in found or self._lacks(one, found[one.id]):
                return False
            if one is not instance.own:
                self._complete.add(one.id)
        return True

    def _lacks(self, one: SourceResource, present: Resource) -> bool:
        shown = self._names.shown(one.metadata)
        return bool(
            set(shown) - set(present.metadata)
            or set(one.labels) - set(present.labels)
            or {file.type for file in one.files if file.type >= _FIRST_OF_USER} - set(present.attachments)
            or (one.is_protected and not present.is_protected)
        )

    def _adopted(self, one: SourceResource, present: Resource | None) -> AdoptedResource:
        """Return what is still to be taken over of a resource, with the attachments of users."""
        if one.id in self._complete:
            return AdoptedResource(one.level, one.id)
        attachments = {}
        for file in one.files:
            if file.type < _FIRST_OF_USER or (present is not None and file.type in present.attachments):
                continue  # Orthanc makes those itself, of the DICOM file
            try:
                attachments[file.type] = self._files.read(file)
            except FileError as error:
                self._lose_attachment(one, file, str(error))
        return AdoptedResource(
            one.level, one.id, one.tags, one.metadata, one.labels, attachments, one.is_protected, one.is_stable
        )

    def _lose_attachment(self, one: SourceResource, file: SourceFile, why: str) -> None:
        self._report.lose(f"attachment {file.type} of the {one.level.value.lower()} {one.id}", why)

    def _flush(self) -> None:
        group, self._group, self._bytes = self._group, [], 0
        if len(self._complete) > _MOST_COMPLETE:
            self._complete.clear()
        if not group:
            return
        results = self._storage.adopt([adopted for _, adopted in group])
        for (instance, adopted), result in zip(group, results, strict=True):
            if isinstance(result, OrthancError):
                self._report.lose(f"instance {instance.own.id}", result.details or result.text)
                continue
            self._complete.update(one.id for one in instance.lineage[:-1])
            if result is StoreStatus.SUCCESS:
                self._report.taken += 1
            else:
                self._report.present += 1
            self._read_back(adopted)
        if self._is_whole:  # else the next import has to find it again: nobody may see the report of this one
            self._store.note(instances=max(self._store.reached.instances, group[-1][0].own.key))

    def _read_back(self, adopted: AdoptedInstance) -> None:
        for one in adopted.lineage:
            wanted = dict(one.attachments)
            if one is adopted.lineage[-1]:
                wanted[AttachmentType.DICOM] = adopted.dicom
            if wanted:
                self._compare(one, wanted)

    def _compare(self, one: AdoptedResource, wanted: dict[int, bytes]) -> None:
        resource = self._storage.get(one.id)
        assert resource is not None, "it was stored a moment ago, and nobody else has the folder"
        for type, content in wanted.items():
            attachment = resource.attachments[type]
            if not _returns(partial(self._storage.read_attachment, attachment, of=one.id, fresh=True), content):
                self._is_whole = False
                self._report.lose(f"attachment {type} of {one.id}", "the disk of the target returns other bytes")


def _returns(read: Callable[[], bytes], content: bytes) -> bool:
    """Tell whether the target has this content; it has not if it cannot make sense of its own file."""
    try:
        return read() == content
    except OrthancError as error:
        if error.code not in _DAMAGED:
            raise
        return False
