"""Look-ups of resources, one by one and in bulk."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.attachment_column import attachments_of_type, read_attachments
from orthanc_lab.storage.records import Attachment, Resource
from orthanc_lab.storage.search_plan import SearchPlan
from orthanc_lab.storage.sqlite.connections import Readers
from orthanc_lab.storage.sqlite.find_statement import find_statement
from orthanc_lab.storage.sqlite.json_text import as_array, bindable, read_json
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.transaction import Key

__all__ = ["ResourceQueries"]

_Row = tuple[Any, ...]
_Source = tuple[_Row, list[str], list[str]]  # a row of the index, its children, its labels
_NONE: list[str] = []
_MOST_KNOWN = 1200
_LONGEST_KNOWN = 2048  # letters of tags and metadata of a resource that is kept
_MOST_CHILDREN = 100  # and of its children and labels


class ResourceQueries:
    """What the index knows of its resources."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        # What was shown last: a resource that did not change since is the same object again, so that who shows it
        # knows that its text is the same, too. What it was made of tells whether it did.
        self._known: dict[Key, tuple[_Source, Resource]] = {}

    def get(self, id: str) -> Resource | None:
        """Return a resource, None if it is unknown."""
        rows = self._readers.fetch(SQL["resource"], (id,))
        return self._resource_with_kin(rows[0]) if rows else None

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them."""
        return [self._resource_with_kin(row) for row in self._readers.fetch(SQL["family"], (as_array(ids),))]

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        with self._readers.reading() as connection:
            rows = connection.execute(SQL["resources"], (as_array(dict.fromkeys(ids)),)).fetchall()
            found = {resource.id: resource for resource in self._assemble(connection, rows)}
        return [found[id] for id in ids if id in found]

    def search(self, plan: SearchPlan) -> list[str]:
        """Return the identifiers of the resources that a plan finds."""
        return [id for _, id in self._readers.fetch(*find_statement(plan))]

    def search_resources(self, plan: SearchPlan) -> list[Resource]:
        """Return the resources that a plan finds."""
        keys = as_array(key for key, _ in self._readers.fetch(*find_statement(plan)))
        with self._readers.reading() as connection:
            return self._assemble(connection, connection.execute(SQL["resources_by_key"], (keys,)).fetchall())

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        return [label for (label,) in self._readers.fetch(SQL["all_labels"])]

    def unstable(self) -> list[tuple[Key, int]]:
        """Return the resources that are not stable; those below before those above them."""
        return [(key, 0) for (key,) in self._readers.fetch(SQL["unstable"])]

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level, sorted by identifier; limit 0 = all."""
        with self._readers.reading() as connection:
            rows = connection.execute(
                SQL["resources_of_level"], (level.depth, bindable(limit) or -1, bindable(since))
            ).fetchall()
            return self._assemble(connection, rows)

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level, sorted; limit 0 = all."""
        return [id for (id,) in self._readers.fetch(SQL["ids_of_level"], (level.depth, limit or -1, since))]

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource."""
        rows = self._readers.fetch(SQL["level"], (id,))
        return LEVELS[rows[0][0]] if rows else None

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, sorted."""
        return [found for (found,) in self._readers.fetch(SQL["descendants"], (id, level.depth, level.depth))]

    def first_instance(self, id: str) -> str | None:
        """Return the instance below `id` (or `id` itself) that was stored first."""
        rows = self._readers.fetch(SQL["first_instance"], (id,))
        return rows[0][0] if rows else None

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        above: dict[int, str] = {depth: found for depth, found, _ in self._readers.fetch(SQL["ancestors"], (id,))}
        return above.get(level.depth)

    def by_identifier(self, folded: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level has this folded form."""
        return [(LEVELS[depth], id) for depth, id in self._readers.fetch(SQL["by_identifier"], (folded,))]

    def attachment(self, id: str, type: int) -> Attachment | None:
        """Return one attachment of a resource."""
        rows = self._readers.fetch(SQL["attachments"], (id,))
        return read_attachments(rows[0][0]).get(int(type)) if rows else None

    def attachments(self, ids: Sequence[str], type: int) -> dict[str, Attachment]:
        """Return the attachments of one type of many resources, without those that have none."""
        rows = self._readers.fetch(SQL["attachments_of_many"], (as_array(ids),))
        return attachments_of_type(rows, type)

    def small_file(self, key: int) -> bytes | None:
        """Return the content of a small file."""
        rows = self._readers.fetch(SQL["small_file"], (key,))
        return rows[0][0] if rows else None

    def known_files(self, names: Iterable[str]) -> set[str]:
        """Return those of the files that an attachment refers to."""
        return {uuid for (uuid,) in self._readers.fetch(SQL["known_files"], (as_array(names),))}

    def _assemble(self, connection: sqlite3.Connection, rows: Sequence[_Row]) -> list[Resource]:
        if not rows:
            return []
        keys = (as_array(row[0] for row in rows),)
        children: dict[int, list[str]] = defaultdict(list)
        for parent, child in connection.execute(SQL["children"], keys):
            children[parent].append(child)
        labels: dict[int, list[str]] = defaultdict(list)
        for key, label in connection.execute(SQL["labels"], keys):
            labels[key].append(label)
        return [self._shown((row, children.get(row[0], _NONE), labels.get(row[0], _NONE))) for row in rows]

    def _shown(self, source: _Source) -> Resource:
        key = source[0][0]
        known = self._known.get(key)
        if known is not None and known[0] == source:
            return known[1]
        resource = self._resource(*source)
        if resource.level is not Level.INSTANCE and _is_small(source):
            if len(self._known) >= _MOST_KNOWN:
                self._known.clear()
            self._known[key] = (source, resource)
        return resource

    def _resource_with_kin(self, row: _Row) -> Resource:
        *columns, children, labels = row
        return self._shown((tuple(columns), orjson.loads(children), orjson.loads(labels)))

    def _resource(self, row: Sequence[Any], children: Iterable[str], labels: Iterable[str]) -> Resource:
        _, id, level, parent, tags, metadata, attachments, last_update, stable, rank = row
        return Resource(
            id,
            LEVELS[level],
            parent,
            read_json(tags),
            _metadata(metadata, last_update),
            sorted(children),
            sorted(labels),
            read_attachments(attachments),
            bool(stable),
            level == 0 and rank is None,
        )


def _is_small(source: _Source) -> bool:
    row, children, labels = source
    return len(row[4]) + len(row[5]) <= _LONGEST_KNOWN and len(children) + len(labels) <= _MOST_CHILDREN


def _metadata(stored: str, last_update: str | None) -> dict[str, str]:
    metadata: dict[str, str] = read_json(stored)
    if last_update is not None:
        metadata["LastUpdate"] = last_update
    return metadata
