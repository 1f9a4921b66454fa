"""The guard in front of the application: access, verbs and paths, metrics of requests."""

from __future__ import annotations

import base64
import binascii
import hmac
import ipaddress
import logging
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any
from wsgiref.types import WSGIApplication

from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError, http_status_text
from orthanc_lab.protocol.paths import one_form
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.rest.foreign_pages import FOREIGN_PAGE, ForeignPages
from orthanc_lab.rest.form_posts import form_boundary, post_parts
from orthanc_lab.rest.http.error_document import error_document
from orthanc_lab.rest.http.plain_answers import PlainAnswer, PlainAnswers
from orthanc_lab.rest.making.plain_upload import failing_body
from orthanc_lab.rest.on_demand import ApplicationOnDemand
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.webdav.application import WebDav

__all__ = ["RequestGuard"]

_log = logging.getLogger("orthanc_lab.http")
_SERVED = frozenset({"GET", "POST", "PUT", "DELETE"})
_NOT_FOUND = frozenset({"HEAD", "OPTIONS", "PROPFIND", "PROPPATCH", "MKCOL", "LOCK", "UNLOCK"})
_REFUSED = frozenset({"PATCH", "CONNECT", "COPY", "MOVE", "REPORT"})
_NOSNIFF = ("X-Content-Type-Options", "nosniff")
_UNUSUAL = re.compile(r"//|\.(?:/|$)|[\\\0]")
_BASE64 = re.compile(r"[A-Za-z0-9+/=]*")
_FOREIGN_NAME = "Host is not a name of this machine; HttpAllowedOrigins can allow an origin with this name"
_MOST_KNOWN = 64
_LONGEST_HOST = 256
_DATE = "%a, %d %b %Y %H:%M:%S GMT"
_OK = "200 OK"
_UNUSUAL_HEADERS = frozenset({"HTTP_CONTENT_ENCODING", "HTTP_X_HTTP_METHOD_OVERRIDE"})
_BAD_REQUEST = b"Error 400: Bad Request\nBad request"


_TurnedAway = tuple[int, tuple[tuple[str, str], ...]]
"""Status and headers of an answer without a body."""
_REMOTE: _TurnedAway = (403, ())
_NO_USER: _TurnedAway = (401, (("WWW-Authenticate", 'Basic realm="Orthanc Secure Area"'),))

_Answered = tuple[str, list[tuple[str, str]], bytes]
"""Status, headers and body of an answer."""


class RequestGuard:
    """A WSGI application around another one.

    It refuses remote clients, wrong credentials and web pages of others, answers the verbs that Orthanc does not
    serve, normalizes paths, and records the metrics of requests.

    Parameters
    ----------
    plain
        Answers some requests without the application.
    webdav
        Answers the requests below ``/webdav``; None if they are not served.
    """

    def __init__(
        self, app: ApplicationOnDemand, services: Services, plain: PlainAnswers, webdav: WebDav | None = None
    ) -> None:
        settings = services.settings
        self._app = app
        self._plain = plain
        self._webdav = webdav
        self._metrics = RequestMetrics(services.metrics)
        self._report = services.control.report
        self._has_page = bool(settings["OrthancExplorerEnabled"])
        self._remote_allowed = bool(settings["RemoteAccessAllowed"])
        self._describe = bool(settings["HttpDescribeErrors"])
        self._pages = ForeignPages(settings["HttpAllowedOrigins"])
        self._known_hosts: set[str | None] = set()  # values of Host that were found right
        self._auth = BasicAuth(settings["RegisteredUsers"]) if settings["AuthenticationEnabled"] else None

    def __call__(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        began = self._metrics.begin()
        try:
            body = self._answer(env, start_response)
        except BaseException:
            self._metrics.end(began)
            raise
        if type(body) is list:
            self._metrics.end(began)
            return body
        return _Measured(body, self._metrics, began, self._report)

    def make_ready(self) -> None:
        """Make what the first requests do without."""
        self._app.make()

    def answers_together(self, env: Mapping[str, str]) -> bool:
        """Tell whether `answer_together` is worth being asked for requests like this one."""
        return (
            env["PATH_INFO"] in self._plain.together
            and env["REQUEST_METHOD"] == "POST"
            and not env["QUERY_STRING"]
            and env.keys().isdisjoint(_UNUSUAL_HEADERS)
            and not _log.isEnabledFor(logging.INFO)
        )

    def answer_together(
        self, requests: Sequence[tuple[dict[str, Any], bytes]]
    ) -> list[_Answered | WSGIApplication | None]:
        """Answer requests that came at the same time.

        Parameters
        ----------
        requests
            Each with its body, whose length is the one that was stated.

        Returns
        -------
        list
            For each request its answer: status, headers and body; where it has failed, the application that answers
            it; None if it is to be answered as usual, of which nothing has happened yet.
        """
        path = requests[0][0]["PATH_INFO"]
        began = self._metrics.begin(len(requests))
        try:
            # Who is not let in is told so where all are.
            known = [
                env["PATH_INFO"] == path and self._turn_away(env) is None and self._refusal(env, "POST") is None
                for env, _ in requests
            ]
            taken = [request for request, is_known in zip(requests, known, strict=True) if is_known]
            outcomes = iter(self._plain.together[path](taken) if taken else ())
            return [self._outcome(next(outcomes)) if is_known else None for is_known in known]
        finally:
            self._metrics.end(began, len(requests))

    def _outcome(self, found: PlainAnswer | BaseException | None) -> _Answered | WSGIApplication | None:
        if isinstance(found, PlainAnswer):
            return _OK, _headers_of(found), found.data
        return None if found is None else partial(self._fail, found)

    def _fail(self, error: BaseException, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request that has failed."""
        env["wsgi.input"].read()
        env["wsgi.input"] = failing_body(error)
        return self(env, start_response)

    def _answer(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        method = env["REQUEST_METHOD"]
        if _log.isEnabledFor(logging.INFO):
            _log.info("%s %s", method, env["PATH_INFO"])
        known = method in _SERVED
        if not known and method not in _NOT_FOUND and method not in _REFUSED:
            return _bad_request(start_response)
        turned_away = self._turn_away(env)
        if turned_away is not None:
            status, headers = turned_away
            return _empty(start_response, status, *headers)
        override = ""
        if "HTTP_X_HTTP_METHOD_OVERRIDE" in env or "_method=" in env["QUERY_STRING"]:
            override = _override(env)
        if override in ("DELETE", "PUT"):
            env["REQUEST_METHOD"] = method = override
        elif override or not (known or self._is_webdav(env)):
            return _empty(start_response, 404 if method in _NOT_FOUND else 400)
        path = env["PATH_INFO"]
        if _UNUSUAL.search(path):
            path = env["PATH_INFO"] = one_form(path)
        # Polls and lists are checked with these three looks alone.
        if method != "GET" or "HTTP_AUTHORIZATION" in env or env.get("HTTP_HOST") not in self._known_hosts:
            refused = self._refusal(env, method)
            if refused is not None:
                return self._refuse(start_response, refused, method, path)
        if method == "POST":
            boundary = form_boundary(env)
            if boundary is not None:
                return self._post_form(env, start_response, boundary)
        return self._pass_on(env, start_response)

    def _post_form(self, env: dict[str, Any], start_response: Callable[..., Any], boundary: str) -> Iterable[bytes]:
        """Post each part of a form by itself."""
        try:
            failed = post_parts(env, boundary, self._pass_on)
        except OrthancError as error:
            return self._refuse(start_response, error, "POST", env["PATH_INFO"])
        except Exception as error:
            self._report(error)
            unhandled = OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
            return self._refuse(start_response, unhandled, "POST", env["PATH_INFO"])
        if failed is None:
            return _empty(start_response, 200)
        start_response(failed.status, failed.headers)
        return [failed.body]

    def _pass_on(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer a request that was let in."""
        method, path = env["REQUEST_METHOD"], env["PATH_INFO"]
        found = self._plain.find(env, method, path)
        if found is not None:
            start_response(_OK, _headers_of(found))
            return [found.data]
        if path[:7] == "/webdav" and self._webdav is not None and self._is_webdav(env):
            return self._webdav(env, start_response)
        if path in ("/", "") and self._has_page:
            if method != "GET":
                return _empty(start_response, 405, ("Allow", "GET"))
            return _empty(start_response, 307, ("Location", "app/explorer.html"))
        if path[-1:] == "/" and path != "/":
            env["orthanc.uri"] = _shown(path)
            env["PATH_INFO"] = path[:-1]

        def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> Any:
            headers.append(_NOSNIFF)
            return start_response(status, headers)

        answer: Iterable[bytes] = self._app(env, start)
        return answer

    def _turn_away(self, env: dict[str, Any]) -> _TurnedAway | None:
        """Return what a client gets that is not let in; the name of one that is goes into `env`."""
        if not self._remote_allowed and not _is_loopback(env.get("REMOTE_ADDR", "127.0.0.1")):
            return _REMOTE
        if self._auth is not None:
            user = self._auth.user(env.get("HTTP_AUTHORIZATION", ""))
            if user is None:
                return _NO_USER
            env["orthanc.username"] = user
        return None

    def _refusal(self, env: dict[str, Any], method: str) -> OrthancError | None:
        """Return why a request is not passed on, although its user may do what it asks for."""
        if method != "GET" and not self._pages.may_write(env):
            return OrthancError(ErrorCode.FORBIDDEN_ACCESS, FOREIGN_PAGE)
        host = env.get("HTTP_HOST")
        is_known = host in self._known_hosts
        if self._auth is None:
            checked = is_known or self._remote_allowed or "orthanc.in_process" in env
            if not checked and not self._pages.is_our_name(env):
                return OrthancError(ErrorCode.FORBIDDEN_ACCESS, _FOREIGN_NAME)
            credentials = env.get("HTTP_AUTHORIZATION")
            if credentials is not None and not is_basic_token(credentials):
                return OrthancError(ErrorCode.BAD_FILE_FORMAT)
        if not is_known and len(self._known_hosts) < _MOST_KNOWN and len(host or "") <= _LONGEST_HOST:
            self._known_hosts.add(host)
        return None

    def _refuse(
        self, start_response: Callable[..., Any], error: OrthancError, method: str, path: str
    ) -> Iterable[bytes]:
        if not self._describe:
            return _empty(start_response, error.status)
        body = error_document(error, method, _shown(path)).encode("ascii")
        headers = [("Content-Type", "text/plain"), _NOSNIFF, ("Content-Length", str(len(body)))]
        start_response(f"{error.status} {http_status_text(error.status)}", headers)
        return [body]

    def _is_webdav(self, env: dict[str, Any]) -> bool:
        return self._webdav is not None and self._webdav.serves(env)


def _headers_of(answer: PlainAnswer) -> list[tuple[str, str]]:
    return [("content-type", answer.content_type), ("content-length", str(len(answer.data))), _NOSNIFF]


def _override(env: dict[str, Any]) -> str:
    """Return the verb that takes the place of the request's own one, in capital letters; empty for none.

    A GET may carry it in its query, as browsers' forms do.
    """
    header: str | None = env.get("HTTP_X_HTTP_METHOD_OVERRIDE")
    if header is None and "_method=" in env["QUERY_STRING"] and env["REQUEST_METHOD"] == "GET":
        for argument in env["QUERY_STRING"].split("&"):
            name, _, value = argument.partition("=")
            if name == "_method":
                header = value
                break
    return (header or "").upper()


def is_basic_token(credentials: str) -> bool:
    """Whether ``Authorization`` is base64 after ``Basic``, or anything else: all that Orthanc checks without users."""
    return not credentials.startswith("Basic ") or _BASE64.fullmatch(credentials, len("Basic ")) is not None


class BasicAuth:
    """The registered users, behind HTTP Basic authentication (RFC 7617, UTF-8)."""

    def __init__(self, users: dict[str, str]) -> None:
        self._passwords = {name.encode(): password.encode() for name, password in users.items()}

    def user(self, header: str) -> str | None:
        """Return the user whose credentials an ``Authorization`` header carries, None if they are wrong."""
        scheme, _, token = header.partition(" ")
        if scheme != "Basic":
            return None
        try:
            name, colon, password = base64.b64decode(token, validate=True).partition(b":")
        except (binascii.Error, ValueError):
            return None
        expected = self._passwords.get(name)
        # An unknown name costs the same comparison as a known one.
        right = hmac.compare_digest(password, expected if expected is not None else b"\0" * 8)
        return name.decode("utf-8", "replace") if right and colon and expected is not None else None


class RequestMetrics:
    """The number of requests in progress, and the time of the slowest one."""

    def __init__(self, board: PublishedMetrics) -> None:
        self._board = board
        self._lock = threading.Lock()
        self._active = 0

    def begin(self, count: int = 1) -> float:
        """Count requests that begin; return the time on the monotonic clock."""
        with self._lock:
            self._active = active = self._active + count
        self._board.record("orthanc_rest_api_active_requests", active)
        return time.monotonic()

    def end(self, began: float, count: int = 1) -> None:
        """Count requests that have ended, and record their duration in whole milliseconds."""
        with self._lock:
            self._active -= count
        self._board.record("orthanc_rest_api_duration_ms", int((time.monotonic() - began) * 1000))


class _Measured:
    """A streamed body; the request ends when the body does, and an error in it is reported."""

    def __init__(
        self,
        body: Iterable[bytes],
        metrics: RequestMetrics,
        began: float,
        report: Callable[[BaseException], None],
    ) -> None:
        self._body = body
        self._metrics: RequestMetrics | None = metrics
        self._began = began
        self._report = report

    @property
    def descriptor(self) -> int | None:
        """The file that the body is, if it is one."""
        return getattr(self._body, "descriptor", None)

    def __iter__(self) -> Iterator[bytes]:
        try:
            yield from self._body
        except OrthancError:
            raise  # the failed job reports it; the server cuts the connection
        except Exception as error:
            self._report(error)
            raise

    def close(self) -> None:
        """End the request, however the stream ended."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            metrics, self._metrics = self._metrics, None
            if metrics is not None:
                metrics.end(self._began)


def _is_loopback(address: str) -> bool:
    if address == "127.0.0.1":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False


def _shown(path: str) -> str:
    """Return a path as a text: WSGI has its bytes as Latin-1 (PEP 3333)."""
    return path if path.isascii() else path.encode("latin-1").decode("utf-8", "replace")


def _empty(start_response: Callable[..., Any], status: int, *headers: tuple[str, str]) -> list[bytes]:
    start_response(f"{status} {http_status_text(status)}", [*headers, _NOSNIFF, ("Content-Length", "0")])
    return []


def _bad_request(start_response: Callable[..., Any]) -> list[bytes]:
    headers = [
        ("Content-Type", "text/plain; charset=utf-8"),
        ("Content-Length", str(len(_BAD_REQUEST))),
        ("Cache-Control", "no-cache, no-store, must-revalidate, private, max-age=0"),
        ("Pragma", "no-cache"),
        ("Expires", "0"),
        ("Date", time.strftime(_DATE, time.gmtime())),  # Orthanc sends it with this answer alone
        ("Connection", "close"),
    ]
    start_response("400 Bad Request", headers)
    return [_BAD_REQUEST]
