"""A query on the index, written as one SELECT."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from orthanc_lab.dicom.main_tags import IDENTIFIER_TAGS, MainTags
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.records import Constraint, FindQuery, Order

__all__ = ["find_statement"]

_RANGES = frozenset(
    {
        "0008,0012",
        "0008,0013",
        "0008,0020",
        "0008,0021",
        "0008,0030",
        "0008,0031",
        "0010,0030",
        "0040,0244",
        "0040,0245",
    }
)
_CASTS = {"text": "{}", "int": "CAST({} AS INTEGER)", "float": "CAST({} AS REAL)"}


def find_statement(query: FindQuery, main_tags: MainTags, names: MetadataNames) -> tuple[str, list[Any]]:
    """Return the SELECT of the identifiers that match, and its parameters."""
    return _Statement(query.level, main_tags, names).of(query)


class _Statement:
    """The parts of one SELECT; the table of level n is called ``r<n>``."""

    def __init__(self, level: Level, main_tags: MainTags, names: MetadataNames) -> None:
        self._level = level
        self._main_tags = main_tags
        self._names = names
        self._highest = level.depth
        self._conditions: list[str] = [f"r{level.depth}.level = {level.depth}"]
        self._values: list[Any] = []

    def of(self, query: FindQuery) -> tuple[str, list[Any]]:
        own = f"r{self._level.depth}"
        for constraint in query.constraints:
            self._constrain(constraint)
        for name, pattern in query.metadata.items():
            self._match(self._metadata(name), pattern)
        for level, id in query.parents.items():
            self._add(f"{self._table(level)}.id = ?", id)
        if query.labels:
            self._label(query.labels, query.labels_constraint)
        order = ", ".join([*(self._order(item) for item in query.order), f"{own}.key"])
        tables = f"resources {own}" + "".join(
            f" JOIN resources r{depth} ON r{depth}.key = r{depth + 1}.parent"
            for depth in range(self._level.depth - 1, self._highest - 1, -1)
        )
        return (
            f"SELECT {own}.id FROM {tables} WHERE {' AND '.join(self._conditions)} ORDER BY {order} LIMIT ? OFFSET ?",
            [*self._values, query.limit or -1, query.since],
        )

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values.extend(values)

    def _table(self, level: Level) -> str:
        self._highest = min(self._highest, level.depth)
        return f"r{level.depth}"

    def _constrain(self, constraint: Constraint) -> None:
        level = self._level_of(constraint.tag)
        if level is None:
            return
        table, tag = self._table(level), constraint.tag
        plain = f"{table}.identifier" if tag == IDENTIFIER_TAGS[level] else f"{table}.tags ->> '{tag}'"
        column = plain if constraint.case_sensitive else f"coalesce({table}.folded ->> '{tag}', {plain})"
        value = constraint.value if constraint.case_sensitive else fold(constraint.value)
        if "\\" in value:
            parts = value.split("\\")
            self._add(f"{column} IN ({', '.join('?' * len(parts))})", *parts)
        elif "*" in value or "?" in value:
            self._match(column, value)
        elif "-" in value and tag in _RANGES:
            self._range(column, value)
        else:
            self._add(f"{column} = ?", value)

    def _range(self, column: str, value: str) -> None:
        low, high = value.split("-", 1)
        if low:
            self._add(f"{column} >= ?", low)
        if high:
            self._add(f"{column} <= ?", high)

    def _match(self, column: str, pattern: str) -> None:
        if "*" not in pattern and "?" not in pattern:
            self._add(f"{column} = ?", pattern)
            return
        escaped = pattern.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
        self._add(f"{column} LIKE ? ESCAPE '\\'", escaped.replace("*", "%").replace("?", "_"))

    def _label(self, labels: Sequence[str], constraint: str) -> None:
        own, marks = f"r{self._level.depth}", ", ".join("?" * len(set(labels)))
        found = f"SELECT count(*) FROM labels l WHERE l.resource = {own}.key AND l.label IN ({marks})"
        condition = {"All": f"= {len(set(labels))}", "Any": "> 0", "None": "= 0"}[constraint]
        self._add(f"({found}) {condition}", *sorted(set(labels)))

    def _metadata(self, name: str) -> str:
        own, stored = f"r{self._level.depth}", self._names.stored(name)
        if stored == "LastUpdate":
            return f"{own}.last_update"
        quoted = stored.replace("'", "''")
        return f"{own}.metadata ->> '{quoted}'"

    def _order(self, order: Order) -> str:
        if order.metadata:
            column = self._metadata(order.key)
        else:
            level = self._level_of(order.key)
            column = "NULL" if level is None else f"{self._table(level)}.tags ->> '{order.key}'"
        return _CASTS[order.cast].format(column) + (" DESC" if order.descending else " ASC")

    def _level_of(self, tag: str) -> Level | None:
        for level in LEVELS[self._level.depth :: -1]:
            if tag in self._main_tags.of(level):
                return level
        return None
