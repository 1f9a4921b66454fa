"""A transaction of the index, in SQL."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from orthanc_lab.dicom.series_size import parse_index
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.attachment_column import numbered, read_attachments, write_attachments
from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.records import Attachment, Statistics
from orthanc_lab.storage.sqlite.json_text import as_array, bindable, read_json, write_json
from orthanc_lab.storage.sqlite.lineage_cache import LineageCache, Recent
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.totals import Totals
from orthanc_lab.storage.transaction import IndexedTags, Key, Lineage, NewExport, NewResource, Place

__all__ = ["SqliteTransaction"]

_MOST_STALE_CHANGES = 10_000
_ADD_RESOURCE, _ADD_SMALL_FILE, _ADD_CHANGE = SQL["add_resource"], SQL["add_small_file"], SQL["add_change"]
_FIND, _TOUCH, _RERANK = SQL["find"], SQL["touch"], SQL["rerank"]


class SqliteTransaction:
    """`orthanc_lab.storage.transaction.Transaction` on the connection that writes.

    Parameters
    ----------
    totals
        The row of totals; it is written with the commit.
    cache
        Emptied by what might make it untrue.
    """

    __slots__ = ("_cache", "_execute", "_totals", "awaits_disk", "released")

    def __init__(self, connection: sqlite3.Connection, totals: Totals, cache: LineageCache) -> None:
        self._execute = connection.execute
        self._totals = totals
        self._cache = cache
        self.released: list[Attachment] = []
        self.awaits_disk = False  # it wrote small files, so it is not done until they are on the disk

    # -- resources -----------------------------------------------------------------

    def find(self, level: Level, id: str) -> Key | None:
        """Return the key of a resource of a level, None if there is none."""
        row = self._execute(_FIND, (level.depth, bindable(id))).fetchone()
        return None if row is None else row[0]

    def place(self, id: str) -> Place | None:
        """Return where a resource stands, None if it is unknown."""
        row = self._execute(SQL["place"], (bindable(id),)).fetchone()
        return None if row is None else _place(row)

    def place_of(self, key: Key) -> Place:
        """Return where a known resource stands."""
        return _place(self._execute(SQL["place_of"], (key,)).fetchone())

    def lineage(self, series: str) -> Lineage | None:
        """Return a series and what is above it, by its Orthanc identifier; None if it is unknown."""
        lineage = self._cache.lineage(series)
        if lineage is None:
            row = self._execute(SQL["lineage"], (series,)).fetchone()
            if row is not None:
                lineage = Lineage(*row)
                self._cache.remember(series, lineage)
        return lineage

    def children(self, key: Key, limit: int) -> Sequence[Key]:
        """Return at most so many of the resources one level below."""
        return [child for (child,) in self._execute(SQL["some_children"], (key, limit))]

    def with_descendants(self, key: Key) -> Sequence[Key]:
        """Return a resource and all below it."""
        return [below for (below,) in self._execute(SQL["with_descendants"], (key,))]

    def identifiers(self, id: str) -> Mapping[Level, str]:
        """Return the folded PatientID and UIDs of a resource and those above it; empty if it is unknown."""
        rows = self._execute(SQL["ancestors"], (bindable(id),))
        return {LEVELS[depth]: identifier for depth, _, identifier in rows}

    def insert_resource(self, resource: NewResource) -> Key | None:
        """Insert a resource with its files; None, and nothing happens, if its level has one with this identifier."""
        totals, tags, depth = self._totals, resource.tags, resource.level.depth
        key = totals.last_resource + 1
        rank = totals.last_rank + 1 if depth == 0 else None
        attachments = numbered(resource.files, totals.last_small_file)
        cursor = self._execute(
            _ADD_RESOURCE,
            (
                key,
                depth,
                resource.id,
                resource.parent,
                tags.identifier,
                write_json(tags.tags),
                write_json(tags.folded) if tags.folded else None,
                write_json(resource.metadata),
                write_attachments(attachments),
                resource.last_update,
                1 if depth == 3 else 0,
                rank,
            ),
        )
        if not cursor.rowcount:
            return None
        totals.last_resource = key
        totals.count(depth, 1)
        if rank is not None:
            totals.last_rank = rank
        self._add_files(attachments, resource.files)
        if depth == 3:
            self._count_index(resource)
        return key

    def delete_resources(self, keys: Iterable[Key]) -> None:
        """Delete resources with their attachments, labels and changes."""
        totals = self._totals
        self._cache.clear()
        doomed = (as_array(keys),)
        rows = self._execute(SQL["doomed"], doomed).fetchall()
        for depth, column in rows:
            totals.count(depth, -1)
            for attachment in read_attachments(column).values():
                self._release(attachment)
        self._execute(SQL["delete_labels"], doomed)
        self._execute(SQL["delete_resources"], doomed)
        totals.stale_changes += len(rows)
        if totals.stale_changes > _MOST_STALE_CHANGES:
            self._execute(SQL["purge_changes"])
            totals.stale_changes = 0

    def touch(self, lineage: Lineage, date: str) -> int:
        """Note an instance at this date: sets LastUpdate of all three, none is stable, the patient is recycled last."""
        totals = self._totals
        recent = self._recent(lineage)
        if recent.last_update != date:
            self._execute(_TOUCH, (date, lineage.series, lineage.study, lineage.patient))
            recent.last_update = date
        if recent.rank is not None and recent.rank != totals.last_rank:
            totals.last_rank += 1
            recent.rank = totals.last_rank
            self._execute(_RERANK, (recent.rank, lineage.patient))
        return 0

    def set_last_update(self, keys: Sequence[Key], date: str) -> None:
        """Set LastUpdate of resources above an instance."""
        self._execute(SQL["set_last_update"], (date, as_array(keys)))

    def instance_indexes(self, series: Key) -> Counter[int]:
        """Return how many instances of a series have each IndexInSeries that is a number."""
        recent = self._cache.recent(series)
        if recent is not None and recent.indexes is not None:
            return recent.indexes
        numbers = (parse_index(text) for (text,) in self._execute(SQL["instance_indexes"], (series,)))
        indexes = Counter(number for number in numbers if number is not None)
        if recent is not None:
            recent.indexes = indexes
        return indexes

    def totals(self) -> Statistics:
        """Return the totals, with what this transaction has done."""
        return self._totals.statistics()

    # -- what a resource has -------------------------------------------------------

    def set_tags(self, key: Key, tags: IndexedTags) -> None:
        """Replace the tags of a resource; its identifier stays."""
        folded = write_json(tags.folded) if tags.folded else None
        self._execute(SQL["set_tags"], (write_json(tags.tags), folded, key))

    def metadata(self, key: Key) -> dict[str, str]:
        """Return the metadata of a resource, without LastUpdate."""
        metadata: dict[str, str] = read_json(self._execute(SQL["metadata"], (key,)).fetchone()[0])
        return metadata

    def metadata_revisions(self, key: Key) -> dict[str, int]:
        """Return nothing: as in Orthanc, the index on SQLite does not count them."""
        return {}

    def set_metadata(self, key: Key, metadata: Mapping[str, str], revisions: Mapping[str, int] | None = None) -> None:
        """Replace the metadata of a resource."""
        self._execute(SQL["set_metadata"], (write_json(metadata), key))
        self._cache.clear()  # it might be ExpectedNumberOfInstances

    def attachments(self, key: Key) -> dict[int, Attachment]:
        """Return the attachments of a resource by type."""
        return read_attachments(self._execute(SQL["attachments_of"], (key,)).fetchone()[0])

    def put_attachment(self, key: Key, file: PreparedFile) -> Attachment:
        """Add an attachment, or replace the one of its type."""
        attachments = self.attachments(key)
        (attachment,) = added = numbered([file], self._totals.last_small_file)
        if attachment.type in attachments:
            self._release(attachments[attachment.type])
        self._add_files(added, [file])
        attachments[attachment.type] = attachment
        self._execute(SQL["set_attachments"], (write_attachments(attachments.values()), key))
        return attachment

    def remove_attachment(self, key: Key, type: int) -> None:
        """Delete an attachment."""
        attachments = self.attachments(key)
        self._release(attachments.pop(type))
        self._execute(SQL["set_attachments"], (write_attachments(attachments.values()), key))

    def labels(self, key: Key) -> Sequence[str]:
        """Return the labels of a resource, in any order."""
        return [label for (label,) in self._execute(SQL["labels_of"], (key,))]

    def set_label(self, key: Key, label: str, present: bool) -> None:
        """Add or remove a label."""
        self._execute(SQL["add_label" if present else "remove_label"], (key, bindable(label)))

    # -- recycling and stability ---------------------------------------------------

    def is_protected(self, patient: Key) -> bool:
        """Tell whether a patient is protected from recycling."""
        return self._rank(patient) is None

    def set_protected(self, patient: Key, protected: bool) -> None:
        """Protect a patient, or make it the last one to be recycled."""
        self._cache.clear()
        if not protected:
            self._totals.last_rank += 1
        self._execute(_RERANK, (None if protected else self._totals.last_rank, patient))

    def next_to_recycle(self, spared: Key | None) -> Place | None:
        """Return the unprotected patient that was touched (or lost its protection) first, apart from `spared`."""
        row = self._execute(SQL["next_to_recycle"], (spared or 0,)).fetchone()
        return None if row is None else _place(row)

    def settle(self, touched: Mapping[Key, int]) -> Sequence[tuple[Key, Level]]:
        """Make resources stable; return those that were not, in this order."""
        self._cache.clear()
        settled = ((key, self._execute(SQL["settle"], (key,)).fetchone()) for key in touched)
        return [(key, LEVELS[row[0]]) for key, row in settled if row is not None]

    # -- logs, counters, properties ------------------------------------------------

    def log_change(self, type: ChangeType, key: Key, date: str) -> None:
        """Add a change of a resource, with the next number."""
        totals = self._totals
        totals.last_change += 1
        self._execute(_ADD_CHANGE, (totals.last_change, type.value, key, date))

    def skip_changes(self, number: int) -> None:
        """Give later changes numbers above this one."""
        self._totals.last_change = max(self._totals.last_change, number)

    def clear_changes(self) -> None:
        """Delete all changes; numbers go on."""
        self._execute(SQL["clear_changes"])

    def log_export(self, export: NewExport) -> None:
        """Add a line to the exports, with the next number."""
        self._totals.last_export += 1
        identifiers = (export.identifiers.get(level, "") for level in LEVELS)
        line = (export.level.depth, export.id, export.remote_modality, export.date, *identifiers)
        self._execute(SQL["add_export"], (self._totals.last_export, *line))

    def skip_exports(self, number: int) -> None:
        """Give later exports numbers above this one."""
        self._totals.last_export = max(self._totals.last_export, number)

    def clear_exports(self) -> None:
        """Delete all exports; numbers go on."""
        self._execute(SQL["clear_exports"])

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter."""
        number: int = self._execute(SQL["next_number"], (sequence,)).fetchone()[0]
        return number

    def property(self, name: str) -> str | None:
        """Return a global property, None if there is none."""
        row = self._execute(SQL["property"], (name,)).fetchone()
        return None if row is None else row[0]

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        self._execute(SQL["set_property"], (name, value))

    # -- inside --------------------------------------------------------------------

    def _rank(self, patient: Key) -> int | None:
        rank: int | None = self._execute(SQL["rank"], (patient,)).fetchone()[0]
        return rank

    def _recent(self, lineage: Lineage) -> Recent:
        recent = self._cache.recent(lineage.series)
        return recent or self._cache.add(lineage.series, Recent(self._rank(lineage.patient)))

    def _count_index(self, instance: NewResource) -> None:
        recent = None if instance.parent is None else self._cache.recent(instance.parent)
        if recent is not None and recent.indexes is not None:
            index = parse_index(instance.metadata.get("IndexInSeries"))
            if index is not None:
                recent.indexes[index] += 1

    def _add_files(self, attachments: Sequence[Attachment], files: Sequence[PreparedFile]) -> None:
        totals = self._totals
        for attachment, file in zip(attachments, files, strict=True):
            totals.disk_size += attachment.compressed_size
            totals.uncompressed_size += attachment.uncompressed_size
            if isinstance(attachment, SmallFile):
                totals.last_small_file = attachment.key
                self.awaits_disk = True
                self._execute(_ADD_SMALL_FILE, (attachment.key, file.content))

    def _release(self, attachment: Attachment) -> None:
        totals = self._totals
        totals.uncompressed_size -= attachment.uncompressed_size
        totals.disk_size -= attachment.compressed_size
        self.released.append(attachment)
        if isinstance(attachment, SmallFile):
            self._execute(SQL["delete_small_file"], (attachment.key,))


def _place(row: tuple[Key, str, int, Key | None]) -> Place:
    key, id, depth, parent = row
    return Place(key, id, LEVELS[depth], parent)
