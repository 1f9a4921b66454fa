"""The routes of extensions: those that submit their jobs, and those that they answer themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

from orthanc_lab.extensions.failures import noted
from orthanc_lab.extensions.host import ExtensionHost
from orthanc_lab.extensions.job import Job
from orthanc_lab.extensions.json_values import json_copy
from orthanc_lab.extensions.messages import Answer, Request
from orthanc_lab.extensions.routes import Route
from orthanc_lab.protocol.errors import ErrorCode, OrthancError, http_status_text
from orthanc_lab.rest.foreign_pages import FOREIGN_PAGE, ForeignPages
from orthanc_lab.rest.http.answers import answer_json, answer_text
from orthanc_lab.rest.http.bodies import job_fields, read_json, read_parsed_body
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["routes_of"]

_NO_OBJECT = "The body must be a JSON object"
_OF_THE_SERVER = frozenset({"Synchronous", "Asynchronous", "Priority"})

Responder = Callable[..., None]


class ExtensionResource:
    """What answers the verbs of one path."""

    def __init__(self) -> None:
        self.writes: tuple[str, ...] = ()

    def take(self, method: str, respond: Responder, *, writes: bool) -> None:
        """Answer a verb by `respond`."""
        setattr(self, f"on_{method.lower()}", respond)
        if writes:
            self.writes += (method,)


def routes_of(host: ExtensionHost, services: Services) -> Iterable[tuple[str, Callable[[Services], ExtensionResource]]]:
    """Return the routes of all extensions, for the table of the application."""
    resources: dict[str, ExtensionResource] = {}
    for extension in host.extensions:
        for kind in extension.jobs:
            resource = resources.setdefault(kind.route, ExtensionResource())
            resource.take("POST", _submission(host, services, kind), writes=kind.writes)
        for route in extension.routes:
            resource = resources.setdefault(route.path, ExtensionResource())
            respond = _responder(host, route)
            if route.method == "GET" and route.changes_data:
                respond = _kept_from_pages(respond, services)
            resource.take(route.method, respond, writes=route.changes_data)
    return [(path, partial(_made, resource)) for path, resource in resources.items()]


def _made(resource: ExtensionResource, services: Services) -> ExtensionResource:
    return resource


def _submission(host: ExtensionHost, services: Services, kind: type[Job]) -> Responder:
    def respond(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        body = read_json(req, details=_NO_OBJECT, optional=True)
        if not isinstance(body, dict):
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, _NO_OBJECT)
        asked = job_fields(body, permissive=False)
        given = {name: value for name, value in body.items() if name not in _OF_THE_SERVER}
        submit_job(req, resp, services, asked, host.new_job(kind, {**given, **fields}))

    return respond


def _responder(host: ExtensionHost, route: Route) -> Responder:
    def respond(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        request = Request(
            method=req.method,
            uri=req.path,
            fields=fields,
            arguments=dict(parse_qsl(req.query_string, keep_blank_values=True)),
            headers={name.lower(): value for name, value in req.headers.items()},
            body=read_parsed_body(req),
            username=req.context.username,
            orthanc=host.orthanc,
        )
        try:
            answer = route.handler(request, **fields)
        except OrthancError:
            raise
        except (Exception, GeneratorExit, SystemExit) as error:
            raise noted(error, f"The route {route.method} {route.path} has failed") from error
        _send(req, resp, answer, f"The answer of {route.method} {route.path}")

    return respond


def _kept_from_pages(respond: Responder, services: Services) -> Responder:
    """Return what refuses the pages of other sites, as the guard does it for the verbs that write by their nature."""
    pages = ForeignPages(services.settings["HttpAllowedOrigins"])

    def guarded(req: falcon.Request, resp: falcon.Response, **fields: str) -> None:
        if not pages.may_write(req.env):
            raise OrthancError(ErrorCode.FORBIDDEN_ACCESS, FOREIGN_PAGE)
        respond(req, resp, **fields)

    return guarded


def _send(req: falcon.Request, resp: falcon.Response, answer: Any, what: str) -> None:
    if isinstance(answer, Answer):
        resp.status = f"{answer.status} {http_status_text(answer.status)}"
        resp.set_headers(dict(answer.headers))
        resp.content_type = answer.content_type
        resp.data = _encoded(answer.body) if isinstance(answer.body, str) else answer.body
    elif isinstance(answer, (bytes, bytearray, memoryview)):
        resp.content_type = "application/octet-stream"
        resp.data = bytes(answer)
    elif answer is None or isinstance(answer, str):
        answer_text(resp, _encoded(answer or ""))
    else:
        answer_json(req, resp, json_copy(answer, what))


def _encoded(text: str) -> bytes:
    return text.encode("utf-8", "replace")
