"""Queries of other nodes: ``/modalities/{name}/query`` and ``/queries``."""

from __future__ import annotations

from collections.abc import Callable, Container, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.dicom.dictionary.tags import PATIENT_ID, SERIES_INSTANCE_UID, STUDY_INSTANCE_UID
from orthanc_lab.dicom.shown.tag_format import TagFormat, TagNames, format_of, in_format
from orthanc_lab.dimse.kept_queries import RemoteQuery
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import answer_json, answer_nothing, answer_text, unknown_resource
from orthanc_lab.rest.http.arguments import flag, query_arguments, unsigned
from orthanc_lab.rest.http.bodies import read_object, read_parsed_body
from orthanc_lab.rest.http.long_lists import answer_batches
from orthanc_lab.rest.network.query_request import check_query, read_query, read_subquery
from orthanc_lab.rest.network.remote_find import RemoteFind
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "check_number", "position_of", "query_of"]

_OPERATIONS = ["answers", "level", "modality", "query", "retrieve"]
_BATCH = 200  # answers
_NO_OBJECT = "Must provide a JSON object"
_BELOW = {
    Level.PATIENT: ["query-study", "query-series", "query-instances"],
    Level.STUDY: ["query-series", "query-instances"],
    Level.SERIES: ["query-instances"],
    Level.INSTANCE: [],
}
"""The operations on an answer, as they are listed; the first one is in fact called ``query-studies``."""

_PARENTS = {
    Level.PATIENT: (PATIENT_ID,),
    Level.STUDY: (STUDY_INSTANCE_UID,),
    Level.SERIES: (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID),
}
"""What a query below an answer takes over from it."""


def query_of(services: Services, id: str) -> RemoteQuery:
    """Return a query.

    Raises
    ------
    OrthancError
        17 for an unknown one.
    """
    query = services.queries.get(id)
    if query is None:
        raise unknown_resource()
    return query


def check_number(index: str) -> int:
    """Return the number that stands in a path in place of an answer, without its sign.

    Raises
    ------
    OrthancError
        5 for what is no number.
    """
    number = unsigned(index.removeprefix("-"))
    if number is None:
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, "Syntax error in some user-supplied data")
    return number


def position_of(query: RemoteQuery, index: str) -> int:
    """Return the position of an answer, as it stands in a path.

    Raises
    ------
    OrthancError
        5 for what is no number, 3 for one that is beyond the answers.
    """
    number = check_number(index)
    if index.startswith("-") or number >= len(query.answers):
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
    return number


def _form(arguments: Container[str]) -> TagFormat:
    """Return the form that a URI asks for; the full one if it names none."""
    return TagFormat.NAMES if "simplify" in arguments else format_of("short" in arguments, full=True)


class _QueryResource:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._find = RemoteFind(services)


class ModalityQuery(_QueryResource):
    """Asking a node."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send a C-FIND; answer where the query is found."""
        fields = read_object(req, details=_NO_OBJECT)
        check_query(fields)
        modality = self._services.modalities.get(name)
        request = read_query(fields, self._services.dictionary)
        _answer_kept(req, resp, self._services, self._find.query(name, modality, request))


class QueriesList(_QueryResource):
    """The queries that are kept."""

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer their identifiers."""
        answer_json(req, resp, self._services.queries.ids())


class QueryResource(_QueryResource):
    """One query."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer what can be asked of it."""
        query_of(self._services, id)
        answer_json(req, resp, _OPERATIONS)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Forget it."""
        self._services.queries.delete(id)
        answer_nothing(resp)


class QueryLevel(_QueryResource):
    """The level of a query."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer it as text."""
        answer_text(resp, query_of(self._services, id).level.value)


class QueryModality(_QueryResource):
    """The node that was asked."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer its name."""
        answer_text(resp, query_of(self._services, id).name)


class QueryTags(_QueryResource):
    """What was asked."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer the tags of the query."""
        query = query_of(self._services, id)
        tags = {format_tag(tag): query.asked[tag] for tag in sorted(query.asked)}
        answer_json(req, resp, in_format(tags, _form(query_arguments(req)), TagNames(self._services.dictionary)))


class QueryAnswers(_QueryResource):
    """The answers to a query."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Answer their positions, or with ``?expand`` their contents."""
        arguments = query_arguments(req)
        is_expanded = flag(arguments, "expand")  # before the query is looked for
        query = query_of(self._services, id)
        if is_expanded:
            form, show = _form(arguments), self._find.shown
            starts = range(0, len(query.answers), _BATCH)
            batches = (query.answers[start : start + _BATCH] for start in starts)
            answer_batches(req, resp, (show(batch, query.level, form) for batch in batches))
        else:
            answer_json(req, resp, [str(position) for position in range(len(query.answers))])


class QueryAnswer(_QueryResource):
    """One answer."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, index: str) -> None:
        """Answer what can be asked of it."""
        query = query_of(self._services, id)
        position_of(query, index)
        answer_json(req, resp, ["content", "retrieve", *_BELOW[query.level]])


class QueryAnswerContent(_QueryResource):
    """The content of an answer."""

    def on_get(self, req: falcon.Request, resp: falcon.Response, id: str, index: str) -> None:
        """Answer its tags."""
        check_number(index)  # before the query is looked for
        query = query_of(self._services, id)
        answer = query.answers[position_of(query, index)]
        (shown,) = self._find.shown([answer], query.level, _form(query_arguments(req)))
        answer_json(req, resp, shown)


class _Subquery(_QueryResource):
    """Asking a node for what is below an answer."""

    level: Level

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str, index: str) -> None:
        """Send a C-FIND; answer where the new query is found."""
        query = query_of(self._services, id)
        answer = query.answers[position_of(query, index)]
        if query.level.depth >= self.level.depth:
            raise unknown_resource()
        try:
            fields = lenient_json.loads(read_parsed_body(req))
        except OrthancError as error:
            if error.code != ErrorCode.BAD_JSON:
                raise
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, _NO_OBJECT) from error
        if fields is None:
            fields = {}
        if not isinstance(fields, dict):
            raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
        found = self._find.texts(answer, query.level)
        if any(tag not in found for tag in _PARENTS[query.level]):
            raise OrthancError(ErrorCode.INEXISTENT_TAG)
        parent = {tag: found[tag] for tag in _PARENTS[query.level]}
        request = read_subquery(fields, self.level, parent, self._services.dictionary)
        _answer_kept(req, resp, self._services, self._find.query(query.name, query.modality, request))


class SubqueryStudies(_Subquery):
    """The studies of a patient."""

    level = Level.STUDY


class SubquerySeries(_Subquery):
    """The series of a patient or study."""

    level = Level.SERIES


class SubqueryInstances(_Subquery):
    """The instances of a patient, study or series."""

    level = Level.INSTANCE


def _answer_kept(req: falcon.Request, resp: falcon.Response, services: Services, query: RemoteQuery) -> None:
    id = services.queries.add(query)
    answer_json(req, resp, {"ID": id, "Path": f"/queries/{id}"})


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities/{name}/query", ModalityQuery),
    ("/queries", QueriesList),
    ("/queries/{id}", QueryResource),
    ("/queries/{id}/answers", QueryAnswers),
    ("/queries/{id}/answers/{index}", QueryAnswer),
    ("/queries/{id}/answers/{index}/content", QueryAnswerContent),
    ("/queries/{id}/answers/{index}/query-studies", SubqueryStudies),
    ("/queries/{id}/answers/{index}/query-series", SubquerySeries),
    ("/queries/{id}/answers/{index}/query-instances", SubqueryInstances),
    ("/queries/{id}/level", QueryLevel),
    ("/queries/{id}/modality", QueryModality),
    ("/queries/{id}/query", QueryTags),
)
