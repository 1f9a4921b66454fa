"""What is never written down: passwords, tokens, cookies.

Headers are recorded by name, those of the list below and no other. In addresses and JSON documents, the values that
the names of their fields mark as credentials are replaced, wherever they come.
"""

from __future__ import annotations

import json
import re
import zlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote, unquote_plus

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.paths import one_form
from orthanc_lab.testing.recordings.exchange import Headers

__all__ = [
    "LONGEST",
    "REMOVED",
    "answer_headers",
    "body_without_credentials",
    "may_hold_credentials",
    "request_headers",
    "target_without_credentials",
]

LONGEST = 64 << 20
"""Bytes of a document up to which it is searched for credentials; longer ones are not recorded."""

_NESTED = "\ue000"
"""Marks the name of a field whose value is an object or a list; a letter that no text has (private use)."""

_FORM = "application/x-www-form-urlencoded"

_WINDOWS = {"gzip": (zlib.MAX_WBITS + 16,), "deflate": (zlib.MAX_WBITS, -zlib.MAX_WBITS)}
"""What follows from ``Content-Encoding``; some send deflate without its head."""

REMOVED = "(removed)"
"""Stands in the place of a credential."""

_REQUEST_HEADERS = frozenset(
    {"accept", "accept-encoding", "accept-language", "content-encoding", "content-type", "depth", "destination"}
    | {"if-match", "if-modified-since", "if-none-match", "if-unmodified-since", "overwrite", "range", "user-agent"}
    | {"content-md5", "content-range", "expect", "prefer"}
)
_ANSWER_HEADERS = frozenset(
    {"accept-ranges", "allow", "cache-control", "content-disposition", "content-encoding", "content-filename"}
    | {
        "content-language",
        "content-length",
        "content-location",
        "content-range",
        "content-type",
        "date",
        "dav",
        "etag",
        "expires",
    }
    | {"last-modified", "location", "retry-after", "server", "vary", "warning", "www-authenticate"}
    | {"access-control-allow-origin", "x-content-type-options", "x-orthanc-lab"}
)
_SECRET = r"pass(?:word|wd|phrase)|secret|token|api-?_?key|authorization|credential|cookie|session-?_?id"  # noqa: S105
_SECRET_NAME = re.compile(_SECRET, re.IGNORECASE)
_STRING = r'"(?:[^"\\]++|\\.)*+(?:"|\\?\Z)'  # one that does not end goes to the end of the text
_FIELD = re.compile(rf"({_STRING})(?:(\s*+:\s*+)({_STRING}|-?\d[\w.+-]*+|[\[{{]))?", re.DOTALL)
_USER = re.compile(r"(\b[a-zA-Z][a-zA-Z0-9+.-]{1,15}:(?:\\?/){2})[^\s/@\"'<>]{1,300}@")
_PEERS = re.compile(r"/(?:peers|jobs|transfers|system|tools/(?:reset|execute-script))(?:/|$)")
_PEER = re.compile(r"/peers/[^/]+/?")
_USER_WITHOUT_SCHEME = re.compile(r"[^/]*@")


def request_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers of a request that are recorded."""
    return _kept(headers, _REQUEST_HEADERS)


def answer_headers(headers: Iterable[tuple[str, str]]) -> Headers:
    """Return the headers of an answer that are recorded."""
    return _kept(headers, _ANSWER_HEADERS)


def _kept(headers: Iterable[tuple[str, str]], names: frozenset[str]) -> Headers:
    return tuple((name.lower(), _USER.sub(r"\1", value)) for name, value in headers if name.lower() in names)


def target_without_credentials(target: str) -> str:
    """Return path and query without the values of parameters that hold credentials.

    Examples
    --------
    >>> target_without_credentials("/instances?expand&api-token=abc")
    '/instances?expand&api-token=(removed)'
    """
    path, mark, query = target.partition("?")
    pairs = [_pair(part) for part in query.split("&")]
    return path + mark + "&".join(pairs)


def _pair(part: str) -> str:
    name, equals, _ = part.partition("=")
    return f"{name}={REMOVED}" if equals and _SECRET_NAME.search(unquote_plus(name)) else part


def body_without_credentials(target: str, body: bytes, headers: Headers = ()) -> bytes:
    """Return a JSON document or a form without the values of fields that hold credentials; another body as it is.

    Parameters
    ----------
    target
        Path and query of the request.
    headers
        Those that came with the body.

    Examples
    --------
    >>> body_without_credentials("/peers/a", b'{"Url": "http://a", "Password": "x"}')
    b'{"Url": "http://a", "Password": "(removed)"}'
    """
    fields = dict(headers)
    for window in () if _is_document(body) else _windows_of(fields):
        unpacked = _unpacked(body, window)
        if unpacked is not None:
            plain, is_all = unpacked
            is_searched = is_all or not _is_document(plain)
            clean = _without_credentials(target, plain, fields) if is_searched else REMOVED.encode()
            return body if clean == plain else _packed(clean, window)
    return _without_credentials(target, body, fields)


def may_hold_credentials(target: str, start: bytes, headers: Headers) -> bool:
    """Tell from its first bytes whether a body is one that `body_without_credentials` may change."""
    if _defines_a_peer(target):
        return True
    fields = dict(headers)
    return bool(_windows_of(fields)) or _is_document(start) or fields.get("content-type", "").startswith(_FORM)


def _defines_a_peer(target: str) -> bool:
    return _PEER.fullmatch(_path_of(target)) is not None


def _path_of(target: str) -> str:
    return one_form(unquote(target.partition("?")[0]))


def _peer_without_credentials(body: bytes) -> bytes:
    """Return the definition of a peer; servers take JSON here that is none for others, with comments, for example."""
    try:
        value = lenient_json.loads(body) if body else None
    except OrthancError:
        return REMOVED.encode()
    if isinstance(value, list) and value and isinstance(value[0], str):
        clean: Any = [_address(value[0]), *[REMOVED for _ in value[1:]]]
    elif isinstance(value, dict):
        given = {
            name: REMOVED if _SECRET_NAME.search(name) and item is not None else item for name, item in value.items()
        }
        clean = _clean({name: _address(item) if name in ("Url", "URL") else item for name, item in given.items()})
    else:
        return body
    return body if clean == value else json.dumps(clean).encode()


def _address(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    return _USER.sub(r"\1", value) if "://" in value else _USER_WITHOUT_SCHEME.sub("", value, count=1)


def _is_document(body: bytes) -> bool:
    return body[:64].lstrip()[:1] in (b"{", b"[")


def _windows_of(fields: Mapping[str, str]) -> Sequence[int]:
    """Return how a body may be compressed, as zlib calls it."""
    return _WINDOWS.get(fields.get("content-encoding", "").strip().lower(), ())


def _unpacked(body: bytes, window: int) -> tuple[bytes, bool] | None:
    """Return the beginning of what is compressed, and whether that is all; None if it cannot be read."""
    unpacker = zlib.decompressobj(window)
    try:
        plain = unpacker.decompress(body, LONGEST)
    except zlib.error:
        return None
    return plain, not unpacker.unconsumed_tail and not unpacker.unused_data


def _packed(body: bytes, window: int) -> bytes:
    packer = zlib.compressobj(wbits=window)
    return packer.compress(body) + packer.flush()


def _without_credentials(target: str, body: bytes, fields: Mapping[str, str]) -> bytes:
    if _defines_a_peer(target):
        body = _peer_without_credentials(body)
    text = body.decode("utf-8", "surrogateescape")
    if _is_document(body):
        text = _USER.sub(r"\1", _FIELD.sub(_field, text))
        if _PEERS.match(_path_of(target)) or _NESTED in text:
            text = _without_nested(text)
    elif fields.get("content-type", "").startswith(_FORM):
        text = "&".join(map(_pair, text.split("&")))
    else:
        return body
    return text.encode("utf-8", "surrogateescape")


def _field(match: re.Match[str]) -> str:
    name, colon, value = match.groups()
    if colon is None or not _SECRET_NAME.search(name):
        return match[0]
    if value in ("[", "{"):
        return f'{name[:-1]}{_NESTED}"{colon}{value}'
    return f'{name}{colon}"{REMOVED}"'


def _without_nested(text: str) -> str:
    """Take out what fields with the mark hold, peers that are ``[address, name, password]``, and headers of peers."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text if _NESTED not in text else "{}"
    clean = _clean(value)
    return text if clean == value else json.dumps(clean)


def _clean(value: Any) -> Any:
    if isinstance(value, list):
        if len(value) >= 2 and isinstance(value[0], str) and re.match(r"(?i)https?://", value[0]):
            return [value[0], *[REMOVED for _ in value[1:]]]
        return [_clean(item) for item in value]
    if isinstance(value, dict):
        return dict(_clean_field(key, item) for key, item in value.items())
    return value


def _clean_field(name: str, value: Any) -> tuple[str, Any]:
    if name.endswith(_NESTED):
        return name.removesuffix(_NESTED), REMOVED
    if name == "HttpHeaders" and isinstance(value, dict):
        return name, dict.fromkeys(value, REMOVED)
    return name, _clean(value)
