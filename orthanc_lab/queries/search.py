"""A search over index and files, by Orthanc's rules: what ``/tools/find`` and C-FIND share."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.queries.batches import batches_of, batches_of_ids
from orthanc_lab.queries.computed_tags import MODALITIES_IN_STUDY, check_computed
from orthanc_lab.queries.file_filter import FileFilter
from orthanc_lab.queries.index_search import IndexSearch, SplitQuery
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import FindQuery, Resource

__all__ = ["ResourceSearch"]

_NO_SINCE = (
    "Unable to use 'Since' in tools/find when querying tags that are not stored as MainDicomTags in the Database"
)
_NO_COUNT = (
    "Unable to count resources when querying tags that are not stored as MainDicomTags in the Database "
    "or when using case sensitive queries."
)


class ResourceSearch:
    """Finds resources by tags of the index, of their children, and of their files.

    Parameters
    ----------
    requested
        Reads what the index does not keep.
    settings
        ``LimitFindResults`` and ``LimitFindInstances``; None for no limits.
    """

    def __init__(
        self, storage: Readable, requested: RequestedTags, dictionary: Dictionary, settings: Settings | None
    ) -> None:
        self._storage = storage
        self._requested = requested
        self._dictionary = dictionary
        self._index = IndexSearch(storage)
        self._limits: dict[Level, int] = {}
        if settings is not None:
            self._limits = {level: int(settings["LimitFindResults"]) for level in LEVELS}
            self._limits[Level.INSTANCE] = int(settings["LimitFindInstances"])

    def plan(self, query: FindQuery, requested: Collection[str] = (), *, is_page: bool = False) -> SplitQuery | None:
        """Decide who checks which constraint; None if nothing can be found.

        Parameters
        ----------
        requested
            The tags (``gggg,eeee``) that the answers show.
        is_page
            Whether the query says where it begins (``Since``): then it need not have a limit.

        Raises
        ------
        OrthancError
            8 if a page is asked for that only the files could count, 3 as `check_computed`, 1012 as
            `IndexSearch.split`.
        """
        check_computed([*requested, *(constraint.tag for constraint in query.constraints)], query.level)
        self.check_page(query)
        split = self._index.split(query if is_page and not query.limit else self._limited(query))
        on_files = list(split.on_files)
        for constraint in split.below:
            if constraint.tag == MODALITIES_IN_STUDY:
                continue  # the index looks for one of the modalities; what is shown lists them all
            if constraint.tag not in requested:
                return None  # as Orthanc 1.12.7, which drops what it does not show
            on_files.append(constraint)
        return replace(split, on_files=on_files)

    def check_page(self, query: FindQuery) -> None:
        """Refuse a page that only the files could count.

        Raises
        ------
        OrthancError
            8.
        """
        # Orthanc checks the case on what it has found, like the tags of files.
        checked = [c for c in query.constraints if c.case_sensitive and c.tag != MODALITIES_IN_STUDY]
        if query.since and (checked or self._index.needs_files(query)):
            raise OrthancError(ErrorCode.BAD_REQUEST, _NO_SINCE)

    def ids(self, plan: SplitQuery) -> list[str]:
        """Return the identifiers that a plan finds."""
        if not plan.on_files:
            return self._index.find(plan)
        # The limit holds for what the index gives, as in Orthanc.
        check = FileFilter(self._storage, self._requested, self._dictionary, plan.on_files)
        return check.select(self._index.find(plan))

    def batches(self, plan: SplitQuery) -> Iterable[list[Resource]]:
        """Return the resources that a plan finds, in batches."""
        if plan.on_files:
            return batches_of_ids(self._storage, self.ids(plan))
        limit = plan.query.limit
        return batches_of(
            self._storage,
            lambda most: self._index.find_resources(
                replace(plan, query=replace(plan.query, limit=min(limit or most, most)))
            ),
            lambda: self._index.find(plan),
        )

    def count(self, query: FindQuery) -> int:
        """Return how many resources a query without page and order finds.

        Raises
        ------
        OrthancError
            8 for tags that only files have, 3 as `check_computed`, 1012 as `IndexSearch.split`.
        """
        check_computed([constraint.tag for constraint in query.constraints], query.level)
        if self._index.needs_files(query):
            raise OrthancError(ErrorCode.BAD_REQUEST, _NO_COUNT)
        return len(self._index.find(self._index.split(query)))

    def tags_of_files(self, query: FindQuery) -> list[str]:
        """Return the tags of a query that the index does not keep."""
        return [c.tag for c in query.constraints if not self._index.is_indexed(c.tag)]

    def _limited(self, query: FindQuery) -> FindQuery:
        maximum = self._limits.get(query.level, 0)
        if maximum and not 0 < query.limit <= maximum:
            return replace(query, limit=maximum)
        return query
