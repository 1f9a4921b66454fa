"""An index in dictionaries: the smallest back end, which shows that the rules need no SQL."""

from __future__ import annotations

import copy
import re
import threading
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from orthanc_lab.dicom.series_size import parse_index
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.storage.files.prepared import PreparedFile, SmallFile
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.index import Operation
from orthanc_lab.storage.records import Attachment, Change, Export, Resource, ResourceStatistics, Statistics
from orthanc_lab.storage.search_plan import (
    AnyChild,
    Below,
    Condition,
    HasIdentifier,
    Labelled,
    Matches,
    MetadataValue,
    SearchPlan,
    SortKey,
    Value,
)
from orthanc_lab.storage.transaction import IndexedTags, Key, Lineage, NewExport, NewResource, Place, Transaction
from orthanc_lab.storage.value_matching import Equal, Like, OneOf, Within

T = TypeVar("T")
_NUMBER = re.compile(r"\s*[+-]?\d+(\.\d*)?")


@dataclass
class Row:
    key: Key
    id: str
    level: Level
    parent: Key | None
    tags: IndexedTags
    metadata: dict[str, str]
    last_update: str | None
    stable: bool
    rank: int | None
    attachments: dict[int, Attachment] = field(default_factory=dict)
    labels: set[str] = field(default_factory=set)


@dataclass
class Content:
    """All that the index holds."""

    rows: dict[Key, Row] = field(default_factory=dict)
    files: dict[int, bytes] = field(default_factory=dict)
    changes: list[tuple[int, ChangeType, Key, str]] = field(default_factory=list)
    exports: list[Export] = field(default_factory=list)
    properties: dict[str, str] = field(default_factory=dict)
    numbers: Counter[str] = field(default_factory=Counter)

    def next(self, name: str) -> int:
        self.numbers[name] += 1
        return self.numbers[name]

    def by_id(self, id: str) -> Row | None:
        return next((row for row in self.rows.values() if row.id == id), None)

    def children(self, key: Key) -> list[Row]:
        return [row for row in self.rows.values() if row.parent == key]

    def below(self, row: Row) -> list[Row]:
        return [row, *(lower for child in self.children(row.key) for lower in self.below(child))]

    def above(self, row: Row) -> list[Row]:
        return [row, *(self.above(self.rows[row.parent]) if row.parent is not None else ())]

    def statistics(self, rows: Iterable[Row]) -> Statistics:
        rows = list(rows)
        files = [file for row in rows for file in row.attachments.values()]
        counts = [sum(row.level is level for row in rows) for level in LEVELS]
        sizes = sum(file.compressed_size for file in files), sum(file.uncompressed_size for file in files)
        return Statistics(*counts, *sizes)


class MemoryTransaction:
    """`orthanc_lab.storage.transaction.Transaction` on a copy of the content."""

    def __init__(self, content: Content) -> None:
        self._content = content
        self._rows = content.rows
        self.released: list[Attachment] = []

    def find(self, level: Level, id: str) -> Key | None:
        return next((row.key for row in self._rows.values() if row.level is level and row.id == id), None)

    def place(self, id: str) -> Place | None:
        row = self._content.by_id(id)
        return None if row is None else self.place_of(row.key)

    def place_of(self, key: Key) -> Place:
        row = self._rows[key]
        return Place(key, row.id, row.level, row.parent)

    def lineage(self, series: str) -> Lineage | None:
        key = self.find(Level.SERIES, series)
        if key is None:
            return None
        own, study, patient = self._content.above(self._rows[key])
        return Lineage(patient.key, study.key, key, own.metadata.get("ExpectedNumberOfInstances"))

    def children(self, key: Key, limit: int) -> Sequence[Key]:
        return [row.key for row in self._content.children(key)][:limit]

    def with_descendants(self, key: Key) -> Sequence[Key]:
        return [row.key for row in self._content.below(self._rows[key])]

    def identifiers(self, id: str) -> Mapping[Level, str]:
        row = self._content.by_id(id)
        return {} if row is None else {one.level: one.tags.identifier for one in self._content.above(row)}

    def insert_resource(self, resource: NewResource) -> Key | None:
        if self.find(resource.level, resource.id) is not None:
            return None
        key = self._content.next("resource")
        rank = self._content.next("rank") if resource.level is Level.PATIENT else None
        self._rows[key] = Row(
            key,
            resource.id,
            resource.level,
            resource.parent,
            resource.tags,
            dict(resource.metadata),
            resource.last_update,
            resource.level is Level.INSTANCE,
            rank,
        )
        for file in resource.files:
            self.put_attachment(key, file)
        return key

    def delete_resources(self, keys: Iterable[Key]) -> None:
        for key in keys:
            for type in list(self._rows[key].attachments):
                self.remove_attachment(key, type)
            del self._rows[key]

    def touch(self, lineage: Lineage, date: str) -> int:
        for key in (lineage.series, lineage.study, lineage.patient):
            self._rows[key].last_update, self._rows[key].stable = date, False
        if not self.is_protected(lineage.patient):
            self.set_protected(lineage.patient, False)
        return 0

    def set_last_update(self, keys: Sequence[Key], date: str) -> None:
        for key in keys:
            self._rows[key].last_update = date

    def instance_indexes(self, series: Key) -> Counter[int]:
        numbers = (parse_index(row.metadata.get("IndexInSeries")) for row in self._content.children(series))
        return Counter(number for number in numbers if number is not None)

    def totals(self) -> Statistics:
        return self._content.statistics(self._rows.values())

    def set_tags(self, key: Key, tags: IndexedTags) -> None:
        self._rows[key].tags = tags._replace(identifier=self._rows[key].tags.identifier)

    def metadata(self, key: Key) -> dict[str, str]:
        return dict(self._rows[key].metadata)

    def metadata_revisions(self, key: Key) -> dict[str, int]:
        return {}

    def set_metadata(self, key: Key, metadata: Mapping[str, str], revisions: Mapping[str, int] | None = None) -> None:
        self._rows[key].metadata = dict(metadata)

    def attachments(self, key: Key) -> Mapping[int, Attachment]:
        return self._rows[key].attachments

    def put_attachment(self, key: Key, file: PreparedFile) -> Attachment:
        it, attachments = file.attachment, self._rows[key].attachments
        if it.type in attachments:
            self.remove_attachment(key, it.type)
        if file.content is not None:
            number = self._content.next("file")
            self._content.files[number] = file.content
            it = SmallFile(
                it.type,
                it.uuid,
                it.uncompressed_size,
                it.uncompressed_md5,
                it.compressed_size,
                it.compressed_md5,
                it.compressed,
                it.revision,
                number,
            )
        attachments[it.type] = it
        return it

    def remove_attachment(self, key: Key, type: int) -> None:
        attachment = self._rows[key].attachments.pop(type)
        self.released.append(attachment)
        if isinstance(attachment, SmallFile):
            del self._content.files[attachment.key]

    def labels(self, key: Key) -> Sequence[str]:
        return sorted(self._rows[key].labels)

    def set_label(self, key: Key, label: str, present: bool) -> None:
        (self._rows[key].labels.add if present else self._rows[key].labels.discard)(label)

    def is_protected(self, patient: Key) -> bool:
        return self._rows[patient].rank is None

    def set_protected(self, patient: Key, protected: bool) -> None:
        self._rows[patient].rank = None if protected else self._content.next("rank")

    def next_to_recycle(self, spared: Key | None) -> Place | None:
        waiting = [(row.rank, row.key) for row in self._rows.values() if row.rank is not None and row.key != spared]
        return self.place_of(min(waiting)[1]) if waiting else None

    def settle(self, touched: Mapping[Key, int]) -> Sequence[tuple[Key, Level]]:
        rows = [self._rows[key] for key in touched if key in self._rows and not self._rows[key].stable]
        for row in rows:
            row.stable = True
        return [(row.key, row.level) for row in rows]

    def log_change(self, type: ChangeType, key: Key, date: str) -> None:
        self._content.changes.append((self._content.next("change"), type, key, date))

    def skip_changes(self, number: int) -> None:
        self._content.numbers["change"] = max(self._content.numbers["change"], number)

    def clear_changes(self) -> None:
        self._content.changes.clear()

    def log_export(self, export: NewExport) -> None:
        identifiers = [export.identifiers.get(level, "") for level in LEVELS]
        number, date = self._content.next("export"), parse_iso(export.date)
        self._content.exports.append(
            Export(number, export.level, export.id, export.remote_modality, date, *identifiers)
        )

    def skip_exports(self, number: int) -> None:
        self._content.numbers["export"] = max(self._content.numbers["export"], number)

    def clear_exports(self) -> None:
        self._content.exports.clear()

    def next_number(self, sequence: str) -> int:
        return self._content.next(f"sequence {sequence}")

    def property(self, name: str) -> str | None:
        return self._content.properties.get(name)

    def set_property(self, name: str, value: str) -> None:
        self._content.properties[name] = value


class MemoryIndex:
    """`orthanc_lab.storage.index.Index`; what it holds outlives it in `content`."""

    def __init__(self, content: Content | None = None) -> None:
        self._content: Content | None = content or Content()
        self._lock = threading.Lock()

    @property
    def content(self) -> Content:
        if self._content is None:
            raise OrthancError(ErrorCode.DATABASE, "The index is closed")
        return self._content

    is_shared = False

    def run(self, operation: Callable[[Transaction], T], about: Collection[tuple[Level, str]] = ()) -> T:
        with self._lock:
            draft = copy.deepcopy(self.content)
            result = operation(MemoryTransaction(draft))
            self._content = draft
        return result

    def run_each(self, operations: Sequence[Operation[T]]) -> list[T | BaseException]:
        outcomes: list[T | BaseException] = []
        for operation, about in operations:
            try:
                outcomes.append(self.run(operation, about))
            except BaseException as error:
                outcomes.append(error)
        return outcomes

    def close(self) -> None:
        self._content = None

    # -- resources -----------------------------------------------------------------

    def _resource(self, row: Row) -> Resource:
        content = self.content
        late = {} if row.last_update is None else {"LastUpdate": row.last_update}
        return Resource(
            row.id,
            row.level,
            None if row.parent is None else content.rows[row.parent].id,
            dict(row.tags.tags),
            {**row.metadata, **late},
            sorted(child.id for child in content.children(row.key)),
            sorted(row.labels),
            dict(row.attachments),
            row.stable,
            row.level is Level.PATIENT and row.rank is None,
        )

    def find_level(self, id: str) -> Level | None:
        row = self.content.by_id(id)
        return None if row is None else row.level

    def get(self, id: str) -> Resource | None:
        row = self.content.by_id(id)
        return None if row is None else self._resource(row)

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        known = {row.id: row for row in self.content.rows.values()}
        return [self._resource(known[id]) for id in ids if id in known]

    def family(self, ids: Sequence[str]) -> list[Resource]:
        content, keys = self.content, set()
        for row in (row for id in ids if (row := content.by_id(id)) is not None):
            keys |= {one.key for one in (*content.above(row), *content.below(row))}
        return [self._resource(content.rows[key]) for key in keys]

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        ids = sorted(row.id for row in self.content.rows.values() if row.level is level)[since:]
        return ids[:limit] if limit else ids

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        return self.get_many(self.list_ids(level, since, limit))

    def _below(self, id: str, level: Level) -> list[Row]:
        row = self.content.by_id(id)
        return [] if row is None else [one for one in self.content.below(row) if one.level is level]

    def descendants(self, id: str, level: Level) -> list[str]:
        return sorted(row.id for row in self._below(id, level))

    def first_instance(self, id: str) -> str | None:
        instances = self._below(id, Level.INSTANCE)
        return min(instances, key=lambda row: row.key).id if instances else None

    def ancestor(self, id: str, level: Level) -> str | None:
        row = self.content.by_id(id)
        above = [] if row is None else self.content.above(row)
        return next((one.id for one in above if one.level is level), None)

    def by_identifier(self, folded: str) -> list[tuple[Level, str]]:
        found = [row for row in self.content.rows.values() if row.tags.identifier == folded]
        return [(row.level, row.id) for row in sorted(found, key=lambda row: (row.level.depth, row.id))]

    def all_labels(self) -> list[str]:
        return sorted({label for row in self.content.rows.values() for label in row.labels})

    def unstable(self) -> Sequence[tuple[Key, int]]:
        return sorted(((row.key, 0) for row in self.content.rows.values() if not row.stable), reverse=True)

    # -- search --------------------------------------------------------------------

    def search(self, plan: SearchPlan) -> list[str]:
        return [row.id for row in self._search(plan)]

    def search_resources(self, plan: SearchPlan) -> list[Resource]:
        return [self._resource(row) for row in self._search(plan)]

    def _search(self, plan: SearchPlan) -> list[Row]:
        rows = [row for row in self.content.rows.values() if row.level is plan.level]
        rows = [row for row in rows if all(self._meets(row, condition) for condition in plan.conditions)]
        rows.sort(key=lambda row: row.key if plan.order else row.id)  # type: ignore[return-value,arg-type]
        for key in reversed(plan.order):
            rows = self._sorted(rows, key, lacking_last=key is plan.order[-1] or key.descending)
        rows = rows[plan.since :]
        return rows[: plan.limit] if plan.limit else rows

    def _sorted(self, rows: list[Row], key: SortKey, *, lacking_last: bool) -> list[Row]:
        values = {row.key: None if key.value is None else _cast(self._value(row, key.value), key.cast) for row in rows}
        present = [row for row in rows if values[row.key] is not None]
        present.sort(key=lambda row: values[row.key], reverse=key.descending)
        lacking = [row for row in rows if values[row.key] is None]
        return present + lacking if lacking_last else lacking + present

    def _value(self, row: Row, value: Value) -> str | None:
        if isinstance(value, MetadataValue):
            found = row.last_update if value.name == "LastUpdate" else row.metadata.get(value.name)
        else:
            row = next(one for one in self.content.above(row) if one.level is value.level)
            found = row.tags.tags.get(value.tag)
            if found is not None and value.normalized:
                return fold(found.replace("_", " ").strip(" "))
        return fold(found) if found is not None and value.folded else found

    def _meets(self, row: Row, condition: Condition) -> bool:
        match condition:
            case HasIdentifier(level, identifier):
                return any(one.level is level and one.tags.identifier == identifier for one in self.content.above(row))
            case Below(level, id):
                return any(one.level is level and one.id == id for one in self.content.above(row))
            case Labelled(labels, constraint):
                common = len(labels & row.labels)
                return {"All": common == len(labels), "Any": common > 0, "None": common == 0}[constraint]
            case AnyChild(value, match):
                children = self.content.children(row.key)
                return any(self._meets(child, Matches(value, match)) for child in children)
            case Matches(value, match):
                found = self._value(row, value)
        if found is None:
            return False
        match match:
            case Equal(text):
                return found == text
            case OneOf(texts):
                return found in texts
            case Like(pattern):
                parts = {"*": ".*", "?": "."}
                return bool(re.fullmatch("".join(parts.get(it, re.escape(it)) for it in pattern), found, re.DOTALL))
            case Within(low, high):
                return (not low or found >= low) and (not high or found <= high)

    # -- files, logs, totals -------------------------------------------------------

    def attachment(self, id: str, type: int) -> Attachment | None:
        row = self.content.by_id(id)
        return None if row is None else row.attachments.get(type)

    def attachments(self, ids: Sequence[str], type: int) -> dict[str, Attachment]:
        found = {id: self.attachment(id, type) for id in ids}
        return {id: attachment for id, attachment in found.items() if attachment is not None}

    def small_file(self, key: int) -> bytes | None:
        return self.content.files.get(key)

    def known_files(self, names: Iterable[str]) -> set[str]:
        known = {file.uuid for row in self.content.rows.values() for file in row.attachments.values()}
        return known & set(names)

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        found = [
            change
            for change in self._listed()
            if change.seq > since and (to is None or change.seq <= to) and (not types or change.type in types)
        ]
        done = len(found) <= limit
        return (found[len(found) - min(limit, len(found)) :] if to is not None and since == 0 else found[:limit]), done

    def _listed(self) -> list[Change]:
        rows = self.content.rows
        return [
            Change(seq, type, rows[key].level, rows[key].id, parse_iso(date))
            for seq, type, key, date in self.content.changes
            if key in rows
        ]

    def last_change(self) -> Change | None:
        return next(reversed(self._listed()), None)

    def version(self) -> None:
        """Return None: tests look at the content, and change it."""

    def last_change_number(self) -> int:
        return self.content.numbers["change"]

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        found = [export for export in self.content.exports if export.seq > since]
        return found[:limit], len(found) <= limit

    def statistics(self) -> Statistics:
        return self.content.statistics(self.content.rows.values())

    def resource_statistics(self, id: str) -> ResourceStatistics:
        row = self.content.by_id(id)
        if row is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        below = self.content.below(row)
        total = self.content.statistics(below)
        files = self.content.statistics(
            replace(one, attachments={type: file for type, file in one.attachments.items() if type == 1})
            for one in below
        )
        return ResourceStatistics(
            total.studies,
            total.series,
            total.instances,
            total.disk_size,
            total.uncompressed_size,
            files.disk_size,
            files.uncompressed_size,
        )

    def get_property(self, name: str) -> str | None:
        return self.content.properties.get(name)


def _cast(text: str | None, cast: str) -> Any:
    if text is None or cast == "text":
        return text
    number = _NUMBER.match(text)
    value = float(number[0]) if number else 0.0
    return int(value) if cast == "int" else value
