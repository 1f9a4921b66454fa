"""The client's errors: Orthanc's code and text, the request, and advice on what to do next."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Self

import requests

from orthanc_lab.client.network_advice import network_advice
from orthanc_lab.protocol.errors import ERROR_TEXTS, ErrorCode
from orthanc_lab.protocol.picklable import Picklable
from orthanc_lab.protocol.visible import visible

__all__ = [
    "CanceledError",
    "ClientError",
    "ConnectionLostError",
    "DamagedDownloadError",
    "JobFailedError",
    "JobForgottenError",
    "JobPausedError",
    "JobRetryError",
    "JobTimeoutError",
    "NoClusterError",
    "NoEventLogError",
    "NotFoundError",
    "NotOrthancError",
    "ResponseError",
    "UnauthorizedError",
    "UnreachableError",
    "error_of",
    "job_error",
    "reading",
    "reason_of",
    "unreachable",
]

_CANCELED = 37
_LONGEST_REASON = 200  # characters
_ADVICE = {
    400: "Check the parameters of the call against the Orthanc Book.",
    401: "Pass the right credentials: Client(url, auth=('user', 'password')).",
    403: "The server's configuration forbids this call.",
    404: "The address or identifier is wrong, the resource was deleted, or it is at another level; look it up first.",
    405: "This path takes no such request: is it the right one? If it is, the server is read-only, or too old for it.",
    503: "The server is busy or not ready; try again later, or allow the client more retries.",
    507: "The storage is full: delete something, or raise MaximumStorageSize.",
}
_ADVICE_BY_CODE: dict[int | None, str] = {  # more precise than the advice by status
    ErrorCode.UNKNOWN_DICOM_TAG: (
        "Name a tag by its keyword (PatientName) or its number (0010,0010); "
        "a private name must be listed under Dictionary in the server's configuration."
    ),
    ErrorCode.CREATE_DICOM_OVERRIDE_TAG: (
        "The server generates or inherits this tag: leave it out, or pass Force=True to override it."
    ),
    ErrorCode.CREATE_DICOM_BAD_PARENT: (
        "parent must be a patient, study or series, or its Orthanc identifier; look it up with client.studies.find(…)."
    ),
    ErrorCode.CREATE_DICOM_PARENT_IS_INSTANCE: "Pass the instance's series instead: parent=instance.series.",
}


_OUTPUT_ADVICE = (
    "The job has no such output, or not any more: the server keeps only those of the last jobs (MediaArchiveSize). "
    "Submit it again."
)


_OF_THE_CALL = (
    ErrorCode.NOT_IMPLEMENTED,
    ErrorCode.PARAMETER_OUT_OF_RANGE,
    ErrorCode.BAD_PARAMETER_TYPE,
    ErrorCode.BAD_REQUEST,
    ErrorCode.BAD_FILE_FORMAT,
    ErrorCode.UNKNOWN_DICOM_TAG,
)
"""Codes of jobs that fail however often they are repeated."""


class ClientError(Picklable, Exception):
    """Base class of all client errors.

    Examples
    --------
    >>> try:
    ...     client.transport.get("/nothing")
    ... except ClientError as error:
    ...     print(error)
    Unknown resource (HTTP 404, Orthanc error 17)
    GET http://127.0.0.1:.../nothing
    The address or identifier is wrong, the resource was deleted, or it is at another level; look it up first.
    """

    def __str__(self) -> str:
        return visible(super().__str__())  # servers, and those who have sent them something, wrote parts of it


class UnreachableError(ClientError):
    """No server answers at the address, or it stopped answering.

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
    """The connection broke in the middle of a response; the incomplete part is not kept.

    Attributes
    ----------
    was_silent
        Whether the server sent nothing for too long, rather than end the connection.

    Examples
    --------
    >>> raise ConnectionLostError("http://host:8042", "GET /x", "10 of 20 bytes received")
    Traceback (most recent call last):
    orthanc_lab.client.errors.ConnectionLostError: The response of http://host:8042 to GET /x is incomplete ...
    """

    def __init__(self, url: str, request: str, cause: object, *, was_silent: bool = False) -> None:
        words = without_pool(reason_of(cause)) if isinstance(cause, requests.RequestException) else cause
        advice = "Is the server still running? Try again."
        if was_silent:
            advice = "It is connected but silent: is it busy? Raise the limit: timeout=…."
        ClientError.__init__(self, f"The response of {url} to {request} is incomplete ({words}).\n{advice}")
        self.url = url
        self.was_silent = was_silent


class DamagedDownloadError(ClientError):
    """Files of a download are not what the server once stored; the download is not kept.

    Attributes
    ----------
    files
        Their names in the archive.

    Examples
    --------
    >>> raise DamagedDownloadError(["CT/0001.dcm"], 20)
    Traceback (most recent call last):
    orthanc_lab.client.errors.DamagedDownloadError: 1 of 20 files in the archive are damaged: CT/0001.dcm...
    """

    def __init__(self, files: Sequence[str], total: int) -> None:
        named = ", ".join(files[:3]) + (" …" if len(files) > 3 else "")
        super().__init__(
            f"{len(files)} of {total} files in the archive are damaged: {named}\n"
            "Their MD5 is not the one of the uploaded files: the server's disk may be failing, or the archive is "
            "transcoded. POST /instances/{id}/attachments/dicom/verify-md5 lets the server check its own file."
        )
        self.files = list(files)


class NotOrthancError(ClientError):
    """The server at this address is not Orthanc: it did not return JSON where Orthanc does.

    Examples
    --------
    >>> raise NotOrthancError("GET http://host/system", "text/html")
    Traceback (most recent call last):
    orthanc_lab.client.errors.NotOrthancError: GET http://host/system was answered with text/html, ...
    """

    def __init__(self, request: str, kind: str) -> None:
        super().__init__(
            f"{request} was answered with {kind}, not with JSON.\n"
            "Is this the address of an Orthanc server? It is the part of the URL before /app/explorer.html."
        )
        self.request = request


class NoClusterError(ClientError):
    """The server does not tell which servers share its list of jobs; the one of this package does.

    Examples
    --------
    >>> raise NoClusterError("http://localhost:8042")
    Traceback (most recent call last):
    orthanc_lab.client.errors.NoClusterError: http://localhost:8042 does not tell which servers share its jobs...
    """

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} does not tell which servers share its jobs: an Orthanc lists its own ones only, "
            "the servers of orthanc-lab on one PostgreSQL have one list."
        )
        self.url = url


class NoEventLogError(ClientError):
    """The server keeps no log of what happens to its jobs; the one of this package does.

    Examples
    --------
    >>> raise NoEventLogError("http://localhost:8042")
    Traceback (most recent call last):
    orthanc_lab.client.errors.NoEventLogError: http://localhost:8042 keeps no log of what happens to its jobs...
    """

    def __init__(self, url: str) -> None:
        super().__init__(
            f"{url} keeps no log of what happens to its jobs: Orthanc has none, only the server of orthanc-lab.\n"
            "Against Orthanc, watch the jobs while they run: orthanc_lab.frames.JobWatch(client)."
        )
        self.url = url


class ResponseError(ClientError):
    """The server responded with an error.

    Attributes
    ----------
    status
        HTTP status.
    code
        Orthanc's error code, None if the response had no body.
    details
        Further details from the server, "" if it gave none.

    Examples
    --------
    >>> try:
    ...     client.create_dicom(None, {"PatientsName": "1"})
    ... except ResponseError as error:
    ...     print(error.status, error.code, error.text, error.details, sep=", ")
    500, 27, Unknown DICOM tag, PatientsName
    """

    def __init__(
        self, status: int, code: int | None, text: str, details: str, request: str, *, advice: str | None = None
    ) -> None:
        words = f"{text}: {details}" if details else text
        number = f", Orthanc error {code}" if code is not None else ""
        if advice is None:
            advice = _ADVICE_BY_CODE.get(code) or network_advice(details) or _ADVICE.get(status, "")
            if status == 404 and _is_for_an_output(request):
                advice = _OUTPUT_ADVICE
        super().__init__("\n".join(part for part in (f"{words} (HTTP {status}{number})", request, advice) if part))
        self.status = status
        self.code = code
        self.text = text
        self.details = details
        self.request = request

    def with_advice(self, advice: str) -> Self:
        """Return the same error with other words on what to do next."""
        return type(self)(self.status, self.code, self.text, self.details, self.request, advice=advice)


class NotFoundError(ResponseError):
    """404: there is no such resource, job or output.

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
    """A job ended in the state Failure.

    Attributes
    ----------
    id
        Identifier of the job.
    code
        Orthanc's error code.
    description
        The text of the code.
    details
        Further details from the server, "" if it gave none.

    Examples
    --------
    >>> error = JobFailedError("1-2-3", "Media", 15, "Bad file format", "")
    >>> error.code, error.description
    (15, 'Bad file format')
    """

    def __init__(self, id: str, type: str, code: int, description: str, details: str) -> None:
        words = f"{description}: {details}" if details else description
        advice = network_advice(details)
        if code in _OF_THE_CALL and not advice:
            advice = "It would fail again: correct what the call was given, and make it anew."
        else:
            advice = f"{advice} Retry it with job.resubmit().".lstrip()
        super().__init__(f"Job {id} ({type}) failed: {words} (Orthanc error {code}).\n{advice}")
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
    """The job being waited for is paused, and the caller did not ask to keep waiting.

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
    """The job being waited for failed for now; the server will retry it on its own.

    Examples
    --------
    >>> raise JobRetryError("1-2-3", "Error in the network protocol")
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobRetryError: Job 1-2-3 will be retried: Error in the network protocol...
    """

    def __init__(self, id: str, words: str) -> None:
        super().__init__(f"Job {id} will be retried: {words}\nKeep waiting with job.wait(retry='wait').")
        self.id = id


class JobForgottenError(ClientError):
    """The server no longer knows the job.

    Examples
    --------
    >>> raise JobForgottenError("1-2-3")
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobForgottenError: The server no longer knows job 1-2-3...
    """

    def __init__(self, id: str) -> None:
        super().__init__(
            f"The server no longer knows job {id}.\n"
            "It dropped out of the history (JobsHistorySize), or the server was restarted without it: submit it again."
        )
        self.id = id


class JobTimeoutError(ClientError):
    """A job did not finish in time; it is still running on the server.

    Examples
    --------
    >>> raise JobTimeoutError("1-2-3", "Running", 40, 60)
    Traceback (most recent call last):
    orthanc_lab.client.errors.JobTimeoutError: Job 1-2-3 is still Running (40 %) after 60 s...
    """

    def __init__(self, id: str, state: str, progress: int, timeout: float) -> None:
        super().__init__(
            f"Job {id} is still {state} ({progress} %) after {timeout:g} s.\n"
            "It continues on the server: call job.wait() again with a longer timeout, or job.cancel()."
        )
        self.id = id


def job_error(job: dict[str, Any]) -> JobFailedError:
    """Return the error of a job that ended in the state Failure."""
    code = int(job.get("ErrorCode", 0))
    kind = CanceledError if code == _CANCELED else JobFailedError
    texts = (str(job.get(name, "")) for name in ("ErrorDescription", "ErrorDetails"))
    return kind(str(job["ID"]), str(job.get("Type", "")), code, *texts)


def error_of(response: requests.Response) -> ResponseError:
    """Return the error for a response with status 400 or above."""
    request = f"{response.request.method} {response.request.url}"
    body = _text_of(response)
    try:
        document = json.loads(body)
        code, details = int(document["OrthancStatus"]), str(document.get("Details", ""))
        text = str(document.get("OrthancError") or ERROR_TEXTS.get(code, ""))
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        plain = "" if body.lstrip().startswith("<") else body[:200].strip()
        code, details, text = None, plain, response.reason or "Error"
    kind = {401: UnauthorizedError, 404: NotFoundError}.get(response.status_code, ResponseError)
    return kind(response.status_code, code, text, details, request)


@contextmanager
def reading(url: str, what: str) -> Iterator[None]:
    """Read what a server sent: what it makes fail is raised as an error of the server.

    Parameters
    ----------
    what
        What is read, ``"a job"``.

    Raises
    ------
    ClientError
        If it has other fields, types or values than Orthanc's.
    """
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, OverflowError) as error:
        words = f"{type(error).__name__}: {error}"
        raise ClientError(f"{url} sent {what} that cannot be read: {words[:_LONGEST_REASON]}") from error


def _text_of(response: requests.Response) -> str:
    try:
        return response.text
    except (requests.RequestException, ValueError):  # the status arrived, the body did not, or is in no character set
        return ""
    finally:
        response.close()


def _is_for_an_output(request: str) -> bool:
    verb, _, address = request.partition(" ")
    parts = address.rpartition("/jobs/")[2].split("/")
    return verb == "GET" and "/jobs/" in address and len(parts) == 2 and all(parts)


def unreachable(url: str, error: requests.RequestException, *, perhaps_done: bool = False) -> UnreachableError:
    """Return the error for a failed request, with advice on what to do about it.

    Parameters
    ----------
    perhaps_done
        Whether the request may have been carried out, and was not sent again for that reason.
    """
    cause = _cause(error)
    if perhaps_done:
        advice = "It may have carried out the request, which is not sent twice: look before you send it again."
        return UnreachableError(url, cause, advice)
    if isinstance(error, requests.exceptions.SSLError):
        advice = "Name the CA that signed its certificate: Client(url, verify='ca.pem'). Is it http:// or https://?"
        return UnreachableError(url, cause, advice)
    if isinstance(error, requests.ReadTimeout):
        return UnreachableError(url, cause, "It is connected but silent; raise the limit: Client(url, timeout=…).")
    return UnreachableError(url, cause)


def reason_of(error: requests.RequestException) -> object:
    """Return what urllib3 gave as the reason of a failed request, or else the first argument of the error.

    requests has no public name for it: its first argument is urllib3's error, which holds the reason
    (``tests/client/test_requests_contract.py``).
    """
    inner = error.args[0] if error.args else error
    return getattr(inner, "reason", None) or inner


def _cause(error: requests.RequestException) -> str:
    """Return the operating system's reason, without the names of urllib3 objects around it."""
    return without_pool(reason_of(error))


def without_pool(cause: object) -> str:
    """Return the words of urllib3 without the name of the connection."""
    return re.sub(r"^HTTPS?Connection(Pool)?\(host='[^']*', port=[^)]*\): ", "", str(cause))
