"""How an archive is answered: streamed while it is made, as a whole, or by the id of its job."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from orthanc_lab.jobs.kinds.archives.archive_plan import Plan
from orthanc_lab.jobs.kinds.archives.zip_codec import preferred_codec
from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob
from orthanc_lab.jobs.kinds.archives.zip_outlet import StoredOutlet, cannot_write
from orthanc_lab.jobs.kinds.archives.zip_request import ZipRequest
from orthanc_lab.jobs.kinds.archives.zip_stream import StreamOutlet
from orthanc_lab.rest.http.bodies import JobFields
from orthanc_lab.rest.http.download_name import name_download
from orthanc_lab.rest.http.submission import answer_submitted
from orthanc_lab.rest.jobs.jobs import FileChunks
from orthanc_lab.rest.making.archive_options import ArchiveOptions
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ZipAnswers"]

ZIP = "application/zip"


class ZipAnswers:
    """Makes the jobs of one type and answers their archives.

    Parameters
    ----------
    make
        The class of the jobs.
    """

    def __init__(self, services: Services, make: Callable[..., ZipJob]) -> None:
        self._services = services
        self._make = make
        self._streams = bool(services.settings["SynchronousZipStream"])
        # The time that the HTTP server gives a client for any progress is right for a download, too.
        self._patience = float(services.settings["HttpRequestTimeout"])
        self._tools = services.job_tools

    def answer(
        self, req: falcon.Request, resp: falcon.Response, plan: Plan, options: ArchiveOptions, fields: JobFields
    ) -> None:
        """Submit the job and answer in the way that `fields` ask for."""
        request = self._request(plan, options)
        if not fields.synchronous:
            self._answer_id(req, resp, request, fields.priority)
        elif self._streams:
            self._answer_stream(resp, request, fields.priority)
        else:
            self._answer_whole(resp, request, fields.priority)

    def _request(self, plan: Plan, options: ArchiveOptions) -> ZipRequest:
        codec = preferred_codec()
        return ZipRequest(
            plan=plan,
            filename=options.filename,
            written_at=self._services.clock.now().astimezone().replace(tzinfo=None, microsecond=0),
            seed=self._services.identifiers.uuid(),
            codec=codec.name,
            level=codec.level,
            transcode=options.transcode,
            quality=options.quality,
            extended=options.extended,
        )

    def _answer_id(self, req: falcon.Request, resp: falcon.Response, request: ZipRequest, priority: int) -> None:
        outlet = StoredOutlet(self._tools.outputs, self._new_name(), small=True)
        job = self._make(self._tools, request, outlet, durable=True)
        answer_submitted(req, resp, self._services.engine.submit(job, priority))

    def _answer_whole(self, resp: falcon.Response, request: ZipRequest, priority: int) -> None:
        outputs, name = self._tools.outputs, self._new_name()
        try:
            self._services.engine.run(self._make(self._tools, request, StoredOutlet(outputs, name)), priority)
            body = FileChunks(outputs.take(name))
        except BaseException:
            outputs.remove(name)
            raise
        _describe(resp, request.filename)
        resp.set_stream(body, body.size)

    def _answer_stream(self, resp: falcon.Response, request: ZipRequest, priority: int) -> None:
        outlet = StreamOutlet(self._tools.clock, self._tools.executor, patience=self._patience)
        self._services.engine.submit(self._make(self._tools, request, outlet), priority)
        _describe(resp, request.filename)
        resp.set_header("Connection", "close")
        resp.stream = _Download(outlet)

    def _new_name(self) -> str:
        try:
            return self._tools.outputs.new_name(".zip")
        except OSError as error:
            raise cannot_write(error) from error


class _Download:
    """The body of a streamed archive."""

    def __init__(self, outlet: StreamOutlet) -> None:
        self._outlet = outlet

    def __iter__(self) -> Iterator[bytes]:
        return iter(self._outlet)

    def close(self) -> None:
        """Let the job know that its client has what it wanted, or is gone."""
        self._outlet.close_client()


def _describe(resp: falcon.Response, filename: str) -> None:
    resp.content_type = ZIP
    name_download(resp, filename)
