"""What can go wrong, in words: Orthanc's code and text, the request, and what to do next."""

from __future__ import annotations

import json
from typing import Any

import requests

from orthanc_lab.protocol.errors import ERROR_TEXTS

__all__ = [
    "CanceledError",
    "ClientError",
    "JobFailedError",
    "JobPausedError",
    "JobTimeoutError",
    "NotFoundError",
    "ResponseError",
    "UnauthorizedError",
    "UnreachableError",
    "error_of",
]

_CANCELED = 37
_ADVICE = {
    400: "Check the parameters of the call against the Orthanc Book.",
    401: "Pass the right credentials: Client(url, auth=('user', 'password')).",
    403: "The server forbids this call by its configuration.",
    404: "The resource may have been deleted, or belong to another level; look it up again.",
    405: "The server may be read-only, or older than this call.",
    507: "The storage is full: delete something, or raise MaximumStorageSize.",
}


class ClientError(Exception):
    """Any failure of the client."""


class UnreachableError(ClientError):
    """No server answers at the address."""

    def __init__(self, url: str, cause: BaseException) -> None:
        super().__init__(f"No Orthanc answers at {url} ({cause}).\nIs the server running, and is the address right?")
        self.url = url


class ResponseError(ClientError):
    """The server answered with an error.

    Attributes
    ----------
    status
        HTTP status.
    code
        Orthanc's error code, None where the answer had no body.
    details
        What the server said beyond the text of the code, "" if nothing.
    """

    def __init__(self, status: int, code: int | None, text: str, details: str, request: str) -> None:
        words = f"{text}: {details}" if details else text
        number = f", Orthanc error {code}" if code is not None else ""
        advice = _ADVICE.get(status, "")
        super().__init__("\n".join(part for part in (f"{words} (HTTP {status}{number})", request, advice) if part))
        self.status = status
        self.code = code
        self.text = text
        self.details = details
        self.request = request


class NotFoundError(ResponseError):
    """404: the resource, job or output is not there."""


class UnauthorizedError(ResponseError):
    """401: wrong credentials, or none."""


class JobFailedError(ClientError):
    """A job ended as Failure; the job object is the attribute `job`."""

    def __init__(self, id: str, type: str, code: int, description: str, details: str) -> None:
        words = f"{description}: {details}" if details else description
        super().__init__(f"Job {id} ({type}) failed: {words} (Orthanc error {code}).\nRetry it with job.resubmit().")
        self.id = id
        self.code = code
        self.description = description
        self.details = details


class CanceledError(JobFailedError):
    """A job was canceled."""


class JobPausedError(ClientError):
    """A job that one waits for is paused, and nobody said to wait on."""

    def __init__(self, id: str) -> None:
        super().__init__(f"Job {id} is paused.\nCall job.resume(), or wait with job.wait(paused='wait').")
        self.id = id


class JobTimeoutError(ClientError):
    """A job did not end in time; it goes on at the server."""

    def __init__(self, id: str, state: str, progress: int, timeout: float) -> None:
        super().__init__(
            f"Job {id} is still {state} ({progress} %) after {timeout:g} s.\n"
            "It goes on at the server: call job.wait() again, with a longer timeout, or job.cancel()."
        )
        self.id = id


def job_error(job: dict[str, Any]) -> JobFailedError:
    """Return the error of a job that ended as Failure."""
    kind = CanceledError if job["ErrorCode"] == _CANCELED else JobFailedError
    return kind(job["ID"], job["Type"], job["ErrorCode"], job["ErrorDescription"], job.get("ErrorDetails", ""))


def error_of(response: requests.Response) -> ResponseError:
    """Return the error that an answer of 400 and above stands for."""
    request = f"{response.request.method} {response.request.url}"
    try:
        document = json.loads(response.text)
        code, details = int(document["OrthancStatus"]), str(document.get("Details", ""))
        text = str(document.get("OrthancError") or ERROR_TEXTS.get(code, ""))
    except (ValueError, KeyError, TypeError):
        code, details, text = None, response.text[:200].strip(), response.reason or "Error"
    kind = {401: UnauthorizedError, 404: NotFoundError}.get(response.status_code, ResponseError)
    return kind(response.status_code, code, text, details, request)
