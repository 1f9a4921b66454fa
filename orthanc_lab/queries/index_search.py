"""The part of a query that the index answers, children's tags included."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.queries.computed_tags import COMPUTED_TAGS, MODALITIES_IN_STUDY
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import Constraint, FindQuery, Resource

__all__ = ["IndexSearch", "SplitQuery"]

_CANNOT_PREPARE = 1012
_MOST_CRITERIA = 63  # each is a table in Orthanc's statement, and SQLite joins 64
_MODALITY = "0008,0060"


@dataclass(frozen=True, slots=True)
class SplitQuery:
    """A query in three parts, by where its tags are."""

    query: FindQuery  # its constraints are on tags of the level or above
    below: Sequence[Constraint]  # main tags of the level below, and ModalitiesInStudy: any child may match
    on_files: Sequence[Constraint]  # computed tags, and tags that the index does not keep


class IndexSearch:
    """Splits queries, and answers what the index can."""

    def __init__(self, storage: Readable) -> None:
        self._storage = storage
        self._indexed = {level: storage.indexed_tags(level) for level in LEVELS}

    def is_indexed(self, tag: str) -> bool:
        """Tell whether the index keeps a tag at any level."""
        return tag in self._indexed[Level.INSTANCE] and tag not in COMPUTED_TAGS

    def needs_files(self, query: FindQuery) -> bool:
        """Tell whether a query has constraints that the index cannot answer."""
        return any(self._is_on_files(constraint, query.level) for constraint in query.constraints)

    def _is_on_files(self, constraint: Constraint, level: Level) -> bool:
        is_of_children = constraint.tag == MODALITIES_IN_STUDY and level is Level.STUDY
        return not is_of_children and not self.is_indexed(constraint.tag)

    def split(self, query: FindQuery) -> SplitQuery:
        """Sort the constraints of a query by where their tags are.

        Raises
        ------
        OrthancError
            1012 for a tag of two levels below, for an order by a tag that no resource of the level or above has, and
            for more criteria than a statement of Orthanc's may have.
        """
        level = query.level
        indexed: list[Constraint] = []
        below: list[Constraint] = []
        on_files: list[Constraint] = []
        for constraint in query.constraints:
            tag = constraint.tag
            if self._is_on_files(constraint, level):
                on_files.append(constraint)
            elif tag == MODALITIES_IN_STUDY:
                below.append(constraint)
            elif tag in self._indexed[level]:
                indexed.append(constraint)
            elif (level.child is not None and tag in self._indexed[level.child]) or not _asks(constraint):
                below.append(constraint)
            else:
                raise OrthancError(_CANNOT_PREPARE)
        # Instances can be ordered by any tag: those that the index does not keep are the same for all.
        is_sortable = all(order.metadata or order.key in self._indexed[level] for order in query.order)
        if not is_sortable and level is not Level.INSTANCE:
            raise OrthancError(_CANNOT_PREPARE)
        if len(indexed) + len(query.metadata) + len(query.order) > _MOST_CRITERIA:
            raise OrthancError(_CANNOT_PREPARE)
        return SplitQuery(replace(query, constraints=indexed), below, on_files)

    def find_resources(self, split: SplitQuery) -> list[Resource]:
        """Return what `find` returns as resources."""
        query = self._whole(split)
        return [] if query is None else self._storage.find_resources(query)

    def find(self, split: SplitQuery) -> list[str]:
        """Return the identifiers that the index finds; files are not looked at."""
        query = self._whole(split)
        return [] if query is None else self._storage.find(query)

    def _whole(self, split: SplitQuery) -> FindQuery | None:
        """Return the query with what it asks of children, None if nothing can match."""
        children = [constraint for constraint in split.below if _asks(constraint)]
        for position, constraint in enumerate(children):
            if constraint.tag == MODALITIES_IN_STUDY:
                if "*" in constraint.value or "?" in constraint.value:
                    return None  # taken literally, and no modality is called so
                children[position] = replace(constraint, tag=_MODALITY)
        return replace(split.query, children=children)


def _asks(constraint: Constraint) -> bool:
    # "*" asks nothing of children; a modality called so is asked for, and never found.
    return constraint.value != "*" or constraint.tag == MODALITIES_IN_STUDY
