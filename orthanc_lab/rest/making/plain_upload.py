"""Uploads of single files without Falcon, whose request and answer take a sixth of the time of a small one.

Those of several clients may be stored together, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NoReturn

from orthanc_lab.protocol.transfer_syntaxes import deflated_uids
from orthanc_lab.rest.http.answers import JSON
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.making.upload_zip import is_zip
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Origin, Stored

__all__ = ["failing_body", "plain_upload", "plain_uploads"]

_MOST_DIGITS = 12  # of a length
_DEFLATED = [uid.encode() for uid in deflated_uids()]


class _Body:
    """What was read of a request already, for those who read it again."""

    def __init__(self, body: bytes) -> None:
        self._body = body

    def read(self, size: int = -1) -> bytes:
        """Return the body, once."""
        body, self._body = self._body, b""
        return body


class _Failure:
    """The body of a request that has failed: who reads it gets the error, once.

    The error knows the request by its traceback, and the request the error by this: while both do, neither they nor
    the memory that was reserved for the file are given back before the collector of circles comes.
    """

    def __init__(self, error: BaseException) -> None:
        self._error = error

    def read(self, size: int = -1) -> NoReturn:
        """Raise the error, and forget it."""
        try:
            raise self._error
        finally:
            del self._error


def plain_upload(services: Services, env: dict[str, Any]) -> PlainAnswer | None:
    """Store the DICOM file that is the body of a request, and return what `post_instances` would answer.

    Parameters
    ----------
    env
        The request. Whatever is unusual, or an error, is left to `post_instances`: then the body is kept there, or
        what it raises.
    """
    length = env.get("CONTENT_LENGTH", "")
    if not (length.isdecimal() and length.isascii() and len(length) <= _MOST_DIGITS) or not _is_plain(env):
        return None
    try:
        body: bytes = env["wsgi.input"].read(int(length))
        if not body or is_zip(body):
            env["wsgi.input"] = _Body(body)
            return None
        stored = services.storage.store(body, _origin(env))
    except Exception as error:  # it is answered where all errors are
        env["wsgi.input"] = _Failure(error)
        return None
    return _answer(stored)


def plain_uploads(
    services: Services, requests: Sequence[tuple[dict[str, Any], bytes]]
) -> list[PlainAnswer | BaseException | None]:
    """Store the DICOM files of several requests, and return what `post_instances` would answer or raise.

    Parameters
    ----------
    requests
        Each with its body. None is returned for one that is unusual, or may take long, so that the others would wait
        for it; it is left to `post_instances`.
    """
    if services.settings["IngestTranscoding"]:
        return [None] * len(requests)
    usual = [_is_plain(env) and _is_quick(body) for env, body in requests]
    files = [(body, _origin(env)) for (env, body), is_usual in zip(requests, usual, strict=True) if is_usual]
    outcomes = iter(_stored_each(services, files))
    return [_answered(next(outcomes)) if is_usual else None for is_usual in usual]


def _stored_each(services: Services, files: Sequence[tuple[bytes, Origin]]) -> Sequence[Stored | BaseException]:
    try:
        return services.storage.store_each(files)
    except Exception as error:  # it is answered where all errors are
        return [error] * len(files)


def _is_quick(body: bytes) -> bool:
    """Tell whether reading a small file cannot take long: what it is deflated from may be a thousand times larger."""
    return bool(body) and not is_zip(body) and not any(uid in body for uid in _DEFLATED)


def _answered(outcome: Stored | BaseException) -> PlainAnswer | BaseException:
    return outcome if isinstance(outcome, BaseException) else _answer(outcome)


def failing_body(error: BaseException) -> Any:
    """Return what raises an error where the body of a request is read (``wsgi.input``)."""
    return _Failure(error)


def _is_plain(env: dict[str, Any]) -> bool:
    return not (
        "HTTP_CONTENT_ENCODING" in env
        or env.get("CONTENT_TYPE", "")[:10].lower() == "multipart/"
        or ("HTTP_AUTHORIZATION" in env and not env.get("orthanc.username"))
    )


def _origin(env: dict[str, Any]) -> Origin:
    username = env.get("orthanc.username", "")
    return Origin(env.get("orthanc.origin", "RestApi"), env.get("REMOTE_ADDR", ""), http_username=username)


def _answer(stored: Stored) -> PlainAnswer:
    return PlainAnswer(JSON, _text(stored).encode("ascii"))


def _text(it: Stored) -> str:
    """Return `stored_json` in the house format."""
    return (
        f'{{\n   "ID" : "{it.instance}",\n   "ParentPatient" : "{it.patient}",\n   "ParentSeries" : "{it.series}",\n'
        f'   "ParentStudy" : "{it.study}",\n   "Path" : "/instances/{it.instance}",\n'
        f'   "Status" : "{it.status.value}"\n}}'
    )
