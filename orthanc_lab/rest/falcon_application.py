"""Falcon around the resources: its requests and answers, the forms of errors."""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any
from wsgiref.types import WSGIApplication

import falcon

from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError, http_status_text
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.rest.compression import CompressedAnswers
from orthanc_lab.rest.form_posts import FAILED
from orthanc_lab.rest.http.answers import EmptyAnswer
from orthanc_lab.rest.http.error_document import error_document
from orthanc_lab.rest.routing import Responders, Router
from orthanc_lab.rest.services import Services

__all__ = ["make_falcon_application"]

_SOON = "1"  # seconds, for what is probably transient


def make_falcon_application(table: Mapping[str, Responders], services: Services) -> WSGIApplication:
    """Return the application that asks the resources.

    Parameters
    ----------
    table
        The methods that answer, by template and verb.
    """
    router: Any = Router(table)  # Falcon only asks for its `find`
    app: falcon.App[falcon.Request, falcon.Response] = falcon.App(middleware=_middleware(services), router=router)
    app.resp_options.default_media_type = None  # type: ignore[assignment] # an empty answer has no type
    app.req_options.keep_blank_qs_values = True
    errors = ErrorAnswers(services)
    app.add_error_handler(Exception, errors.unexpected)
    app.add_error_handler(falcon.HTTPError, errors.of_falcon)
    app.add_error_handler(OrthancError, errors.of_orthanc)
    app.add_error_handler(EmptyAnswer, errors.empty)
    return app


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
        req.env[FAILED] = True
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
        """Answer what Falcon itself refuses: an unknown path, a malformed header."""
        if error.status_code == 404:
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
