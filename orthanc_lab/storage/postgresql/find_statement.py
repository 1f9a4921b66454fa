"""The plan of a search, written as one SELECT."""

from __future__ import annotations

from typing import Any

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.postgresql.text import bindable, limited, storable
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
from orthanc_lab.storage.value_matching import Equal, Like, OneOf, ValueMatch, Within

__all__ = ["find_statement"]

# A text that begins with a number counts as this number, any other one as 0.
_INTEGER = r"substring(left({0}, 1000) from '^\s*([-+]?\d+)')::numeric"
_REAL = r"substring(left({0}, 1000) from '^\s*([-+]?\d+(?:\.\d*)?(?:[eE][-+]?\d{{1,3}})?)')::numeric"
_CASTS = {
    "text": "{0}",
    "int": f"CASE WHEN {{0}} IS NOT NULL THEN coalesce({_INTEGER}, 0) END",
    "float": f"CASE WHEN {{0}} IS NOT NULL THEN coalesce({_REAL}, 0) END",
}
_LIKE = str.maketrans({"*": "%", "?": "_", "%": "!%", "_": "!_", "!": "!!"})
_ITEMS = "ANY(%s::text[])"
_FIRST = {False: "ASC NULLS FIRST", True: "DESC NULLS LAST"}  # what is lacking is less than all else


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
        self._conditions: list[str] = []
        self._values: list[Any] = []

    def add(self, condition: Condition) -> None:
        """Add a condition of the plan."""
        match condition:
            case Matches(value, match):
                self._match(self._column(value), match)
            case HasIdentifier(level, identifier):
                self._add(f"{self._rows(level)}.identifier = %s", storable(identifier))
            case Below(level, id):
                rows = self._rows(level)
                self._add(f"{rows}.level = {level.depth} AND {rows}.id = %s", storable(id))
            case Labelled(labels, constraint):
                count = f"(SELECT count(*) FROM labels l WHERE l.resource = {self._own}.key AND l.label = {_ITEMS})"  # noqa: S608 # no value is in it
                comparison = {"All": f"= {len(labels)}", "Any": "> 0", "None": "= 0"}[constraint]
                self._add(f"{count} {comparison}", bindable(labels))
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
                self._add(f"{column} = %s", storable(text))
            case OneOf(texts):
                self._add(f"{column} = {_ITEMS}", bindable(texts))
            case Like(pattern):
                self._add(f"{column} LIKE %s ESCAPE '!'", storable(pattern).translate(_LIKE))
            case Within(low, high):
                if low:
                    self._add(f"{column} >= %s", storable(low))
                if high:
                    self._add(f"{column} <= %s", storable(high))

    def select(self, plan: SearchPlan) -> tuple[str, list[Any]]:
        """Return the statement with its parameters."""
        criteria = [self._criterion(item) for item in plan.order]
        if criteria:
            criteria[-1] = criteria[-1].replace("NULLS FIRST", "NULLS LAST")
        criteria.append(f"{self._own}.key" if criteria else f"{self._own}.id")
        tables = f"resources {self._own}"
        for depth in range(self._depth - 1, self._highest - 1, -1):
            tables += f" JOIN resources r{depth} ON r{depth}.key = r{depth + 1}.parent"
        conditions = " AND ".join([f"{self._own}.level = {self._depth}", *self._conditions])
        text = (
            f"SELECT {self._own}.key, {self._own}.id FROM {tables} WHERE {conditions}"  # noqa: S608 # no value is in it
            f" ORDER BY {', '.join(criteria)} LIMIT %s OFFSET %s"
        )
        return text, [*self._values, limited(plan.limit) or None, limited(plan.since)]

    def _criterion(self, key: SortKey) -> str:
        column = "NULL::text" if key.value is None else self._column(key.value)
        return f"{_CASTS[key.cast].format(column)} {_FIRST[key.descending]}"

    def _column(self, value: Value) -> str:
        if isinstance(value, MetadataValue):
            return self._metadata(value)
        return _tag_column(self._rows(value.level), value)

    def _metadata(self, value: MetadataValue) -> str:
        if value.name == "LastUpdate":
            return f"{self._own}.last_update"
        if not value.name.isprintable():
            return "NULL::text"  # no metadata is called so
        name = _quoted(value.name)
        column = f"{self._own}.metadata ->> {name}"
        if value.folded:
            column = f"coalesce({self._own}.folded_metadata ->> {name}, {column})"
        return f'({column}) COLLATE "C"'

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
    if value.normalized:
        column = f"btrim(replace({column}, '_', ' '))"
    return f'({column}) COLLATE "C"'


def _quoted(name: str) -> str:
    doubled = name.replace("'", "''").replace("%", "%%")  # %: the statement has parameters
    return f"'{doubled}'"
