"""A transaction of the index, in SQL that waits for as few answers as possible."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import psycopg

from orthanc_lab.dicom.series_size import parse_index
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.attachment_column import attachments_object, numbered, read_attachments, write_attachments
from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.folding import folded_tags
from orthanc_lab.storage.postgresql.known import Known, KnownResource
from orthanc_lab.storage.postgresql.pending import Pending
from orthanc_lab.storage.postgresql.statements import SQL
from orthanc_lab.storage.postgresql.text import bindable, read_json, restored, storable, write_json
from orthanc_lab.storage.postgresql.totals import Totals
from orthanc_lab.storage.records import Attachment, Statistics
from orthanc_lab.storage.transaction import IndexedTags, Key, Lineage, NewExport, NewResource, Place

__all__ = ["PostgresqlTransaction"]

_MOST_STALE_CHANGES = 10_000
_INSTANCE = 3


class PostgresqlTransaction:
    """`orthanc_lab.storage.transaction.Transaction` on a connection that holds the lock of the index.

    What it writes is kept back until it reads something that is not known (`Known`): most uploads read nothing.

    Parameters
    ----------
    totals
        The row of totals; it is written with the commit.
    known, pending
        Shared by the operations of one commit.
    """

    __slots__ = ("_connection", "_known", "_pending", "_totals", "released")

    def __init__(self, connection: psycopg.Connection[Any], totals: Totals, known: Known, pending: Pending) -> None:
        self._connection = connection
        self._totals = totals
        self._known = known
        self._pending = pending
        self.released: list[Attachment] = []

    @property
    def connection(self) -> psycopg.Connection[Any]:
        """The connection, in pipeline mode, for what shares the transaction."""
        return self._connection

    # -- resources -----------------------------------------------------------------

    def find(self, level: Level, id: str) -> Key | None:
        """Return the key of a resource of a level, None if there is none."""
        if self._known.knows(level.depth, id):
            found = self._known.get(level.depth, id)
            return None if found is None else found.key
        row = self._row("find", level.depth, storable(id))
        return None if row is None else row[0]

    def place(self, id: str) -> Place | None:
        """Return where a resource stands, None if it is unknown."""
        row = self._row("place", storable(id))
        return None if row is None else _place(row)

    def place_of(self, key: Key) -> Place:
        """Return where a known resource stands."""
        for found in self._known.with_keys([key]):
            return Place(key, found.id, LEVELS[found.depth], found.parent)
        return _place(self._known_row("place_of", key))

    def lineage(self, series: str) -> Lineage | None:
        """Return a series and what is above it, by its Orthanc identifier; None if it is unknown."""
        lineage = self._known.lineage(series)
        if lineage is not None or self._known.knows(Level.SERIES.depth, series):
            return lineage
        row = self._row("lineage", series)
        return None if row is None else Lineage(*row)

    def children(self, key: Key, limit: int) -> Sequence[Key]:
        """Return at most so many of the resources one level below."""
        return [child for (child,) in self._rows("some_children", key, limit)]

    def with_descendants(self, key: Key) -> Sequence[Key]:
        """Return a resource and all below it."""
        return [below for (below,) in self._rows("with_descendants", key)]

    def identifiers(self, id: str) -> Mapping[Level, str]:
        """Return the folded PatientID and UIDs of a resource and those above it; empty if it is unknown."""
        return {LEVELS[depth]: restored(text) for depth, _, text in self._rows("ancestors", storable(id))}

    def insert_resource(self, resource: NewResource) -> Key | None:
        """Insert a resource with its files; None, and nothing happens, if its level has one with this identifier."""
        if self.find(resource.level, resource.id) is not None:
            return None
        totals, tags, depth = self._totals, resource.tags, resource.level.depth
        key = totals.last_resource = totals.last_resource + 1
        rank = None
        if depth == 0:
            rank = totals.last_rank = totals.last_rank + 1
        totals.count(depth, 1)
        metadata = resource.metadata
        place = parse_index(metadata.get("IndexInSeries")) if depth == _INSTANCE else None
        attachments = numbered(resource.files, totals.last_small_file)
        row = {
            "key": key,
            "level": depth,
            "id": resource.id,
            "parent": resource.parent,
            "identifier": tags.identifier,
            "tags": tags.tags,
            "folded": tags.folded or None,
            "metadata": metadata,
            "folded_metadata": folded_tags(metadata) or None,
            "attachments": attachments_object(attachments),
            "place": place,
            "last_update": resource.last_update,
            "touched": 0,
            "rank": rank,
        }
        self._pending.add_resource(key, row)
        expected = metadata.get("ExpectedNumberOfInstances")
        self._known.add(
            KnownResource(
                key,
                depth,
                resource.id,
                resource.parent,
                resource.last_update,
                stable=depth == _INSTANCE,
                touched=0,
                rank=rank,
                expected=expected,
            )
        )
        self._add_files(attachments, resource.files)
        if place is not None and resource.parent in self._known.indexes:
            self._known.indexes[resource.parent][place] += 1
        return key

    def delete_resources(self, keys: Iterable[Key]) -> None:
        """Delete resources with their attachments, labels and changes."""
        totals = self._totals
        doomed = list(keys)
        rows = self._rows("delete_resources", doomed)
        self._known.clear()
        for depth, column in rows:
            totals.count(depth, -1)
            self._release(read_attachments(column).values())
        self._write("delete_labels", doomed)
        totals.stale_changes += len(rows)
        if totals.stale_changes > _MOST_STALE_CHANGES:
            self._write("purge_changes")
            totals.stale_changes = 0

    def touch(self, lineage: Lineage, date: str) -> int:
        """Note an instance at this date: sets LastUpdate of all three, none is stable, the patient is recycled last."""
        totals, known = self._totals, self._known
        keys = (lineage.series, lineage.study, lineage.patient)
        missing = known.missing(keys)
        if missing:
            known.learn((), self._rows("known_by_key", missing))
        resources = list(known.with_keys(keys))
        number = min(resource.touched for resource in resources)
        if not number or any(resource.stable or resource.last_update != date for resource in resources):
            number = totals.last_touch = totals.last_touch + 1
            for resource in resources:
                resource.last_update, resource.stable, resource.touched = date, False, number
                self._pending.touch(resource.key, date, number)
        patient = resources[-1]
        if patient.rank is not None and patient.rank != totals.last_rank:
            patient.rank = totals.last_rank = totals.last_rank + 1
            self._pending.set_rank(patient.key, patient.rank)
        return number

    def set_last_update(self, keys: Sequence[Key], date: str) -> None:
        """Set LastUpdate of resources above an instance."""
        self._write("set_last_update", date, list(keys))
        for resource in self._known.with_keys(keys):
            resource.last_update = date

    def instance_indexes(self, series: Key) -> Counter[int]:
        """Return how many instances of a series have each IndexInSeries that is a number."""
        indexes = self._known.indexes.get(series)
        if indexes is None:
            indexes = self._known.indexes[series] = Counter(dict(self._rows("instance_indexes", series)))
        return indexes

    def totals(self) -> Statistics:
        """Return the totals, with what this transaction has done."""
        return self._totals.statistics()

    # -- what a resource has -------------------------------------------------------

    def set_tags(self, key: Key, tags: IndexedTags) -> None:
        """Replace the tags of a resource; its identifier stays."""
        folded = write_json(tags.folded) if tags.folded else None
        self._write("set_tags", write_json(tags.tags), folded, key)

    def metadata(self, key: Key) -> dict[str, str]:
        """Return the metadata of a resource, without LastUpdate."""
        metadata: dict[str, str] = read_json(self._known_row("metadata", key)[0])
        return metadata

    def metadata_revisions(self, key: Key) -> dict[str, int]:
        """Return how often metadata of a resource were replaced, for those that were."""
        column = self._known_row("revisions", key)[0]
        revisions: dict[str, int] = {} if column is None else read_json(column)
        return revisions

    def set_metadata(self, key: Key, metadata: Mapping[str, str], revisions: Mapping[str, int] | None = None) -> None:
        """Replace the metadata of a resource, and (unless None) their revisions."""
        folded = folded_tags(metadata)
        place = parse_index(metadata.get("IndexInSeries"))
        self._write("set_metadata", write_json(metadata), write_json(folded) if folded else None, place, key)
        if revisions is not None:
            self._write("set_revisions", write_json(revisions) if revisions else None, key)
        self._known.clear()  # it might be ExpectedNumberOfInstances

    def attachments(self, key: Key) -> dict[int, Attachment]:
        """Return the attachments of a resource by type."""
        return read_attachments(self._known_row("attachments_of", key)[0])

    def put_attachment(self, key: Key, file: PreparedFile) -> Attachment:
        """Add an attachment, or replace the one of its type."""
        attachments = self.attachments(key)
        (attachment,) = added = numbered([file], self._totals.last_small_file)
        if attachment.type in attachments:
            self._release([attachments[attachment.type]])
        self._add_files(added, [file])
        attachments[attachment.type] = attachment
        self._write("set_attachments", write_attachments(attachments.values(), revisions=True), key)
        return attachment

    def remove_attachment(self, key: Key, type: int) -> None:
        """Delete an attachment."""
        attachments = self.attachments(key)
        self._release([attachments.pop(type)])
        self._write("set_attachments", write_attachments(attachments.values(), revisions=True), key)

    def labels(self, key: Key) -> Sequence[str]:
        """Return the labels of a resource, in any order."""
        return [restored(label) for (label,) in self._rows("labels_of", key)]

    def set_label(self, key: Key, label: str, present: bool) -> None:
        """Add or remove a label."""
        self._write("add_label" if present else "remove_label", key, storable(label))

    # -- recycling and stability ---------------------------------------------------

    def is_protected(self, patient: Key) -> bool:
        """Tell whether a patient is protected from recycling."""
        return self._known_row("rank", patient)[0] is None

    def set_protected(self, patient: Key, protected: bool) -> None:
        """Protect a patient, or make it the last one to be recycled."""
        if not protected:
            self._totals.last_rank += 1
        rank = None if protected else self._totals.last_rank
        self._pending.set_rank(patient, rank)
        for resource in self._known.with_keys([patient]):
            resource.rank = rank

    def next_to_recycle(self, spared: Key | None) -> Place | None:
        """Return the unprotected patient that was touched (or lost its protection) first, apart from `spared`."""
        row = self._row("next_to_recycle", spared or 0)
        return None if row is None else _place(row)

    def settle(self, touched: Mapping[Key, int]) -> Sequence[tuple[Key, Level]]:
        """Make resources stable, unless they have been touched again; return those that were not so already."""
        self._pending.flush()
        values = {"keys": list(touched), "numbers": list(touched.values())}
        levels: dict[Key, int] = dict(self._connection.execute(SQL["settle"], values).fetchall())
        for resource in self._known.with_keys(levels):
            resource.stable = True
        return [(key, LEVELS[levels[key]]) for key in touched if key in levels]

    # -- logs, counters, properties ------------------------------------------------

    def log_change(self, type: ChangeType, key: Key, date: str) -> None:
        """Add a change of a resource, with the next number."""
        totals = self._totals
        totals.last_change += 1
        self._pending.changes.append((totals.last_change, type.value, key, date))

    def skip_changes(self, number: int) -> None:
        """Give later changes numbers above this one."""
        self._totals.last_change = max(self._totals.last_change, number)

    def clear_changes(self) -> None:
        """Delete all changes; numbers go on."""
        self._write("clear_changes")

    def log_export(self, export: NewExport) -> None:
        """Add a line to the exports, with the next number."""
        self._totals.last_export += 1
        identifiers = [export.identifiers.get(level, "") for level in LEVELS]
        texts = bindable([export.id, export.remote_modality, export.date, *identifiers])
        self._write("add_export", self._totals.last_export, export.level.depth, *texts)

    def skip_exports(self, number: int) -> None:
        """Give later exports numbers above this one."""
        self._totals.last_export = max(self._totals.last_export, number)

    def clear_exports(self) -> None:
        """Delete all exports; numbers go on."""
        self._write("clear_exports")

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter."""
        number: int = self._known_row("next_number", storable(sequence))[0]
        return number

    def property(self, name: str) -> str | None:
        """Return a global property, None if there is none."""
        row = self._row("property", storable(name))
        return None if row is None else restored(row[0])

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        self._write("set_property", storable(name), storable(value))

    def execute(self, query: str, parameters: Sequence[Any] = ()) -> psycopg.Cursor[Any]:
        """Send a statement on tables that are not those of the index, for it to be committed with this transaction.

        Rows are fetched with a round trip; without that, an error of the statement is raised later.
        """
        self._pending.flush()
        return self._connection.execute(query, parameters)

    # -- inside --------------------------------------------------------------------

    def _write(self, query: str, *parameters: Any) -> None:
        """Send a statement, without waiting for its answer."""
        self._pending.flush()
        self._connection.execute(SQL[query], parameters)

    def _rows(self, query: str, *parameters: Any) -> list[Any]:
        self._pending.flush()
        return self._connection.execute(SQL[query], parameters).fetchall()

    def _row(self, query: str, *parameters: Any) -> Any | None:
        rows = self._rows(query, *parameters)
        return rows[0] if rows else None

    def _known_row(self, query: str, *parameters: Any) -> Any:
        return self._rows(query, *parameters)[0]

    def _add_files(self, attachments: Sequence[Attachment], files: Sequence[PreparedFile]) -> None:
        totals = self._totals
        for attachment, file in zip(attachments, files, strict=True):
            totals.disk_size += attachment.compressed_size
            totals.uncompressed_size += attachment.uncompressed_size
            if isinstance(attachment, SmallFile):
                totals.last_small_file = attachment.key
                self._pending.add_small_file(attachment.key, file.content or b"")
            else:
                self._pending.files.append(attachment.uuid)

    def _release(self, attachments: Iterable[Attachment]) -> None:
        totals = self._totals
        released = list(attachments)
        for attachment in released:
            totals.uncompressed_size -= attachment.uncompressed_size
            totals.disk_size -= attachment.compressed_size
        self.released += released
        small = [attachment.key for attachment in released if isinstance(attachment, SmallFile)]
        names = [attachment.uuid for attachment in released if not isinstance(attachment, SmallFile)]
        if small:
            self._write("delete_small_files", small)
        if names:
            self._write("delete_files", names)


def _place(row: Sequence[Any]) -> Place:
    key, id, depth, parent = row
    return Place(key, id, LEVELS[depth], parent)
