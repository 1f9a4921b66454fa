"""Searching: ``/tools/find`` and ``/tools/count-resources``."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Any

import falcon

from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.dicom.shown.tag_format import format_of
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.queries.computed_tags import MODALITIES_IN_STUDY
from orthanc_lab.queries.file_filter import FileFilter
from orthanc_lab.queries.index_search import IndexSearch, SplitQuery
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.bodies import boolean_field, read_object
from orthanc_lab.rest.http.long_lists import answer_batches, batches_of, batches_of_ids
from orthanc_lab.rest.resources.find_query import QueryReader
from orthanc_lab.rest.resources.numbered_names import metadata_names
from orthanc_lab.rest.resources.presentation import presentation_of
from orthanc_lab.rest.resources.resource_json import EXPANDED, Part
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import FindQuery, Resource

__all__ = ["ROUTES", "Count", "Find"]

_PARTS = {part.value: part for part in Part if part is not Part.DETAILS}
_NO_SINCE = (
    "Unable to use 'Since' in tools/find when querying tags that are not stored as MainDicomTags in the Database"
)
_NO_COUNT = (
    "Unable to count resources when querying tags that are not stored as MainDicomTags in the Database "
    "or when using case sensitive queries."
)


class _Search:
    """What both resources share."""

    def __init__(self, services: Services) -> None:
        self._storage = services.storage
        self._presentation = presentation_of(services)
        names = metadata_names(services.settings["UserMetadata"])
        self._reader = QueryReader(self._presentation.dictionary, names)
        self._index = IndexSearch(services.storage)

    def _body(self, req: falcon.Request) -> dict[str, Any]:
        return read_object(req, error=ErrorCode.BAD_REQUEST, details="The body must contain a JSON object")


class Find(_Search):
    """Resources by their tags, metadata, labels and parents."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        settings = services.settings
        self._limits = {level: int(settings["LimitFindResults"]) for level in LEVELS}
        self._limits[Level.INSTANCE] = int(settings["LimitFindInstances"])

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer identifiers, or objects with ``Expand`` or ``ResponseContent``."""
        body = self._body(req)
        query = self._reader.read(body)
        requested = self._requested(body)
        parts = _response_content(body)
        form = format_of(boolean_field(body, "Short", False), boolean_field(body, "Full", False))
        plan = self._plan(query, requested)
        if parts is None:
            answer_json(req, resp, [] if plan is None else self._ids(plan))
            return
        # What was looked at on disk is shown too.
        looked_at = [c.tag for c in query.constraints if not self._index.is_indexed(c.tag)]
        shown = tuple(dict.fromkeys([*requested, *looked_at]))
        write = self._presentation.json.of
        batches = [] if plan is None else self._batches(plan)
        answer_batches(req, resp, (write(batch, form, parts=parts, requested=shown) for batch in batches))

    def _requested(self, body: dict[str, Any]) -> list[str]:
        names = body.get("RequestedTags", [])
        if not isinstance(names, list):
            raise OrthancError(ErrorCode.BAD_REQUEST, 'Field "RequestedTags" must be an array')
        return [format_tag(self._presentation.dictionary.parse_tag(str(name))) for name in names]

    def _plan(self, query: FindQuery, requested: Collection[str]) -> SplitQuery | None:
        """Say who checks what; None if nothing can be found."""
        split = self._index.split(self._limited(query))
        on_files = list(split.on_files)
        # Orthanc checks the case on what it has found, like the tags of files.
        checked = [c for c in query.constraints if c.case_sensitive and c.tag != MODALITIES_IN_STUDY]
        if query.since and (on_files or checked):
            raise OrthancError(ErrorCode.BAD_REQUEST, _NO_SINCE)
        for constraint in split.below:
            if constraint.tag in requested:
                on_files.append(constraint)
            elif constraint.tag != MODALITIES_IN_STUDY:
                return None  # as Orthanc 1.12.7, which drops what it does not show
        return replace(split, on_files=on_files)

    def _ids(self, plan: SplitQuery) -> list[str]:
        if not plan.on_files:
            return self._index.find(plan)
        candidates = self._index.find(replace(plan, query=replace(plan.query, since=0, limit=0)))
        presentation = self._presentation
        check = FileFilter(self._storage, presentation.requested, presentation.dictionary, plan.on_files)
        return check.select(candidates, plan.query.limit)

    def _batches(self, plan: SplitQuery) -> Iterable[list[Resource]]:
        if plan.on_files:
            return batches_of_ids(self._storage, self._ids(plan))
        limit = plan.query.limit
        return batches_of(
            self._storage,
            lambda most: self._index.find_resources(
                replace(plan, query=replace(plan.query, limit=min(limit or most, most)))
            ),
            lambda: self._index.find(plan),
        )

    def _limited(self, query: FindQuery) -> FindQuery:
        maximum = self._limits[query.level]
        if maximum and not query.since and not 0 < query.limit <= maximum:
            return replace(query, limit=maximum)
        return query


class Count(_Search):
    """How many resources a query would find."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``{"Count": N}``; ``Since`` and ``Limit`` do not matter."""
        body = self._body(req)
        query = self._reader.read(body)
        if body.get("CaseSensitive"):
            details = 'Setting "CaseSensitive" to "true" is not supported by /tools/count-resources'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        split = self._index.split(replace(query, since=0, limit=0, order=()))
        if split.on_files:
            raise OrthancError(ErrorCode.BAD_REQUEST, _NO_COUNT)
        answer_json(req, resp, {"Count": len(self._index.find(split))})


def _response_content(body: dict[str, Any]) -> frozenset[Part] | None:
    if "ResponseContent" not in body:
        return EXPANDED if _is_true(body.get("Expand")) else None
    wanted = body["ResponseContent"]
    if not isinstance(wanted, list):
        raise OrthancError(ErrorCode.BAD_REQUEST, 'Field "ResponseContent" must be an array')
    parts = []
    for name in wanted:
        if name == "RequestedTags":
            continue  # they are shown whenever there are some
        if not isinstance(name, str) or name not in _PARTS:
            details = f'Unrecognized value for "ResponseContent": {name}'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        parts.append(_PARTS[name])
    return frozenset(parts)


def _is_true(value: Any) -> bool:
    """Read a truth value as Orthanc does: numbers and null count as well, anything else is an error."""
    if value is None or isinstance(value, (bool, int, float)):
        return bool(value)
    raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)


ROUTES: Sequence[tuple[str, type]] = (("/tools/find", Find), ("/tools/count-resources", Count))
