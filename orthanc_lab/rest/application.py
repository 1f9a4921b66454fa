"""The application: every route in one table, the forms of errors, the request guard in front."""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterable, Sequence
from typing import Any
from wsgiref.types import WSGIApplication

import falcon

from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError, http_status_text
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.rest import explorer
from orthanc_lab.rest.compression import CompressedAnswers
from orthanc_lab.rest.http.answers import EmptyAnswer
from orthanc_lab.rest.http.error_document import error_document
from orthanc_lab.rest.http.plain_answers import PlainAnswers
from orthanc_lab.rest.instances import content, files, frames, instances_tags, modules, ordered_slices, tags
from orthanc_lab.rest.jobs import cluster, events, jobs, peers
from orthanc_lab.rest.making import archives, create, modification, move_storage, study_changes
from orthanc_lab.rest.network import commitment, modalities, modality_store, queries, retrieve, worklist
from orthanc_lab.rest.network import find as find_of_modalities
from orthanc_lab.rest.request_guard import RequestGuard
from orthanc_lab.rest.resources import (
    attachments,
    browse,
    bulk,
    changes,
    find,
    labels,
    metadata,
    protection,
    reconstruction,
    statistics,
)
from orthanc_lab.rest.routing import Router, responders
from orthanc_lab.rest.server import control, dicom_options, log_levels, metrics, system, tools
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.transfers import receiving, sending, source
from orthanc_lab.rest.webdav.application import WebDav

__all__ = ["ROUTES", "Route", "make_application"]

_SOON = "1"  # seconds, for what is probably transient

Route = tuple[str, Callable[[Services], Any]]

ROUTES: Sequence[Route] = (
    # what is stored
    *browse.ROUTES,
    *tags.ROUTES,
    *content.ROUTES,
    *files.ROUTES,
    *frames.ROUTES,
    *modules.ROUTES,
    *instances_tags.ROUTES,
    *ordered_slices.ROUTES,
    *statistics.ROUTES,
    *protection.ROUTES,
    *metadata.ROUTES,
    *attachments.ROUTES,
    *labels.ROUTES,
    *find.ROUTES,
    *bulk.ROUTES,
    *changes.ROUTES,
    *reconstruction.ROUTES,
    # what is made
    *create.ROUTES,
    *modification.ROUTES,
    *study_changes.ROUTES,
    *archives.ROUTES,
    *move_storage.ROUTES,
    *jobs.ROUTES,
    *events.ROUTES,
    *cluster.ROUTES,
    *peers.ROUTES,
    # transfers
    *source.ROUTES,
    *receiving.ROUTES,
    *sending.ROUTES,
    # other DICOM nodes
    *modalities.ROUTES,
    *commitment.ROUTES,
    *modality_store.ROUTES,
    *worklist.ROUTES,
    *queries.ROUTES,
    *retrieve.ROUTES,
    *find_of_modalities.ROUTES,
    # the server itself
    *system.ROUTES,
    *tools.ROUTES,
    *control.ROUTES,
    *log_levels.ROUTES,
    *dicom_options.ROUTES,
    *metrics.ROUTES,
    *explorer.ROUTES,
)
"""The table of contents: each URI template with the maker of its resource."""


def make_application(services: Services, routes: Iterable[Route] = ROUTES) -> WSGIApplication:
    """Return the WSGI application that serves Orthanc's REST API.

    Parameters
    ----------
    services
        The parts below, as the assembly put them together.
    routes
        The table of routes.
    """
    if not services.settings["OrthancExplorerEnabled"]:
        routes = [route for route in routes if route not in explorer.ROUTES]
    if services.extensions is not None:
        from orthanc_lab.rest.extensions import routes_of  # noqa: PLC0415 - most servers have no extensions

        routes = [*routes, *routes_of(services.extensions, services)]
    table = responders(routes, services)
    router: Any = Router(table)  # Falcon only asks for its `find`
    app: falcon.App[falcon.Request, falcon.Response] = falcon.App(middleware=_middleware(services), router=router)
    app.resp_options.default_media_type = None  # type: ignore[assignment] # an empty answer has no type
    app.req_options.keep_blank_qs_values = True
    errors = ErrorAnswers(services)
    app.add_error_handler(Exception, errors.unexpected)
    app.add_error_handler(falcon.HTTPError, errors.of_falcon)
    app.add_error_handler(OrthancError, errors.of_orthanc)
    app.add_error_handler(EmptyAnswer, errors.empty)
    if services.extensions is not None:
        services.extensions.connect(app)
    webdav = WebDav(services, error_document) if services.settings["WebDavEnabled"] else None
    plain = PlainAnswers({} if services.settings["HttpCompressionEnabled"] else table)
    return RequestGuard(app, services, plain, webdav)


def _middleware(services: Services) -> list[Any]:
    context = Context(services.memory)
    return [context, CompressedAnswers()] if services.settings["HttpCompressionEnabled"] else [context]


class Context:
    """Middleware: ``req.context`` has the name of the authenticated user, or "", and the budget of memory."""

    def __init__(self, memory: MemoryBudget) -> None:
        self._memory = memory

    def process_request(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Take the name from the request guard."""
        req.context.username = req.env.get("orthanc.username", "")
        req.context.memory = self._memory


class ErrorAnswers:
    """How each kind of failure is answered."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._describe = bool(services.settings["HttpDescribeErrors"])

    def of_orthanc(self, req: falcon.Request, resp: falcon.Response, error: OrthancError, params: Any) -> None:
        """Answer with the JSON error object (``text/plain``, indented by tabs)."""
        _forget_body(resp)
        if _lacks_files(error):
            error = OrthancError(error.code, error.details, status=503)
        resp.status = f"{error.status} {http_status_text(error.status)}"
        if error.code == ErrorCode.DATABASE_UNAVAILABLE:
            resp.set_header("Retry-After", _SOON)
        if self._describe:
            resp.content_type = "text/plain"
            resp.data = error_document(error, req.method, req.env.get("orthanc.uri") or req.path).encode("ascii")

    def empty(self, req: falcon.Request, resp: falcon.Response, error: EmptyAnswer, params: Any) -> None:
        """Answer with a status alone."""
        _forget_body(resp)
        resp.status = f"{error.status} {http_status_text(error.status)}"
        resp.set_headers(error.headers)

    def of_falcon(self, req: falcon.Request, resp: falcon.Response, error: falcon.HTTPError, params: Any) -> None:
        """Answer what Falcon itself refuses: an unknown path, another verb, a malformed header."""
        if isinstance(error, falcon.HTTPMethodNotAllowed):
            allowed = (error.headers or {}).get("Allow", "")  # type: ignore[union-attr] # Falcon passes a dict
            self.empty(req, resp, EmptyAnswer(405, {"Allow": allow_header(allowed.split(", "))}), params)
        elif error.status_code == 404:
            self.of_orthanc(req, resp, OrthancError(ErrorCode.UNKNOWN_RESOURCE), params)
        else:
            self.of_orthanc(req, resp, OrthancError(ErrorCode.BAD_REQUEST, error.description or ""), params)

    def unexpected(self, req: falcon.Request, resp: falcon.Response, error: Exception, params: Any) -> None:
        """Answer with code -1, and report the error to the server's control."""
        if _lacks_files(error):  # no fault of the server, and soon over
            self.of_orthanc(req, resp, OrthancError(ErrorCode.INTERNAL_ERROR, str(error), status=503), params)
            return
        self._services.control.report(error)
        self.of_orthanc(req, resp, OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED), params)


def allow_header(methods: Iterable[str]) -> str:
    """Return the verbs of a path as Orthanc lists them: ``GET,POST,PUT,DELETE``."""
    present = set(methods)
    return ",".join(method for method in ("GET", "POST", "PUT", "DELETE") if method in present)


def _lacks_files(error: BaseException | None) -> bool:
    """Whether an error is there because all file descriptors are in use."""
    looked_at = set()
    while error is not None and id(error) not in looked_at:  # an extension may raise an error that is its own cause
        if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
            return True
        looked_at.add(id(error))
        error = error.__cause__
    return False


def _forget_body(resp: falcon.Response) -> None:
    # What a resource had prepared before it failed must not reach the client; Orthanc leaves the ETag there.
    for name in list(resp.headers):
        if name != "etag":
            resp.delete_header(name)
    resp.text = resp.data = resp.stream = None
