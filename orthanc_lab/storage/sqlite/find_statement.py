"""A query on the index, written as one SELECT."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from orthanc_lab.dicom.dictionary.main_tags import IDENTIFIER_TAGS, MainTags
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.records import Constraint, FindQuery, Order
from orthanc_lab.storage.sqlite.json_text import as_array

__all__ = ["find_statement"]

_RANGED = frozenset(
    {"0008,0012", "0008,0013", "0008,0020", "0008,0021", "0008,0022", "0008,0023", "0008,0030", "0008,0031"}
    | {"0008,0032", "0008,0033", "0010,0030", "0010,0032", "0040,0244", "0040,0245", "0040,0250", "0040,0251"}
)
"""Dates and times: ``A-B``, ``A-`` and ``-B`` are ranges."""

_NORMALIZED = frozenset(
    {
        "0010,0020",
        "0010,0010",
        "0010,0030",
        "0020,000d",
        "0008,0020",
        "0008,0050",
        "0008,1030",
        "0020,000e",
        "0008,0018",
    }
)
"""Tags that are ordered without regard to case; an underscore counts as a blank, outer blanks do not count."""

_CASTS = {"text": "{}", "int": "CAST({} AS INTEGER)", "float": "CAST({} AS REAL)"}
_LIKE = str.maketrans({"*": "%", "?": "_", "%": "!%", "_": "!_", "!": "!!"})
_ITEMS = "(SELECT value FROM json_each(?))"
_TAG = re.compile(r"[0-9a-f]{4},[0-9a-f]{4}\Z")


def find_statement(query: FindQuery, main_tags: MainTags, names: MetadataNames) -> tuple[str, list[Any]]:
    """Return the SELECT of the keys and identifiers that match, and its parameters.

    Raises
    ------
    OrthancError
        6 for a parent that is below the level of the query.
    """
    statement = _Statement(query.level, main_tags, names)
    for constraint in query.constraints:
        statement.constrain(constraint)
    for name, pattern in query.metadata.items():
        statement.constrain_metadata(name, pattern, query.metadata_case_sensitive)
    for level, id in query.parents.items():
        statement.place_below(level, id)
    if query.labels:
        statement.label(query.labels, query.labels_constraint)
    return statement.select(query.order, query.since, query.limit)


class _Statement:
    """The parts of one SELECT; the rows of the level n are called ``r<n>``."""

    def __init__(self, level: Level, main_tags: MainTags, names: MetadataNames) -> None:
        self._level = level
        self._main_tags = main_tags
        self._names = names
        self._own = f"r{level.depth}"
        self._highest = level.depth
        self._starts_above = False
        self._conditions: list[str] = []
        self._values: list[Any] = []

    def constrain(self, constraint: Constraint) -> None:
        """Add a condition on a tag; none for a tag that the index does not keep, nor for an empty value."""
        tag, value = constraint.tag, constraint.value
        level = self._level_of(tag)
        if level is None or not value:
            return
        rows = self._rows(level)
        column = f"{rows}.tags ->> '{tag}'"
        if not constraint.case_sensitive:
            column, value = f"coalesce({rows}.folded ->> '{tag}', {column})", fold(value)
        if tag in _RANGED and "-" in value:
            self._within(column, value)
            return
        owner = Level.PATIENT if tag in self._main_tags.of(Level.PATIENT) else level
        if tag == IDENTIFIER_TAGS[owner] and not set(value) & set("\\*?"):
            self._add(f"{self._rows(owner)}.identifier = ?", fold(value).strip())  # the index on it finds the row
            self._starts_above |= owner is not self._level
        self._match(column, value)

    def constrain_metadata(self, name: str, pattern: str, case_sensitive: bool) -> None:
        """Add a condition on a metadata."""
        if pattern:
            column = self._metadata(name)
            self._match(column if case_sensitive else f"upper({column})", pattern if case_sensitive else fold(pattern))

    def place_below(self, level: Level, id: str) -> None:
        """Add the condition that a resource is below another one, or is it."""
        if level.depth > self._level.depth:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS)
        self._add(f"{self._rows(level)}.level = {level.depth} AND {self._rows(level)}.id = ?", id)
        self._starts_above |= level is not self._level

    def label(self, labels: Sequence[str], constraint: str) -> None:
        """Add a condition on labels: All, Any or None of them."""
        wanted = set(labels)
        count = f"(SELECT count(*) FROM labels l WHERE l.resource = {self._own}.key AND l.label IN {_ITEMS})"  # noqa: S608 # no value is in it
        comparison = {"All": f"= {len(wanted)}", "Any": "> 0", "None": "= 0"}[constraint]
        self._add(f"{count} {comparison}", as_array(wanted))

    def select(self, order: Sequence[Order], since: int, limit: int) -> tuple[str, list[Any]]:
        """Return the statement with its parameters; limit 0 = all."""
        criteria = [self._criterion(item) for item in order]
        if criteria:
            criteria[-1] += " NULLS LAST"  # only there, as in Orthanc
        criteria.append(f"{self._own}.key" if criteria else f"{self._own}.id")
        tables = f"resources {self._own}"
        for depth in range(self._level.depth - 1, self._highest - 1, -1):
            tables += f" JOIN resources r{depth} ON r{depth}.key = r{depth + 1}.parent"
        # The plus sign forbids the index: from the one row above to those below, not through the whole level.
        own_level = f"{'+' if self._starts_above else ''}{self._own}.level = {self._level.depth}"
        conditions = " AND ".join([own_level, *self._conditions])
        text = (
            f"SELECT {self._own}.key, {self._own}.id FROM {tables} WHERE {conditions}"  # noqa: S608 # no value is in it
            f" ORDER BY {', '.join(criteria)} LIMIT ? OFFSET ?"
        )
        return text, [*self._values, limit or -1, since]

    def _match(self, column: str, value: str) -> None:
        if "\\" in value:
            self._add(f"{column} IN {_ITEMS}", as_array(value.split("\\")))
        elif "*" in value or "?" in value:
            self._add(f"{column} LIKE ? ESCAPE '!'", value.translate(_LIKE))
        else:
            self._add(f"{column} = ?", value)

    def _within(self, column: str, value: str) -> None:
        low, high = (end.strip() for end in value.split("-", 1))
        if low:
            self._add(f"{column} >= ?", low)
        if high:
            self._add(f"{column} <= ?", high)

    def _criterion(self, order: Order) -> str:
        if order.metadata:
            column = self._metadata(order.key)
        else:
            level = self._level_of(order.key)
            column = "NULL" if level is None else f"{self._rows(level)}.tags ->> '{order.key}'"
            if order.cast == "text" and order.key in _NORMALIZED:
                column = f"upper(trim(replace({column}, '_', ' ')))"
        return f"{_CASTS[order.cast].format(column)} {'DESC' if order.descending else 'ASC'}"

    def _metadata(self, name: str) -> str:
        stored = self._names.stored(name)
        if stored == "LastUpdate":
            return f"{self._own}.last_update"
        if not stored.isprintable():
            return "NULL"  # no metadata is called so
        quoted = stored.replace("'", "''")
        return f"{self._own}.metadata ->> '{quoted}'"

    def _rows(self, level: Level) -> str:
        self._highest = min(self._highest, level.depth)
        return f"r{level.depth}"

    def _level_of(self, tag: str) -> Level | None:
        # A study has the tags of the patient as they stand in its own files.
        for level in LEVELS[self._level.depth :: -1]:
            if tag in self._main_tags.of(level) and _TAG.match(tag):
                return Level.STUDY if level is Level.PATIENT and self._level is not Level.PATIENT else level
        return None

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values.extend(values)
