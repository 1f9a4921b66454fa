"""A request to a route of an extension, and its answer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from orthanc_lab.extensions.calls import Orthanc
from orthanc_lab.protocol import lenient_json

__all__ = ["Answer", "Request"]

_OF_THE_SERVER = frozenset({"connection", "content-length", "content-type", "set-cookie", "transfer-encoding"})
_TOKEN = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_STATUS = frozenset(status.value for status in HTTPStatus if status >= 200)


@dataclass(frozen=True, slots=True)
class Request:
    """What a client asks of a route.

    Attributes
    ----------
    method
        GET, POST, PUT or DELETE.
    uri
        The path without the query.
    fields
        The fields of the path.
    arguments
        The arguments after the question mark, decoded; of two of one name the last counts.
    headers
        The headers, their names in lower case.
    body
        The body as it was sent.
    username
        Who asks; empty without authentication.
    orthanc
        The server itself.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab.extensions import route
    >>> @route("POST", "/sum")
    ... def total(request):
    ...     return sum(request.json()["Numbers"])
    >>> with orthanc_lab.in_process(extensions=[total]) as server:
    ...     server.session.post(f"{server.url}/sum", json={"Numbers": [1, 2, 3]}).json()
    6
    """

    method: str
    uri: str
    fields: Mapping[str, str]
    arguments: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    username: str
    orthanc: Orthanc

    def json(self) -> Any:
        """Return the body as JSON.

        Raises
        ------
        OrthancError
            28 "Cannot parse a JSON document" (400 to the client).
        """
        return lenient_json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    r"""An answer that is neither plain JSON nor plain bytes.

    Attributes
    ----------
    body
        The content; a text is sent as UTF-8.
    content_type
        The media type.
    status
        The HTTP status, 200 or above.
    headers
        Further headers; not those on which the framing of the message depends.

    Raises
    ------
    TypeError, ValueError
        For what cannot be sent.

    Examples
    --------
    >>> Answer("a;b\n", "text/csv", headers={"Content-Disposition": 'attachment; filename="table.csv"'}).status
    200
    """

    body: bytes | str = b""
    content_type: str = "application/octet-stream"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not isinstance(self.body, (bytes, str)):
            raise TypeError(f"The body of an answer must be bytes or str, not {type(self.body).__name__}")
        if self.status not in _STATUS:
            raise ValueError(f"{self.status!r} is not the HTTP status of an answer")
        if not _is_line(self.content_type):
            raise ValueError(f"{self.content_type!r:.80} is not a media type")
        for name, value in self.headers.items():
            if not (_is_line(name) and _is_line(value) and _TOKEN.fullmatch(name)):
                raise ValueError(f"The header {name!r:.80} cannot be sent")
            if name.lower() in _OF_THE_SERVER:
                raise ValueError(f"The header {name} is not for extensions to set")


def _is_line(text: object) -> bool:
    return isinstance(text, str) and text.isascii() and text.isprintable()
