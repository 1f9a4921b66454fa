"""Searching: ``/tools/find`` and ``/tools/count-resources``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.queries.search import ResourceSearch
from orthanc_lab.rest.http.answers import JSON, answer_json, wants_xml
from orthanc_lab.rest.http.bodies import parse_object, read_parsed_body, text_of
from orthanc_lab.rest.http.known_answers import KnownAnswers
from orthanc_lab.rest.resources.find_query import QueryReader, check_types, page_wanted
from orthanc_lab.rest.resources.numbered_names import metadata_names
from orthanc_lab.rest.resources.presentation import presentation_of, wanted_format
from orthanc_lab.rest.resources.resource_json import EXPANDED, Part, parts_named
from orthanc_lab.rest.resources.resource_texts import ResourceTexts
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Count", "Find"]


class _Search:
    """What both resources share."""

    def __init__(self, services: Services) -> None:
        self._presentation = presentation_of(services)
        names = metadata_names(services.settings["UserMetadata"])
        dictionary = self._presentation.dictionary
        self._reader = QueryReader(dictionary, names)
        self._search = ResourceSearch(services.storage, self._presentation.requested, dictionary, services.settings)

    def _body(self, body: bytes) -> dict[str, Any]:
        return parse_object(body, error=ErrorCode.BAD_REQUEST, details="The body must contain a JSON object")


class Find(_Search):
    """Resources by their tags, metadata, labels and parents."""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._known = KnownAnswers(services.storage.version)
        self._texts = ResourceTexts(self._presentation.json)

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer identifiers, or objects with ``Expand`` or ``ResponseContent``."""
        question = read_parsed_body(req)
        if wants_xml(req):
            self._answer(req, resp, question)
            return
        version = self._known.version()  # before anything is read
        known = self._known.get(question, version)
        if known is not None:
            resp.content_type = JSON
            resp.data = known
        elif self._answer(req, resp, question) and resp.data is not None:
            self._known.keep(question, version, resp.data)

    def _answer(self, req: falcon.Request, resp: falcon.Response, question: bytes) -> bool:
        """Answer; return whether the index alone has decided what."""
        body = self._body(question)
        check_types(body)
        parts = _response_content(body)
        query = self._reader.read(body)
        form = wanted_format(body)
        since, limit = page_wanted(body)
        requested = [
            format_tag(self._presentation.dictionary.parse_tag(text_of(name))) for name in body.get("RequestedTags", ())
        ]
        query = replace(query, since=since, limit=limit)
        self._search.check_page(query)
        query = replace(query, order=self._reader.order(body))
        plan = self._search.plan(query, requested, is_page="Since" in body)
        if parts is None:
            answer_json(req, resp, [] if plan is None else self._search.ids(plan))
            return plan is None or not plan.on_files
        # What was looked at on disk is shown too.
        shown = tuple(dict.fromkeys([*requested, *self._search.tags_of_files(query)]))
        batches = [] if plan is None else self._search.batches(plan)
        self._texts.answer(req, resp, batches, form, parts=parts, requested=shown)
        return not shown and (plan is None or not plan.on_files)


class Count(_Search):
    """How many resources a query would find."""

    def on_post(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer ``{"Count": N}``; the page and the order do not matter."""
        body = self._body(read_parsed_body(req))
        check_types(body, is_count=True)
        if body.get("CaseSensitive"):
            details = 'Setting "CaseSensitive" to "true" is not supported by /tools/count-resources'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        answer_json(req, resp, {"Count": self._search.count(self._reader.read(body))})


def _response_content(body: dict[str, Any]) -> frozenset[Part] | None:
    if "ResponseContent" not in body:
        return EXPANDED if _is_true(body.get("Expand")) else None
    return parts_named(map(text_of, body["ResponseContent"]))


def _is_true(value: Any) -> bool:
    """Read a truth value as Orthanc does: numbers and null count as well, anything else is an error."""
    if value is None or isinstance(value, (bool, int, float)):
        return bool(value)
    raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)


ROUTES: Sequence[tuple[str, type]] = (("/tools/find", Find), ("/tools/count-resources", Count))
