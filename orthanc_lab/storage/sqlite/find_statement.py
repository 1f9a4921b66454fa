"""The plan of a search, written as one SELECT."""

from __future__ import annotations

from typing import Any

from orthanc_lab.protocol.levels import Level
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
    TagValue,
    Value,
)
from orthanc_lab.storage.sqlite.json_text import as_array
from orthanc_lab.storage.value_matching import Equal, Like, OneOf, ValueMatch, Within

__all__ = ["find_statement"]

_CASTS = {"text": "{}", "int": "CAST({} AS INTEGER)", "float": "CAST({} AS REAL)"}
_LIKE = str.maketrans({"*": "%", "?": "_", "%": "!%", "_": "!_", "!": "!!"})
_LONGEST_LIKE = 64  # letters: LIKE compares each of them at each place of a value, and some values are long
_ITEMS = "(SELECT value FROM json_each(?))"


def find_statement(plan: SearchPlan) -> tuple[str, list[Any]]:
    """Return the SELECT of the keys and identifiers that a plan finds, and its parameters."""
    statement = _Statement(plan.level)
    for condition in plan.conditions:
        statement.add(condition)
    return statement.select(plan)


class _Statement:
    """The parts of one SELECT; the rows of the level n are called ``r<n>``."""

    def __init__(self, level: Level) -> None:
        self._level = level
        self._depth = self._highest = level.depth
        self._own = f"r{self._depth}"
        self._starts_above = False
        self._conditions: list[str] = []
        self._values: list[Any] = []

    def add(self, condition: Condition) -> None:
        """Add a condition of the plan."""
        match condition:
            case Matches(value, match):
                self._match(self._column(value), match)
            case HasIdentifier(level, identifier):
                self._add(f"{self._rows(level)}.identifier = ?", identifier)
                self._starts_above |= level is not self._level
            case Below(level, id):
                rows = self._rows(level)
                self._add(f"{rows}.level = {level.depth} AND {rows}.id = ?", id)
                self._starts_above |= level is not self._level
            case Labelled(labels, constraint):
                count = f"(SELECT count(*) FROM labels l WHERE l.resource = {self._own}.key AND l.label IN {_ITEMS})"  # noqa: S608 # no value is in it
                comparison = {"All": f"= {len(labels)}", "Any": "> 0", "None": "= 0"}[constraint]
                self._add(f"{count} {comparison}", as_array(labels))
            case AnyChild(value, match):
                self._any_child(value, match)

    def _any_child(self, value: TagValue, match: ValueMatch) -> None:
        outside, self._conditions = self._conditions, [f"child.level = {value.level.depth}"]
        self._match(_tag_column("child", value), match)
        parents = f"SELECT child.parent FROM resources child WHERE {' AND '.join(self._conditions)}"  # noqa: S608 # no value is in it
        self._conditions = [*outside, f"{self._own}.key IN ({parents})"]

    def _match(self, column: str, match: ValueMatch) -> None:
        match match:
            case Equal(text):
                self._add(f"{column} = ?", text)
            case OneOf(texts):
                self._add(f"{column} IN {_ITEMS}", as_array(texts))
            case Like(pattern) if len(pattern) > _LONGEST_LIKE:
                self._add(f"fits(?, {column})", pattern)
            case Like(pattern):
                self._add(f"{column} LIKE ? ESCAPE '!'", pattern.translate(_LIKE))
            case Within(low, high):
                if low:
                    self._add(f"{column} >= ?", low)
                if high:
                    self._add(f"{column} <= ?", high)

    def select(self, plan: SearchPlan) -> tuple[str, list[Any]]:
        """Return the statement with its parameters."""
        criteria = [self._criterion(item) for item in plan.order]
        if criteria:
            criteria[-1] += " NULLS LAST"
        criteria.append(f"{self._own}.key" if criteria else f"{self._own}.id")
        tables = f"resources {self._own}"
        for depth in range(self._depth - 1, self._highest - 1, -1):
            tables += f" JOIN resources r{depth} ON r{depth}.key = r{depth + 1}.parent"
        # The plus sign forbids the index: from the one row above to those below, not through the whole level.
        own_level = f"{'+' if self._starts_above else ''}{self._own}.level = {self._depth}"
        conditions = " AND ".join([own_level, *self._conditions])
        text = (
            f"SELECT {self._own}.key, {self._own}.id FROM {tables} WHERE {conditions}"  # noqa: S608 # no value is in it
            f" ORDER BY {', '.join(criteria)} LIMIT ? OFFSET ?"
        )
        return text, [*self._values, plan.limit or -1, plan.since]

    def _criterion(self, key: SortKey) -> str:
        column = "NULL" if key.value is None else self._column(key.value)
        return f"{_CASTS[key.cast].format(column)} {'DESC' if key.descending else 'ASC'}"

    def _column(self, value: Value) -> str:
        if isinstance(value, MetadataValue):
            column = self._metadata(value.name)
            return f"upper({column})" if value.folded else column
        return _tag_column(self._rows(value.level), value)

    def _metadata(self, name: str) -> str:
        if name == "LastUpdate":
            return f"{self._own}.last_update"
        if not name.isprintable():
            return "NULL"  # no metadata is called so
        return f"{self._own}.metadata ->> {_quoted(name)}"

    def _rows(self, level: Level) -> str:
        if level is self._level:
            return self._own
        depth = level.depth
        self._highest = min(self._highest, depth)
        return f"r{depth}"

    def _add(self, condition: str, *values: Any) -> None:
        self._conditions.append(condition)
        self._values.extend(values)


def _tag_column(rows: str, value: TagValue) -> str:
    name = _quoted(value.tag)
    column = f"{rows}.tags ->> {name}"
    if value.folded or value.normalized:
        column = f"coalesce({rows}.folded ->> {name}, {column})"
    return f"trim(replace({column}, '_', ' '))" if value.normalized else column


def _quoted(name: str) -> str:
    doubled = name.replace("'", "''")
    return f"'{doubled}'"
