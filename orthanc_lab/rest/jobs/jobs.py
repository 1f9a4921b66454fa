"""The jobs: ``/jobs`` with their controls and outputs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from io import BytesIO
from typing import TYPE_CHECKING, BinaryIO

from orthanc_lab.jobs.ports import JobOutput, Jobs
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.timestamps import iso_micros
from orthanc_lab.rest.http.answers import (
    JSON,
    EmptyAnswer,
    answer_empty_object,
    answer_json,
    answer_nothing,
    wants_xml,
)
from orthanc_lab.rest.http.arguments import flag, query_arguments
from orthanc_lab.rest.http.download_name import name_download
from orthanc_lab.rest.http.plain_answers import PlainAnswer
from orthanc_lab.rest.jobs.job_documents import JobListText, JobTexts, job_document
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "JobCommand", "JobResource", "JobsList", "OutputResource"]

_CHUNK = 256 * 1024  # bytes read from an output at once


class JobsList:
    """All jobs, sorted by their ids."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine
        self._clock = services.clock
        self._text = JobListText()

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the ids, or with ``?expand`` the jobs themselves."""
        if not flag(query_arguments(req), "expand"):
            answer_json(req, resp, self._engine.ids())
            return
        views, now = self._engine.views(), self._clock.now()
        if wants_xml(req):
            answer_json(req, resp, [job_document(view, iso_micros(now)) for view in views])
        else:
            resp.content_type = JSON
            resp.data = self._text.text(views, now)


class JobResource:
    """One job."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine
        self._clock = services.clock
        self._texts = JobTexts()

    def on_plain_get(self, job_id: str) -> PlainAnswer | None:
        """Return the job as it is now, as `on_get` answers it."""
        view = self._engine.get(job_id)
        return None if view is None else PlainAnswer(JSON, self._texts.text(view, self._clock.now()))

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Answer the job as it is now."""
        view = self._engine.get(job_id)
        if view is None:
            raise EmptyAnswer(404)
        now = self._clock.now()
        if wants_xml(req):
            answer_json(req, resp, job_document(view, iso_micros(now)))
        else:
            resp.content_type = JSON
            resp.data = self._texts.text(view, now)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Forget an ended job, with its outputs."""
        if not self._engine.delete(job_id):
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"No job found with this id: {job_id}")
        answer_nothing(resp)


class OutputResource:
    """What a job left behind."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine
        self._outputs = services.job_tools.outputs

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str, key: str) -> None:
        """Send the output, in chunks."""
        output = self._engine.output(job_id, key)
        if output is None:
            raise _no_output(key)
        file = self._open(output)
        if file is None:
            raise _no_output(key)
        resp.content_type = output.content_type
        name_download(resp, output.filename)
        body = FileChunks(file)
        resp.set_stream(body, body.size)

    def on_delete(self, req: falcon.Request, resp: falcon.Response, job_id: str, key: str) -> None:
        """Remove the output; the job stays."""
        if not self._engine.delete_output(job_id, key):
            raise _no_output(key)
        answer_nothing(resp)

    def _open(self, output: JobOutput) -> BinaryIO | None:
        if output.content is not None:
            return BytesIO(output.content)
        with suppress(FileNotFoundError):  # it was dropped for another job's output a moment ago
            return self._outputs.open(output.name)
        return None


class FileChunks:
    """The bytes of a file in chunks; closes it however the answer ends.

    A server that knows `descriptor` sends the file by that, and reads no chunk.
    """

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.descriptor: int | None = None
        with suppress(OSError):  # it is in memory, or in pieces elsewhere
            self.descriptor = file.fileno()
        self.size = file.seek(0, 2)
        file.seek(0)

    def __iter__(self) -> Iterator[bytes]:
        while chunk := self._file.read(_CHUNK):
            yield chunk

    def close(self) -> None:
        """Close the file."""
        self._file.close()


class JobCommand:
    """Cancel, pause, resume or resubmit."""

    def __init__(self, command: Callable[[str], bool]) -> None:
        self._command = command

    def on_post(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Carry out the command in the path if the state of the job permits it; the body is ignored."""
        if not self._command(job_id):
            raise EmptyAnswer(400)
        answer_empty_object(req, resp)


def _no_output(key: str) -> OrthancError:
    return OrthancError(ErrorCode.INEXISTENT_ITEM, f"Job has no such output: {key}")


def _command(choose: Callable[[Jobs], Callable[[str], bool]]) -> Callable[[Services], JobCommand]:
    return lambda services: JobCommand(choose(services.engine))


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/jobs", JobsList),
    ("/jobs/{job_id}", JobResource),
    ("/jobs/{job_id}/{key}", OutputResource),
    ("/jobs/{job_id}/cancel", _command(lambda engine: engine.cancel)),
    ("/jobs/{job_id}/pause", _command(lambda engine: engine.pause)),
    ("/jobs/{job_id}/resume", _command(lambda engine: engine.resume)),
    ("/jobs/{job_id}/resubmit", _command(lambda engine: engine.resubmit)),
)
