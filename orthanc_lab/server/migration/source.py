"""The server to be moved away from, as an import reads it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.server.adoption.source_files import verified
from orthanc_lab.server.adoption.source_rows import FileError, SourceFile, SourceInstance, SourceResource
from orthanc_lab.storage.adopted import AdoptedChange, AdoptedExport
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.names import file_name
from orthanc_lab.storage.files.prepared import SmallFile
from orthanc_lab.storage.handover import Handover
from orthanc_lab.storage.records import Attachment, Export, Resource
from orthanc_lab.storage.transaction import NewExport

__all__ = ["MigrationSource", "OpenSource"]

_BATCH = 100
_PLAIN, _ZLIB = 1, 2  # as Orthanc numbers them


@dataclass(frozen=True, slots=True)
class _StoredFile(SourceFile):
    """A file with where it is."""

    attachment: Attachment


class MigrationSource:
    """`InstanceSource`, `FileSource` and `LogSource` of `orthanc_lab.server.adoption.source_rows`.

    Parameters
    ----------
    index
        What is known of the files.
    area
        Where those are that are not small.
    """

    def __init__(self, index: Handover, area: FileArea) -> None:
        self._index = index
        self._area = area
        self._above: dict[str, Resource] = {}  # the parents that the last batch had
        self.count = index.count
        self.recycling = index.recycling
        self.counters = index.counters
        self.last_numbers = index.last_numbers

    # -- instances -----------------------------------------------------------------

    def instances(self) -> Iterator[SourceInstance]:
        """Return the instances in the order in which they were stored, each with what is above it."""
        last = 0
        while rows := self._index.instances_after(last, _BATCH):
            last = rows[-1][0]
            found = {one.id: one for one in self._index.get_many([id for _, id in rows])}
            lineages = self._lineages(list(found.values()))
            for key, id in rows:
                lineage = lineages.get(id)
                if lineage is not None:
                    yield SourceInstance([_source_resource(key, one) for one in lineage])

    def _lineages(self, instances: list[Resource]) -> dict[str, list[Resource]]:
        """Return the instances with what is above them, by their identifiers; without those that hang in the air."""
        above: dict[str, Resource] = {}
        resources = instances
        for _ in LEVELS[:-1]:
            wanted = list(dict.fromkeys(one.parent for one in resources if one.parent is not None))
            new = self._index.get_many([id for id in wanted if id not in self._above])
            known = {id: self._above[id] for id in wanted if id in self._above} | {one.id: one for one in new}
            above |= known
            resources = list(known.values())
        self._above = above
        lineages = {}
        for instance in instances:
            lineage = [instance]
            while (parent := above.get(lineage[0].parent or "")) is not None:
                lineage.insert(0, parent)
            if [one.level for one in lineage] == list(LEVELS):
                lineages[instance.id] = lineage
        return lineages

    # -- files ---------------------------------------------------------------------

    def read(self, file: SourceFile) -> bytes:
        """Return the content of a file, uncompressed.

        Raises
        ------
        FileError
            If it is missing or cannot be read, or its size or MD5 is not that of its row.
        """
        assert isinstance(file, _StoredFile)
        attachment = file.attachment
        if isinstance(attachment, SmallFile):
            stored = self._index.small_file(attachment.key)
            if stored is None:
                raise FileError(f"the index has lost the file {file.uuid}")
        else:
            try:
                stored = self._area.read(file_name(attachment))
            except FileNotFoundError as error:
                raise FileError(f"the file {file.uuid} is missing") from error
            except OSError as error:
                raise FileError(f"the file {file.uuid} cannot be read: {error.strerror or error}") from error
        if len(stored) != file.compressed_size:
            raise FileError(f"the file {file.uuid} has {len(stored)} bytes in place of {file.compressed_size}")
        return verified(stored, file)

    # -- logs ----------------------------------------------------------------------

    def changes(self, since: int, limit: int) -> tuple[list[AdoptedChange], int | None, int]:
        """Return the changes after `since`, and the number of the last one (None at the end)."""
        found, _ = self._index.changes(since, limit)
        changes = [AdoptedChange(one.seq, one.type, one.level, one.id, iso_seconds(one.date)) for one in found]
        return changes, found[-1].seq if found else None, 0

    def exports(self, since: int, limit: int) -> tuple[list[AdoptedExport], int | None, int]:
        """Return the exports after `since`, as `changes` does."""
        found, _ = self._index.exports(since, limit)
        return [AdoptedExport(one.seq, _line(one)) for one in found], found[-1].seq if found else None, 0

    def properties(self) -> Mapping[str, str]:
        """Return all global properties."""
        return self._index.properties()


@dataclass(frozen=True, slots=True)
class OpenSource:
    """A server that has stopped, for as long as it is read."""

    name: str  # the same at each migration from it, and that of no other
    data: MigrationSource
    jobs: Callable[[], Sequence[JobRow]]
    outputs: Callable[[], OutputStore]  # if there are jobs


def _source_resource(key: int, one: Resource) -> SourceResource:
    files: Sequence[SourceFile] = [
        _StoredFile(
            type,
            it.uuid,
            it.compressed_size,
            it.uncompressed_size,
            _ZLIB if it.compressed else _PLAIN,
            it.uncompressed_md5,
            it.compressed_md5,
            it,
        )
        for type, it in sorted(one.attachments.items())
    ]
    return SourceResource(
        key, one.level, one.id, one.tags, one.metadata, one.labels, files, one.is_protected, one.is_stable
    )


def _line(one: Export) -> NewExport:
    identifiers = (one.patient_id, one.study_instance_uid, one.series_instance_uid, one.sop_instance_uid)
    named: dict[Level, str] = dict(zip(LEVELS, identifiers, strict=True))
    return NewExport(one.level, one.id, one.remote_modality, iso_seconds(one.date), named)
