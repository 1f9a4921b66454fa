"""What a query asks of the index, in terms that any back end can express.

Here stands what Orthanc makes of a query: which tag of which level is meant, what is compared without regard to
case, how the answers are ordered (how a value matches: `value_matching`). A back end turns it into its own words.

The parts of a plan are named tuples: each search makes a handful, and frozen data classes take four times as long.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from orthanc_lab.dicom.dictionary.main_tags import IDENTIFIER_TAGS, MainTags
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.folding import fold
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.records import Constraint, FindQuery, Order
from orthanc_lab.storage.value_matching import RANGED_TAGS, Equal, ValueMatch, read_match

__all__ = [
    "AnyChild",
    "Below",
    "Condition",
    "HasIdentifier",
    "Labelled",
    "Matches",
    "MetadataValue",
    "SearchPlan",
    "SearchPlanner",
    "SortKey",
    "TagValue",
    "Value",
]

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

_TAG = re.compile(r"[0-9a-f]{4},[0-9a-f]{4}\Z")


class TagValue(NamedTuple):
    """The value of a tag of the resource, or of the one above it at another level."""

    level: Level
    tag: str  # "gggg,eeee"
    folded: bool = False  # in its folded form (`fold`)
    normalized: bool = False  # folded, with blanks in place of underscores and none outside


class MetadataValue(NamedTuple):
    """The value of a metadata of the resource."""

    name: str  # as the index calls it
    folded: bool = False


Value = TagValue | MetadataValue


class Matches(NamedTuple):
    """A value matches what a query wants of it."""

    value: Value
    match: ValueMatch


class HasIdentifier(NamedTuple):
    """`IndexedTags.identifier` at a level is this text: all that can match, so it is a shortcut to the few."""

    level: Level
    identifier: str


class Below(NamedTuple):
    """The resource is below another one, or is it."""

    level: Level
    id: str


class Labelled(NamedTuple):
    """The resource has all of the labels, any of them, or none."""

    labels: frozenset[str]
    constraint: str  # All, Any, None


class AnyChild(NamedTuple):
    """A child of the resource has a value that matches."""

    value: TagValue
    match: ValueMatch


Condition = Matches | HasIdentifier | Below | Labelled | AnyChild


class SortKey(NamedTuple):
    """One criterion of the order."""

    value: Value | None  # None: the same for all
    cast: str  # text, int or float
    descending: bool


class SearchPlan(NamedTuple):
    """The resources of one level that meet all conditions.

    Without an order they come by identifier. With one, those that it leaves equal come as they were stored, and
    those that lack the last criterion at the end.
    """

    level: Level
    conditions: Sequence[Condition]
    order: Sequence[SortKey]
    since: int
    limit: int  # 0 = no limit


class SearchPlanner:
    """Makes plans of queries.

    Parameters
    ----------
    main_tags
        The tags that the index keeps.
    names
        What the index calls the metadata.
    """

    def __init__(self, main_tags: MainTags, names: MetadataNames) -> None:
        self._names = names
        self._levels = {level: _levels_seen_from(level, main_tags) for level in LEVELS}
        self._of_patients = frozenset(main_tags.of(Level.PATIENT))

    def plan(self, query: FindQuery) -> SearchPlan:
        """Return what a query asks of the index."""
        levels = self._levels[query.level]
        conditions: list[Condition] = []
        for constraint in query.constraints:
            conditions += self._constrain(constraint, levels)
        conditions += [condition for it in query.children for condition in self._constrain_children(it, query.level)]
        for name, pattern in query.metadata.items():
            if pattern:
                conditions.append(self._constrain_metadata(name, pattern, query.metadata_case_sensitive))
        conditions += [Below(level, id) for level, id in query.parents.items()]
        if query.labels:
            conditions.append(Labelled(frozenset(query.labels), query.labels_constraint))
        order = [self._sort_key(item, levels) for item in query.order]
        return SearchPlan(query.level, conditions, order, query.since, query.limit)

    def _constrain(self, constraint: Constraint, levels: Mapping[str, Level]) -> Sequence[Condition]:
        """Return the conditions on a tag; none for a tag that the index does not keep, nor for an empty value."""
        tag, text = constraint.tag, constraint.value
        level = levels.get(tag)
        if level is None or not text:
            return ()
        match = read_match(text, case_sensitive=constraint.case_sensitive, ranged=tag in RANGED_TAGS)
        found = Matches(TagValue(level, tag, not constraint.case_sensitive), match)
        owner = Level.PATIENT if tag in self._of_patients else level
        if tag == IDENTIFIER_TAGS[owner] and type(match) is Equal:
            return (HasIdentifier(owner, fold(text).strip()), found)
        return (found,)

    def _constrain_children(self, constraint: Constraint, level: Level) -> Sequence[Condition]:
        """Return the condition on a tag of the children; none for a tag that they do not have."""
        child = level.child
        if child is None or self._levels[child].get(constraint.tag) is not child:
            return ()
        match = read_match(
            constraint.value, case_sensitive=constraint.case_sensitive, ranged=constraint.tag in RANGED_TAGS
        )
        return (AnyChild(TagValue(child, constraint.tag, not constraint.case_sensitive), match),)

    def _constrain_metadata(self, name: str, pattern: str, case_sensitive: bool) -> Condition:
        value = MetadataValue(self._names.stored(name), not case_sensitive)
        return Matches(value, read_match(pattern, case_sensitive=case_sensitive))

    def _sort_key(self, order: Order, levels: Mapping[str, Level]) -> SortKey:
        value: Value | None = None
        if order.metadata:
            value = MetadataValue(self._names.stored(order.key))
        elif order.key in levels:
            is_normalized = order.cast == "text" and order.key in _NORMALIZED
            value = TagValue(levels[order.key], order.key, normalized=is_normalized)
        return SortKey(value, order.cast, order.descending)


def _levels_seen_from(level: Level, main_tags: MainTags) -> dict[str, Level]:
    """Return at which level the tags stand that resources of `level` can be searched by."""
    levels: dict[str, Level] = {}
    for upper in LEVELS[level.depth :: -1]:
        # A study has the tags of the patient as they stand in its own files.
        owner = Level.STUDY if upper is Level.PATIENT and level is not Level.PATIENT else upper
        for tag in main_tags.of(upper):
            if _TAG.match(tag):
                levels.setdefault(tag, owner)
    return levels
