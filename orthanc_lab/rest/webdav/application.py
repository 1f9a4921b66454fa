"""The WSGI application below ``/webdav`` (RFC 4918): what Orthanc's does, and no more."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import cached_property
from http import HTTPStatus
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.resources.presentation import presentation_of
from orthanc_lab.rest.services import Services
from orthanc_lab.rest.webdav.documents import http_date, lock, multistatus, nothing_changed
from orthanc_lab.rest.webdav.nodes import File, Folder, Node, find
from orthanc_lab.rest.webdav.tree import Tree
from orthanc_lab.rest.webdav.uploads import Uploads

__all__ = ["WebDav"]

_ROOT = "webdav"
_UPLOADS = "uploads"
_ALLOWED = "GET, PUT, DELETE, OPTIONS, PROPFIND, HEAD, LOCK, UNLOCK, PROPPATCH, MKCOL"
_XML = ("Content-Type", "application/xml; charset=UTF-8")
_PLAIN_XML = ("Content-Type", "application/xml")

_Answer = tuple[int, list[tuple[str, str]], bytes]


class WebDav:
    """Answers the requests below ``/webdav``.

    Parameters
    ----------
    describe
        Writes the body of an error, given the error, the verb and the path.
    """

    def __init__(self, services: Services, describe: Callable[[OrthancError, str, str], str]) -> None:
        settings = services.settings
        self._describe = describe if settings["HttpDescribeErrors"] else None
        self._services = services
        self._storage = services.storage
        self._clock = services.clock
        self._identifiers = services.identifiers
        self._report = services.control.report
        self._uploads = Uploads(services) if settings["WebDavUploadAllowed"] else None
        self._may_store = self._uploads is not None and not settings["ReadOnly"]
        self._may_delete = bool(settings["WebDavDeleteAllowed"]) and not settings["ReadOnly"]
        self._verbs: dict[str, Callable[[dict[str, Any], str, Sequence[str]], _Answer]] = {
            "OPTIONS": self._options,
            "PROPFIND": self._properties,
            "GET": self._get,
            "HEAD": self._get,
            "PUT": self._put,
            "DELETE": self._delete,
            "MKCOL": self._make_folder,
            "LOCK": self._lock,
            "UNLOCK": lambda env, path, parts: _status(204),
            "PROPPATCH": lambda env, path, parts: (207, [_PLAIN_XML], nothing_changed(path).encode()),
        }

    @cached_property
    def _tree(self) -> Tree:
        # Made for the first request: most servers never get one.
        return Tree(self._storage, presentation_of(self._services).json)

    def serves(self, env: dict[str, Any]) -> bool:
        """Tell whether a request is one for WebDAV."""
        path: str = env["PATH_INFO"]
        return (path == "/webdav" or path.startswith("/webdav/")) and env["REQUEST_METHOD"] in self._verbs

    def __call__(self, env: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer one request (PEP 3333)."""
        verb = env["REQUEST_METHOD"]
        path = env["PATH_INFO"].encode("latin-1", "replace").decode("utf-8", "replace")
        try:
            status, headers, body = self._verbs[verb](env, path, [part for part in path.split("/") if part][1:])
        except OrthancError as error:
            status, headers, body = self._failure(error, verb, path)
        except Exception as error:
            self._report(error)
            status, headers, body = self._failure(OrthancError(ErrorCode.INTERNAL_ERROR), verb, path)
        headers = [*headers, ("Content-Length", str(len(body))), ("X-Content-Type-Options", "nosniff")]
        start_response(f"{status} {HTTPStatus(status).phrase}", headers)
        return [b"" if verb == "HEAD" else body]

    def _failure(self, error: OrthancError, verb: str, path: str) -> _Answer:
        if self._describe is None:
            return error.status, [], b""
        shown = verb if verb in ("GET", "PUT", "DELETE") else "GET"
        return error.status, [("Content-Type", "text/plain")], self._describe(error, shown, path).encode("ascii")

    # -- reading ----------------------------------------------------------------------

    def _root(self) -> Folder:
        views = self._tree.views()
        uploads = [] if self._uploads is None else [self._uploads.folder()]
        return Folder(_ROOT, lambda: [*views, *uploads])

    def _options(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        return _status(404) if parts else _status(200, ("DAV", "1,2"), ("Allow", _ALLOWED))

    def _properties(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        is_deep = _depth(env.get("HTTP_DEPTH"))
        root = self._root()
        node = find(root, parts)
        if node is None:
            return _status(404)
        base = "/" + "/".join((_ROOT, *parts))
        shown: list[tuple[str, Node]] = [(f"{base}/", node)]
        if isinstance(node, File):  # with its folder, as in Orthanc
            folder = find(root, parts[:-1])
            assert folder is not None
            shown = [(f"{base.rpartition('/')[0]}/", folder), (base, node)]
        elif is_deep:
            shown += [(f"{base}/{entry.name}", entry) for entry in node.entries()]
        return 207, [_XML], multistatus(shown, self._clock.now()).encode()

    def _get(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        node = find(self._root(), parts)
        if not isinstance(node, File):
            return _status(404)
        modified = http_date(node.modified, self._clock.now())
        return 200, [("Content-Type", node.media_type), ("Last-Modified", modified)], node.read()

    # -- writing ----------------------------------------------------------------------

    def _put(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        if not self._may_store or self._uploads is None or parts[:1] != [_UPLOADS]:
            return _status(403)
        if len(parts) == 1:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        return _status(201 if self._uploads.store(parts[1:], _body(env)) else 403)

    def _make_folder(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        if not self._may_store or self._uploads is None or parts[:1] != [_UPLOADS]:
            return _status(403)
        if len(parts) == 1:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        return _status(201 if self._uploads.make_folder(parts[1:]) else 403)

    def _delete(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        if parts[:1] == [_UPLOADS]:
            return _status(204 if self._uploads is not None and self._uploads.remove_folder(parts[1:]) else 403)
        if not self._may_delete or len(parts) < 2:
            return _status(403)
        node = find(self._root(), parts)
        if isinstance(node, Folder) and node.resources is not None:
            self._storage.delete_all(list(node.resources()))
        elif isinstance(node, File):
            self._storage.delete_all(list(node.resources))
        return _status(204)

    def _lock(self, env: dict[str, Any], path: str, parts: Sequence[str]) -> _Answer:
        token = f"opaquelocktoken:0x{self._identifiers.uuid().replace('-', '')}"
        return 201, [_PLAIN_XML, ("Lock-Token", token)], lock(path, token).encode()


def _status(status: int, *headers: tuple[str, str]) -> _Answer:
    return status, list(headers), b""


def _depth(text: str | None) -> bool:
    """Return whether a header ``Depth`` asks for what is in a folder.

    Raises
    ------
    OrthancError
        9 for one that is absent or neither 0 nor 1, 5 for one that is no number.
    """
    if text is None:
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "WebDAV PROPFIND without depth")
    if text in ("0", "1"):
        return text == "1"
    if not text.isdecimal() or not text.isascii():
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE, "Syntax error in some user-supplied data")
    details = f"WebDAV PROPFIND at unsupported depth (can only be 0 or 1): {text[:10]}"
    raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)


def _body(env: dict[str, Any]) -> bytes:
    length = env.get("CONTENT_LENGTH")
    content: bytes = env["wsgi.input"].read(int(length)) if length else env["wsgi.input"].read()
    return content
