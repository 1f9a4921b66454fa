"""Look-ups of resources, one by one and in bulk."""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import orjson

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.records import Attachment, Resource

__all__ = [
    "ancestor",
    "descendants",
    "find_level",
    "known_files",
    "list_ids",
    "load",
    "load_attachment",
    "load_listed",
    "lookup_identifier",
]

_COLUMNS = "r.key, r.id, r.level, p.id, r.tags, r.metadata, r.last_update, r.stable, r.rank"
_FROM = "FROM resources r LEFT JOIN resources p ON p.key = r.parent"
_BY_ID = f"SELECT {_COLUMNS} {_FROM} WHERE r.id = ?"
_BY_IDS = f"SELECT {_COLUMNS} FROM json_each(?) wanted JOIN resources r ON r.id = wanted.value LEFT JOIN resources p ON p.key = r.parent"
_OF_LEVEL = f"SELECT {_COLUMNS} {_FROM} WHERE r.level = ? ORDER BY r.key LIMIT ? OFFSET ?"
_IDS_OF_LEVEL = "SELECT id FROM resources WHERE level = ? ORDER BY key LIMIT ? OFFSET ?"
_CHILDREN = "SELECT c.parent, c.key, c.id FROM json_each(?) wanted JOIN resources c ON c.parent = wanted.value"
_LABELS = "SELECT l.resource, l.label FROM json_each(?) wanted JOIN labels l ON l.resource = wanted.value"
_ATTACHMENTS = (
    "SELECT a.resource, a.type, a.uuid, a.uncompressed_size, a.uncompressed_md5, a.compressed_size, a.compressed_md5,"
    " a.compressed, a.small_file FROM json_each(?) wanted JOIN attachments a ON a.resource = wanted.value"
)


def load(connection: sqlite3.Connection, ids: Sequence[str], names: MetadataNames) -> list[Resource]:
    """Return the known ones of many resources, in the order of `ids`."""
    if len(ids) == 1:
        rows = connection.execute(_BY_ID, (ids[0],)).fetchall()
        return _assemble(connection, rows, names)
    rows = connection.execute(_BY_IDS, (_array(dict.fromkeys(ids)),)).fetchall()
    found = {resource.id: resource for resource in _assemble(connection, rows, names)}
    return [found[id] for id in ids if id in found]


def load_listed(
    connection: sqlite3.Connection, level: Level, since: int, limit: int, names: MetadataNames
) -> list[Resource]:
    """Return resources of a level in order of creation."""
    rows = connection.execute(_OF_LEVEL, (level.depth, limit or -1, since)).fetchall()
    return _assemble(connection, rows, names)


def list_ids(connection: sqlite3.Connection, level: Level, since: int, limit: int) -> list[str]:
    """Return the identifiers of a level in order of creation."""
    return [id for (id,) in connection.execute(_IDS_OF_LEVEL, (level.depth, limit or -1, since))]


def find_level(connection: sqlite3.Connection, id: str) -> Level | None:
    """Return the level of a resource."""
    row = connection.execute("SELECT level FROM resources WHERE id = ?", (id,)).fetchone()
    return LEVELS[row[0]] if row else None


def descendants(connection: sqlite3.Connection, id: str, level: Level) -> list[str]:
    """Return the identifiers below `id` (or `id` itself) at a level, in order of creation."""
    rows = connection.execute(
        "WITH RECURSIVE below(key, level) AS (SELECT key, level FROM resources WHERE id = ? UNION ALL"
        " SELECT c.key, c.level FROM below JOIN resources c ON c.parent = below.key WHERE below.level < ?)"
        " SELECT r.id FROM below JOIN resources r ON r.key = below.key WHERE below.level = ? ORDER BY r.key",
        (id, level.depth, level.depth),
    )
    return [found for (found,) in rows]


def ancestor(connection: sqlite3.Connection, id: str, level: Level) -> str | None:
    """Return the identifier above `id` (or `id` itself) at a level."""
    row = connection.execute(
        "WITH RECURSIVE above(id, level, parent) AS (SELECT id, level, parent FROM resources WHERE id = ? UNION ALL"
        " SELECT p.id, p.level, p.parent FROM above JOIN resources p ON p.key = above.parent)"
        " SELECT id FROM above WHERE level = ?",
        (id, level.depth),
    ).fetchone()
    return row[0] if row else None


def lookup_identifier(connection: sqlite3.Connection, value: str) -> list[tuple[Level, str]]:
    """Return the resources whose PatientID or UID of their own level equals `value`."""
    rows = connection.execute("SELECT level, id FROM resources WHERE identifier = ? ORDER BY key", (value,))
    return [(LEVELS[level], id) for level, id in rows]


def load_attachment(connection: sqlite3.Connection, id: str, type: int) -> Attachment | None:
    """Return one attachment of a resource."""
    row = connection.execute(
        "SELECT a.type, a.uuid, a.uncompressed_size, a.uncompressed_md5, a.compressed_size, a.compressed_md5,"
        " a.compressed, a.small_file FROM resources r JOIN attachments a ON a.resource = r.key"
        " WHERE r.id = ? AND a.type = ?",
        (id, type),
    ).fetchone()
    return Attachment(*row[:6], bool(row[6]), row[7]) if row else None


def known_files(connection: sqlite3.Connection, names: Iterable[str]) -> set[str]:
    """Return those of the files that an attachment refers to."""
    rows = connection.execute(
        "SELECT a.uuid FROM attachments a WHERE a.uuid IN (SELECT value FROM json_each(?))", (_array(names),)
    )
    return {uuid for (uuid,) in rows}


def _array(items: Iterable[Any]) -> str:
    return orjson.dumps(list(items)).decode()


def _assemble(connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]], names: MetadataNames) -> list[Resource]:
    if not rows:
        return []
    keys = _array(row[0] for row in rows)
    children: dict[int, list[tuple[int, str]]] = defaultdict(list)
    for parent, key, id in connection.execute(_CHILDREN, (keys,)):
        children[parent].append((key, id))
    labels: dict[int, list[str]] = defaultdict(list)
    for resource, label in connection.execute(_LABELS, (keys,)):
        labels[resource].append(label)
    attachments: dict[int, dict[int, Attachment]] = defaultdict(dict)
    for resource, type, *description, compressed, row in connection.execute(_ATTACHMENTS, (keys,)):
        attachments[resource][type] = Attachment(type, *description, bool(compressed), row)
    return [
        Resource(
            id,
            LEVELS[level],
            parent,
            orjson.loads(tags),
            names.shown(_metadata(metadata, last_update)),
            [child for _, child in sorted(children.get(key, ()))],
            sorted(labels.get(key, ())),
            attachments.get(key, {}),
            bool(stable),
            level == 0 and rank is None,
        )
        for key, id, level, parent, tags, metadata, last_update, stable, rank in rows
    ]


def _metadata(stored: str, last_update: str | None) -> dict[str, str]:
    metadata: dict[str, str] = orjson.loads(stored)
    if last_update is not None:
        metadata["LastUpdate"] = last_update
    return metadata
