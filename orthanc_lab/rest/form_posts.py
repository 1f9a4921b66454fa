"""Forms (``multipart/form-data``): each part is posted to the path by itself, whatever the path is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from io import BytesIO
from typing import Any, NamedTuple

from orthanc_lab.rest.making.upload_form import boundary_of, parts_of

__all__ = ["FAILED", "PartAnswer", "form_boundary", "post_parts"]

FAILED = "orthanc.failed"
"""What a request has in its environment once it was answered with an error of Orthanc."""

_OF_THE_FORM = ("CONTENT_TYPE", "HTTP_CONTENT_ENCODING")
_UPLOADS = "/instances"

_StartResponse = Callable[..., Any]
_PassOn = Callable[[dict[str, Any], _StartResponse], Iterable[bytes]]


class PartAnswer(NamedTuple):
    """What was answered to a part of a form."""

    status: str
    headers: list[tuple[str, str]]
    body: bytes


def form_boundary(env: dict[str, Any]) -> str | None:
    """Return the boundary of the form that is the body of a POST, None if it is something else."""
    content_type: str = env.get("CONTENT_TYPE", "")
    return boundary_of(content_type) if content_type[:10].lower() == "multipart/" else None


def post_parts(env: dict[str, Any], boundary: str, pass_on: _PassOn) -> PartAnswer | None:
    """Post the parts of a form one by one, up to the first that fails.

    As in Orthanc, what is answered to a part that succeeds is dropped, and so is an answer of a status alone, such as
    404 for a job that does not exist; not so at uploads, where nobody may take for stored what was refused.

    Parameters
    ----------
    env
        The request with the whole form.
    pass_on
        Answers a request (PEP 3333).

    Returns
    -------
    PartAnswer or None
        The answer to the part that failed; None if none did.

    Raises
    ------
    OrthancError
        As `parts_of`, and what comes up while the answer to a part is made.
    """
    for part in parts_of(_body_of(env), boundary):
        own = {name: value for name, value in env.items() if name not in _OF_THE_FORM}
        own |= {"wsgi.input": BytesIO(part), "CONTENT_LENGTH": str(len(part))}
        answer = _answer(own, pass_on)
        if own.get(FAILED) or (env["PATH_INFO"] == _UPLOADS and not answer.status.startswith("2")):
            return answer
    return None


def _body_of(env: dict[str, Any]) -> bytes:
    length = env.get("CONTENT_LENGTH", "")
    body: bytes = env["wsgi.input"].read(int(length)) if length.isdecimal() else env["wsgi.input"].read()
    return body


def _answer(env: dict[str, Any], pass_on: _PassOn) -> PartAnswer:
    """Return the answer to a part; of one that succeeds, only its status, since it may be a large stream."""
    begun: list[tuple[str, list[tuple[str, str]]]] = []

    def start(status: str, headers: list[tuple[str, str]], error: Any = None) -> None:
        begun[:] = [(status, headers)]

    stream = pass_on(env, start)
    try:
        kept = [piece for piece in stream if env.get(FAILED)]
    finally:
        close = getattr(stream, "close", None)
        if close is not None:
            close()
    status, headers = begun[0]
    return PartAnswer(status, headers, b"".join(kept))
