"""What can go wrong, in words: Orthanc's code and text, the request, and what to do next."""

from __future__ import annotations

import json
import re
from typing import Any

import requests

from orthanc_lab.protocol.errors import ERROR_TEXTS, ErrorCode

__all__ = [
    "CanceledError",
    "ClientError",
    "ConnectionLostError",
    "JobFailedError",
    "JobForgottenError",
    "JobPausedError",
    "JobRetryError",
    "JobTimeoutError",
    "NotFoundError",
    "NotOrthancError",
    "ResponseError",
    "UnauthorizedError",
    "UnreachableError",
    "error_of",
    "job_error",
    "unreachable",
]

_CANCELED = 37
_ADVICE = {
    400: "Check the parameters of the call against the Orthanc Book.",
    401: "Pass the right credentials: Client(url, auth=('user', 'password')).",
    403: "The server forbids this call by its configuration.",
    404: "The address or identifier is wrong, or the resource was deleted or is of another level; look it up.",
    405: "The server may be read-only, or older than this call.",
    503: "The server is busy or not ready; try again later, or give the client more retries.",
    507: "The storage is full: delete something, or raise MaximumStorageSize.",
}
_ADVICE_BY_CODE: dict[int | None, str] = {  # more precise than that of the status
    ErrorCode.UNKNOWN_DICOM_TAG: (
        "A tag is its keyword, PatientName, or its number, 0010,0010; "
        "a private name stands in the Dictionary of the server's configuration."
    ),
    ErrorCode.CREATE_DICOM_OVERRIDE_TAG: (
        "The server makes or inherits this tag: leave it out, or pass Force=True if the new value is meant."
    ),
    ErrorCode.CREATE_DICOM_BAD_PARENT: (
        "parent is a patient, study or series, or its Orthanc identifier; look it up: client.studies.find(…)."
    ),
    ErrorCode.CREATE_DICOM_PARENT_IS_INSTANCE: "Take the parent of the instance: parent=instance.series.",
}


class ClientError(Exception):
    """Any failure of the client; all others are kinds of it.

    Examples
    --------
    >>> try:
    ...     client.transport.get("/nothing")
    ... except ClientError as error:
    ...     print(error)
    Unknown resource (HTTP 404, Orthanc error 17)
    GET http://127.0.0.1:.../nothing
    The address or identifier is wrong, or the resource was deleted or is of another level; look it up.
    """


class UnreachableError(ClientError):
    """No server answers at the address, or it stopped to answer.

    Attributes
    ----------
    url
        Address of the server.

    Examples
    --------
    >>> Client("http://127.0.0.1:1", retries=0).system
    Traceback (most recent call last):
    orthanc_lab.client.errors.UnreachableError: No Orthanc answers at http://127.0.0.1:1 ...
    """

    def __init__(
        self, url: str, cause: object, advice: str = "Is the server running, and is the address right?"
    ) -> None:
        super().__init__(f"No Orthanc answers at {url} ({cause}).\n{advice}")
        self.url = url


class ConnectionLostError(UnreachableError):
    """The connection broke in the middle of an answer; what came is not whole, and is not kept.

    Examples
    --------
    >>> raise ConnectionLostError("http://host:8042", "GET /x", "10 of 20 bytes came")
    Traceback (most recent call last):
    orthanc_lab.client.errors.ConnectionLostError: The answer of http://host:8042 to GET /x ended before ...
    """

    def __init__(self, url: str, request: str, cause: object) -> None:
        ClientError.__init__(
            self,
            f"The answer of {url} to {request} ended before it was whole ({cause}).\n"
            "Is the server still running? Try it again.",
        )
        self.url = url


class NotOrthancError(ClientError):
    """What answers is no Orthanc: no JSON where Orthanc gives JSON.

    Examples
    --------
    >>> raise NotOrthancError("GET http://host/system", "text/html")
    Traceback (most recent call last):
    orthanc_lab.client.errors.NotOrthancError: GET http://host/system was answered with text/html, ...
    """

    def __init__(self, request: str, kind: str) -> None:
        super().__init__(
            f"{request} was answered with {kind}, not with JSON.\n"
            "Is this the address of an Orthanc? It is the one in front of /app/explorer.html."
        )
        self.request = request


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

    Examples
    --------
    >>> try:
    ...     client.create_dicom(None, {"PatientsName": "1"})
    ... except ResponseError as error:
    ...     print(error.status, error.code, error.text, error.details, sep=", ")
    500, 27, Unknown DICOM tag, PatientsName
    """

    def __init__(self, status: int, code: int | None, text: str, details: str, request: str) -> None:
        words = f"{text}: {details}" if details else text
        number = f", Orthanc error {code}" if code is not None else ""
        advice = _ADVICE_BY_CODE.get(code) or _ADVICE.get(status, "")
        super().__init__("\n".join(part for part in (f"{words} (HTTP {status}{number})", request, advice) if part))
        self.status = status
        self.code = code
        self.text = text
        self.details = details
        self.request = request


class NotFoundError(ResponseError):
    """404: the resource, job or output is not there.

    Examples
    --------
    >>> client.jobs.submit("/studies/unknown/archive")
    Traceback (most recent call last):
    orthanc_lab.client.errors.NotFoundError: Accessing an inexistent item: ... (HTTP 404, Orthanc error 7)...
    """


class UnauthorizedError(ResponseError):
    """401: wrong credentials, or none.

    Examples
    --------
    >>> with orthanc_lab.serve(AuthenticationEnabled=True, RegisteredUsers={"a": "b"}) as server:
    ...     Client(server.url, ("a", "wrong")).system
    Traceback (most recent call last):
    orthanc_lab.client.errors.UnauthorizedError: Unauthorized (HTTP 401)...
    """


class JobFailedError(ClientError):
    """A job ended as Failure; the job object is the attribute `job`.

    Examples
    --------
    >>> error = JobFailedError("1-2-3", "Media", 15, "Bad file format", "")
    >>> error.code, error.description
    (15, 'Bad file format')
    """

    def __init__(self, id: str, type: str, code: int, description: str, details: str) -> None:
        words = f"{description}: {details}" if details else description
        super().__init__(f"Job {id} ({type}) failed: {words} (Orthanc error {code}).\nRetry it with job.resubmit().")
        self.id = id
        self.code = code
        self.description = description
        self.details = details


class CanceledError(JobFailedError):
    """A job was canceled.

    Examples
    --------
    >>> raise CanceledError("1-2-3", "Media", 37, "This job was canceled", "")
    Traceback (most recent call last):
    orthanc_lab.client.errors.CanceledError: Job 1-2-3 (Media) failed: This job was canceled (Orthanc error 37)...
    """


class JobPausedError(ClientError):
    """A job that one waits for is paused, and nobody said to wait on.

    Examples
    --------
    >>> raise JobPausedError("1-2-3")
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobPausedError: Job 1-2-3 is paused...
    """

    def __init__(self, id: str) -> None:
        super().__init__(f"Job {id} is paused.\nCall job.resume(), or wait with job.wait(paused='wait').")
        self.id = id


class JobRetryError(ClientError):
    """A job that one waits for failed for the time being; the server will try it again by itself.

    Examples
    --------
    >>> raise JobRetryError("1-2-3", "Error in the network protocol")
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobRetryError: Job 1-2-3 will be tried again: Error in the network protocol...
    """

    def __init__(self, id: str, words: str) -> None:
        super().__init__(f"Job {id} will be tried again: {words}\nWait on with job.wait(retry='wait').")
        self.id = id


class JobForgottenError(ClientError):
    """The server does not know the job any more.

    Examples
    --------
    >>> raise JobForgottenError("1-2-3")
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobForgottenError: The server does not know job 1-2-3 any more...
    """

    def __init__(self, id: str) -> None:
        super().__init__(
            f"The server does not know job {id} any more.\n"
            "It left the history (JobsHistorySize), or the server was started again without it: submit it anew."
        )
        self.id = id


class JobTimeoutError(ClientError):
    """A job did not end in time; it goes on at the server.

    Examples
    --------
    >>> raise JobTimeoutError("1-2-3", "Running", 40, 60)
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobTimeoutError: Job 1-2-3 is still Running (40 %) after 60 s...
    """

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
    body = _text_of(response)
    try:
        document = json.loads(body)
        code, details = int(document["OrthancStatus"]), str(document.get("Details", ""))
        text = str(document.get("OrthancError") or ERROR_TEXTS.get(code, ""))
    except (ValueError, KeyError, TypeError):
        plain = "" if body.lstrip().startswith("<") else body[:200].strip()
        code, details, text = None, plain, response.reason or "Error"
    kind = {401: UnauthorizedError, 404: NotFoundError}.get(response.status_code, ResponseError)
    return kind(response.status_code, code, text, details, request)


def _text_of(response: requests.Response) -> str:
    try:
        return response.text
    except requests.RequestException:  # the status is there, the words did not come
        return ""
    finally:
        response.close()


def unreachable(url: str, error: requests.RequestException) -> UnreachableError:
    """Return the error that a failed request stands for, with what to do about it."""
    cause = _cause(error)
    if isinstance(error, requests.exceptions.SSLError):
        advice = "Name the CA of its certificate: Client(url, verify='ca.pem'). Does the address begin as it should?"
        return UnreachableError(url, cause, advice)
    if isinstance(error, requests.ReadTimeout):
        return UnreachableError(url, cause, "It is connected, but silent; give Client(url, timeout=…) more seconds.")
    return UnreachableError(url, cause)


def _cause(error: requests.RequestException) -> str:
    """Return what the system said, without the objects of urllib3 around it."""
    inner = error.args[0] if error.args else error
    words = str(getattr(inner, "reason", None) or inner)  # of a MaxRetryError
    return re.sub(r"^HTTPS?Connection(Pool)?\(host='[^']*', port=[^)]*\): ", "", words)
