"""Reads the index of a real Orthanc 1.12 (SQLite, version 6)."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.adoption.source_rows import (
    CHANGE_TYPES,
    LEVEL_NUMBERS,
    METADATA_NAMES,
    SourceFile,
    SourceInstance,
    SourceResource,
)
from orthanc_lab.storage.adopted import AdoptedChange, AdoptedExport
from orthanc_lab.storage.transaction import NewExport

__all__ = ["SourceIndex"]

_VERSION = "6"
_SCHEMA = 1  # numbers of global properties
_ANONYMIZED = 3
_JOBS = 5
_MODALITIES = 20
_PEERS = 21
_BATCH = 100
_COLUMNS = {
    "Resources": {"internalId", "resourceType", "publicId", "parentId"},
    "MainDicomTags": {"id", "tagGroup", "tagElement", "value"},
    "Metadata": {"id", "type", "value"},
    "AttachedFiles": {
        *("id", "fileType", "uuid", "compressedSize", "uncompressedSize"),
        *("compressionType", "uncompressedMD5", "compressedMD5"),
    },
    "Changes": {"seq", "changeType", "internalId", "resourceType", "date"},
    "ExportedResources": {
        *("seq", "resourceType", "publicId", "remoteModality", "patientId"),
        *("studyInstanceUid", "seriesInstanceUid", "sopInstanceUid", "date"),
    },
    "PatientRecyclingOrder": {"seq", "patientId"},
    "Labels": {"id", "label"},
}
_INSTANCES = """
    SELECT p.internalId, p.publicId, t.internalId, t.publicId, s.internalId, s.publicId, i.internalId, i.publicId
    FROM Resources i JOIN Resources s ON s.internalId = i.parentId JOIN Resources t ON t.internalId = s.parentId
    JOIN Resources p ON p.internalId = t.parentId
    WHERE i.resourceType = 4 AND s.resourceType = 3 AND t.resourceType = 2 AND p.resourceType = 1
    AND i.internalId > ? ORDER BY i.internalId LIMIT ?"""
_CHANGES = """
    SELECT c.seq, c.changeType, r.resourceType, r.publicId, c.date
    FROM Changes c JOIN Resources r ON r.internalId = c.internalId WHERE c.seq > ? ORDER BY c.seq LIMIT ?"""
_EXPORTS = """
    SELECT seq, resourceType, publicId, remoteModality, date, patientId, studyInstanceUid, seriesInstanceUid,
    sopInstanceUid FROM ExportedResources WHERE seq > ? ORDER BY seq LIMIT ?"""
_RECYCLING = """
    SELECT r.publicId FROM PatientRecyclingOrder o JOIN Resources r ON r.internalId = o.patientId ORDER BY o.seq"""
_TAGS = "SELECT id, tagGroup, tagElement, value FROM MainDicomTags WHERE id IN (SELECT value FROM json_each(?))"
_METADATA = "SELECT id, type, value FROM Metadata WHERE id IN (SELECT value FROM json_each(?))"
_LABELS = "SELECT id, label FROM Labels WHERE id IN (SELECT value FROM json_each(?))"
_FILES = """
    SELECT id, fileType, uuid, compressedSize, uncompressedSize, compressionType, uncompressedMD5, compressedMD5
    FROM AttachedFiles WHERE id IN (SELECT value FROM json_each(?)) ORDER BY fileType"""


class SourceIndex:
    """The resources, logs and properties of a real Orthanc.

    Parameters
    ----------
    path
        Of the database: its name in messages.

    Raises
    ------
    SourceError
        If the database is not an index of this version.
    """

    def __init__(self, connection: sqlite3.Connection, path: Path) -> None:
        connection.text_factory = lambda text: text.decode("utf-8", "replace")
        self._execute = connection.execute
        self._path = path
        self._check()
        self.identity = hashlib.sha1(str(path.resolve()).encode(), usedforsecurity=False).hexdigest()
        self._protected = {
            key
            for (key,) in self._execute(
                "SELECT internalId FROM Resources WHERE resourceType = 1 "
                "AND internalId NOT IN (SELECT patientId FROM PatientRecyclingOrder WHERE patientId IS NOT NULL)"
            )
        }

    def _check(self) -> None:
        tables = {name for (name,) in self._execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        version = self._property(_SCHEMA) if "GlobalProperties" in tables else None
        if version is None:
            raise SourceError(f"{self._path} is no index of an Orthanc")
        if version != _VERSION:
            raise SourceError(
                f"{self._path} has version {version[:20]}; only version {_VERSION}, Orthanc 1.12's, can be imported"
            )
        for table, columns in _COLUMNS.items():
            found = {row[1] for row in self._execute(f"PRAGMA table_info({table})")}
            if not columns <= found:
                raise SourceError(f"{self._path} is no index of an Orthanc 1.12: its table {table} is another one")

    # -- resources -----------------------------------------------------------------

    def count(self) -> int:
        """Return how many instances there are, with those that belong to no series."""
        number: int = self._execute("SELECT COUNT(*) FROM Resources WHERE resourceType = 4").fetchone()[0]
        return number

    def instances(self) -> Iterator[SourceInstance]:
        """Return the instances in the order in which they were stored, each with what is above it."""
        last = 0
        while rows := self._execute(_INSTANCES, (last, _BATCH)).fetchall():
            last = rows[-1][6]
            keys = {
                key: (level, id)
                for row in rows
                for level, (key, id) in zip(LEVELS, zip(row[::2], row[1::2], strict=True), strict=True)
            }
            resources = self._resources(keys)
            for row in rows:
                yield SourceInstance([resources[key] for key in row[::2]])

    def _resources(self, keys: dict[int, tuple[Level, str]]) -> dict[int, SourceResource]:
        wanted = (json.dumps(list(keys)),)
        tags: dict[int, dict[str, str]] = defaultdict(dict)
        metadata: dict[int, dict[str, str]] = defaultdict(dict)
        labels: dict[int, list[str]] = defaultdict(list)
        files: dict[int, list[SourceFile]] = defaultdict(list)
        for key, group, element, value in self._execute(_TAGS, wanted):
            tags[key][f"{_number(group):04x},{_number(element):04x}"] = _text(value)
        for key, type, value in self._execute(_METADATA, wanted):
            metadata[key][METADATA_NAMES.get(type, str(type))] = _text(value)
        for key, label in self._execute(_LABELS, wanted):
            labels[key].append(_text(label))
        for key, type, uuid, *sizes, plain_md5, disk_md5 in self._execute(_FILES, wanted):
            disk, plain, compression = map(_number, sizes)
            file = SourceFile(_number(type), _text(uuid), disk, plain, compression, _text(plain_md5), _text(disk_md5))
            files[key].append(file)
        return {
            key: SourceResource(
                key, level, id, tags[key], metadata[key], labels[key], files[key], key in self._protected
            )
            for key, (level, id) in keys.items()
        }

    # -- logs and properties -------------------------------------------------------

    def changes(self, since: int, limit: int) -> tuple[list[AdoptedChange], int | None, int]:
        """Return the next changes, the number of the last row read (None at the end), and how many are no changes."""
        rows = self._execute(_CHANGES, (since, limit)).fetchall()
        changes = []
        for seq, type, level, id, date in rows:
            if type in CHANGE_TYPES and level in LEVEL_NUMBERS and _is_date(date):
                changes.append(AdoptedChange(seq, CHANGE_TYPES[type], LEVEL_NUMBERS[level], _text(id), date[:15]))
        return changes, rows[-1][0] if rows else None, len(rows) - len(changes)

    def exports(self, since: int, limit: int) -> tuple[list[AdoptedExport], int | None, int]:
        """Return the next exports, as `changes` does."""
        rows = self._execute(_EXPORTS, (since, limit)).fetchall()
        exports = []
        for seq, level, id, modality, date, *identifiers in rows:
            if level in LEVEL_NUMBERS and _is_date(date):
                named = {one: _text(text) for one, text in zip(LEVELS, identifiers, strict=True)}
                line = NewExport(LEVEL_NUMBERS[level], _text(id), _text(modality), date[:15], named)
                exports.append(AdoptedExport(seq, line))
        return exports, rows[-1][0] if rows else None, len(rows) - len(exports)

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last change and of the last export ever logged."""
        reached = dict(self._execute("SELECT name, seq FROM sqlite_sequence"))
        return max(_number(reached.get("Changes", 0)), 0), max(_number(reached.get("ExportedResources", 0)), 0)

    def recycling(self) -> Sequence[str]:
        """Return the patients that may be recycled, the first one first."""
        return [_text(id) for (id,) in self._execute(_RECYCLING)]

    def counters(self) -> Mapping[str, int]:
        """Return how many patients were given a name by an anonymization."""
        text = self._property(_ANONYMIZED) or ""
        return {"AnonymizationSequence": int(text)} if text.isascii() and text.isdecimal() and len(text) < 8 else {}

    def modalities(self) -> dict[str, Any]:
        """Return the DICOM nodes of the database, as configured."""
        return self._object(_MODALITIES)

    def peers(self) -> dict[str, Any]:
        """Return the peers of the database, as configured."""
        return self._object(_PEERS)

    def job_count(self) -> int:
        """Return how many jobs are in the list."""
        jobs = self._object(_JOBS).get("Jobs")
        return len(jobs) if isinstance(jobs, dict) else 0

    def _object(self, number: int) -> dict[str, Any]:
        try:
            value = json.loads(self._property(number) or "{}")
        except (ValueError, RecursionError):
            return {}
        return value if isinstance(value, dict) else {}

    def _property(self, number: int) -> str | None:
        row = self._execute("SELECT value FROM GlobalProperties WHERE property = ?", (number,)).fetchone()
        return None if row is None else _text(row[0])


def _text(value: object) -> str:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return "" if value is None else str(value)


def _number(value: object) -> int:
    return value if isinstance(value, int) else -1


def _is_date(value: object) -> bool:
    try:
        parse_iso(_text(value))
    except ValueError:
        return False
    return True
