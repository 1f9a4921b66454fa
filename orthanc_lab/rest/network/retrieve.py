"""Retrieving from other nodes: ``/modalities/{name}/move`` and ``get``, and ``/queries/{id}/…/retrieve``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dicom.dictionary.tags import QUERY_RETRIEVE_LEVEL
from orthanc_lab.dicom.shown.tag_format import TagFormat
from orthanc_lab.dimse.answers import FindAnswer
from orthanc_lab.dimse.identifiers import level_named, retrieved
from orthanc_lab.dimse.kept_queries import RemoteQuery
from orthanc_lab.dimse.modality import Modality, check_retrieve_method
from orthanc_lab.jobs.kinds.retrieving.get import GetJob
from orthanc_lab.jobs.kinds.retrieving.move import MoveJob
from orthanc_lab.jobs.kinds.retrieving.retrieve_job import RetrieveJob, RetrieveQuery, RetrieveRequest
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.bodies import boolean_field, job_fields, read_object, read_parsed_body
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.network.modality_bodies import text_field, timeout_field
from orthanc_lab.rest.network.queries import check_number, position_of, query_of
from orthanc_lab.rest.network.query_request import resource_tags
from orthanc_lab.rest.network.remote_find import RemoteFind
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_MISSING = "Must provide a JSON body containing fields Resources and Level"
_JOBS: dict[str, type[RetrieveJob]] = {"C-MOVE": MoveJob, "C-GET": GetJob}
_INT32 = range(-(2**31), 2**31)


class _RetrieveFromModality:
    """Retrieving resources that the client names."""

    kind: type[RetrieveJob]

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Make a job of it."""
        fields = read_object(req, details=_MISSING)
        level_name, resources = fields.get("Level"), fields.get("Resources")
        if not isinstance(level_name, str) or not isinstance(resources, list):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, _MISSING)
        level = Level.parse(level_name)
        services = self._services
        job = job_fields(fields)
        request = RetrieveRequest(
            modality=services.modalities.get(name),
            queries=[RetrieveQuery(level, resource_tags(resource, services.dictionary)) for resource in resources],
            local_aet=text_field(fields, "LocalAet", services.dicom.aet),
            target_aet=self._target(fields),
            timeout=timeout_field(fields),
            permissive=job.permissive,
        )
        submit_job(req, resp, services, job, self.kind(services.job_tools, request))

    def _target(self, fields: dict[str, Any]) -> str:
        """Return to whom the node sends."""
        return ""


class ModalityMove(_RetrieveFromModality):
    """Having a node send resources to another one, or to us."""

    kind = MoveJob

    def _target(self, fields: dict[str, Any]) -> str:
        return text_field(fields, "TargetAet", self._services.dicom.aet)


class ModalityGet(_RetrieveFromModality):
    """Having a node send resources to us, over our association."""

    kind = GetJob


class _RetrieveAnswers:
    def __init__(self, services: Services) -> None:
        self._services = services
        self._find = RemoteFind(services)

    def _retrieve(
        self, req: falcon.Request, resp: falcon.Response, query: RemoteQuery, answers: Sequence[FindAnswer]
    ) -> None:
        services = self._services
        fields = _read_fields(read_parsed_body(req))
        job = job_fields(fields)
        request = RetrieveRequest(
            modality=query.modality,
            queries=[self._of_answer(answer, query.level) for answer in answers],
            local_aet=query.local_aet,
            target_aet=text_field(fields, "TargetAet", services.dicom.aet),
            timeout=_timeout(fields, query.timeout),
            form=_form(fields),
            permissive=job.permissive,
        )
        kind = _JOBS[self._method(query.modality, fields)]
        submit_job(req, resp, services, job, kind(services.job_tools, request))

    def _of_answer(self, answer: FindAnswer, asked: Level) -> RetrieveQuery:
        """Return what retrieves an answer, at the level that it names itself."""
        texts = self._find.texts(answer, asked)
        return RetrieveQuery(level_named(texts[QUERY_RETRIEVE_LEVEL]) or asked, retrieved(texts))

    def _method(self, modality: Modality, fields: dict[str, Any]) -> str:
        """Return how to retrieve: as the request says, or the modality, or the option."""
        method = modality.retrieve_method
        if "RetrieveMethod" in fields:
            method = fields["RetrieveMethod"]
            if not isinstance(method, str):
                raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "String value expected in field: RetrieveMethod")
            check_retrieve_method(method)
        if method == "SystemDefault":
            method = self._services.dicom.retrieve_method
        return method if method in _JOBS else "C-MOVE"


class QueryRetrieve(_RetrieveAnswers):
    """Retrieving all answers to a query."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str) -> None:
        """Make a job of it."""
        query = query_of(self._services, id)
        self._retrieve(req, resp, query, query.answers)


class QueryAnswerRetrieve(_RetrieveAnswers):
    """Retrieving one answer."""

    def on_post(self, req: falcon.Request, resp: falcon.Response, id: str, index: str) -> None:
        """Make a job of it."""
        check_number(index)  # before the query is looked for
        query = query_of(self._services, id)
        self._retrieve(req, resp, query, [query.answers[position_of(query, index)]])


def _read_fields(body: bytes) -> dict[str, Any]:
    """Read a body: a title as text, nothing, or an object.

    Raises
    ------
    OrthancError
        15 or -1 for other JSON.
    """
    if not body:
        return {}
    try:
        value = lenient_json.loads(body)
    except OrthancError as error:
        if error.code != ErrorCode.BAD_JSON:
            raise
        return {"TargetAet": body.decode("utf-8", "replace")}
    if value is None:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    if not isinstance(value, dict):
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    return value


def _timeout(fields: dict[str, Any], default: int | None) -> int | None:
    timeout = fields.get("Timeout", default)
    if timeout is not None and (type(timeout) is not int or timeout not in _INT32):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    return default if timeout is None or timeout < 0 else timeout


def _form(fields: dict[str, Any]) -> TagFormat:
    simplify, full = boolean_field(fields, "Simplify", False), boolean_field(fields, "Full", False)
    if simplify:
        return TagFormat.NAMES
    return TagFormat.FULL if full else TagFormat.SHORT


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities/{name}/get", ModalityGet),
    ("/modalities/{name}/move", ModalityMove),
    ("/queries/{id}/answers/{index}/retrieve", QueryAnswerRetrieve),
    ("/queries/{id}/retrieve", QueryRetrieve),
)
