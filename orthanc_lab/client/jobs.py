"""A job: its state on the server, its controls, and waiting for its end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any, Literal

from orthanc_lab.client import display
from orthanc_lab.client.download import save_stream
from orthanc_lab.client.errors import ClientError, JobForgottenError, NotFoundError, ResponseError, reading
from orthanc_lab.client.job_events import all_events, place_of
from orthanc_lab.client.job_reason import reason
from orthanc_lab.client.job_story import Story
from orthanc_lab.client.progress import Follow, following
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.verifying import check_archive
from orthanc_lab.client.waiting import Choice, Watch
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.timestamps import parse_iso
from orthanc_lab.protocol.visible import visible

__all__ = ["Job", "Progress", "submit"]

Progress = Callable[["Job"], None]
"""Called with the job after each poll."""

_TIMEOUT = 600.0  # default limit of a wait in seconds
_FIELDS = ["id", "type", "state", "progress", "priority", "runtime", "content", "error", "created", "completed", "eta"]
_OUTAGE = 30.0  # seconds that the server may be unreachable during a wait, for a restart


class Job:
    """One job on the server. Its fields hold the last known state; `refresh` fetches it again.

    Examples
    --------
    >>> job = client.studies.find()[0].archive_job().wait()
    >>> job
    <Job ... Archive Success 100 %>
    >>> job.download(folder / "study.zip").stat().st_size == int(job.content["ArchiveSize"])
    True
    """

    def __init__(self, transport: Transport, document: dict[str, Any]) -> None:
        self._transport = transport
        self._document = document

    @classmethod
    def received(cls, transport: Transport, document: Any) -> Job:
        """Return the job of a document that the server has sent.

        Raises
        ------
        ClientError
            If it cannot be read.
        """
        with reading(transport.url, "a job"):
            if not isinstance(document["ID"], str):
                raise TypeError(f"{document['ID']!r:.80} is no identifier")
            job = cls(transport, dict(document))
            for name in _FIELDS:
                getattr(job, name)
        return job

    @property
    def id(self) -> str:
        """Identifier, a UUID."""
        return str(self._document["ID"])

    @property
    def type(self) -> str:
        """``Archive``, ``Media``, ``ResourceModification`` …."""
        return str(self._document.get("Type", ""))

    @property
    def state(self) -> JobState:
        """State at the last refresh."""
        return JobState(self._document.get("State", "Pending"))

    @property
    def progress(self) -> int:
        """Percentage done, 0 to 100."""
        return min(max(int(self._document.get("Progress", 0)), 0), 100)

    @property
    def priority(self) -> int:
        """Priority; jobs with a higher one run earlier."""
        return int(self._document.get("Priority", 0))

    @property
    def runtime(self) -> float:
        """``EffectiveRuntime`` in seconds: the run time and, as in Orthanc, the last wait for a worker; no pauses."""
        return float(self._document.get("EffectiveRuntime", 0))

    @property
    def content(self) -> dict[str, Any]:
        """Fields that depend on the type of the job."""
        return dict(self._document.get("Content", {}))

    @property
    def _error_code(self) -> int:
        return int(self._document.get("ErrorCode", 0))

    @property
    def error(self) -> str:
        """The error message, "" if there is none."""
        if not self._error_code:
            return ""
        parts = (self._document.get("ErrorDescription", ""), self._document.get("ErrorDetails", ""))
        return ": ".join(part for part in parts if part)

    @property
    def created(self) -> datetime | None:
        """Time of submission, UTC."""
        text = self._document.get("CreationTime")
        return parse_iso(text) if text else None

    @property
    def completed(self) -> datetime | None:
        """Time of completion, UTC; None until then."""
        text = self._document.get("CompletionTime")
        return parse_iso(text) if text else None

    @property
    def eta(self) -> datetime | None:
        """Estimated time of completion, UTC; only while the job runs."""
        text = self._document.get("EstimatedTimeOfArrival")
        return parse_iso(text) if text else None

    @property
    def document(self) -> dict[str, Any]:
        """The job's JSON object from the server."""
        return dict(self._document)

    def refresh(self, *, timeout: float | None = None) -> Job:
        """Fetch the state of the job again.

        Parameters
        ----------
        timeout
            Seconds to wait for the response; if given, the request is sent only once.

        Raises
        ------
        NotFoundError
            If the server no longer knows the job (see ``JobsHistorySize``).
        """
        if timeout is None:
            answer = self._transport.get(f"/jobs/{self.id}")
        else:
            seconds = min(timeout, self._transport.timeout)
            answer = self._transport.json("GET", f"/jobs/{self.id}", timeout=seconds, retries=0)
        self._document = self.received(self._transport, answer)._document
        return self

    def _do(self, action: str) -> Job:
        harmless = action in ("pause", "cancel")  # a second resume is refused, and would hide the first
        try:
            self._transport.send("POST", f"/jobs/{self.id}/{action}", again=harmless)
        except ResponseError as error:
            raise self._refusal(error) from None
        with suppress(NotFoundError):  # done, but the job has ended and dropped out of a short history
            self.refresh()
        return self

    def _refusal(self, error: ResponseError) -> ResponseError:
        """Return the error with the state that forbids the action, if it does."""
        if error.status != 400:
            return error
        with suppress(ClientError):
            state = self.refresh().state.value
            return error.with_advice(
                f"The job is in the state {state}: only one in Paused can be resumed, and only one in Failure "
                "resubmitted. To repeat another one, make the call anew that made it."
            )
        return error

    def pause(self) -> Job:
        """Pause the job; a running job pauses after its current step."""
        return self._do("pause")

    def resume(self) -> Job:
        """Continue a paused job from where it stopped.

        Raises
        ------
        ResponseError
            If it is not paused; the message tells its state.
        """
        return self._do("resume")

    def cancel(self) -> Job:
        """Cancel the job; a running job ends after its current step."""
        return self._do("cancel")

    def resubmit(self) -> Job:
        """Run a failed job again from its beginning.

        Raises
        ------
        ResponseError
            If it has not failed; the message tells its state.
        """
        return self._do("resubmit")

    def delete(self) -> None:
        """Remove the job from the history, with its outputs."""
        self._transport.send("DELETE", f"/jobs/{self.id}")

    def wait(
        self,
        timeout: float = _TIMEOUT,
        *,
        progress: Progress | Literal[False] | None = None,
        paused: Choice = "raise",
        retry: Choice = "wait",
        outage: float = _OUTAGE,
    ) -> Job:
        """Wait for the end of the job, even across a restart of the server.

        Parameters
        ----------
        timeout
            Maximum number of seconds to wait.
        progress
            Called with the job after each poll, in place of a progress bar; False for neither.
        paused
            What to do if the job is Paused: ``"raise"`` `JobPausedError`, or keep on with ``"wait"``.
        retry
            The same for the state Retry and `JobRetryError`.
        outage
            Number of seconds that the server may be unreachable.

        Raises
        ------
        ValueError
            For another choice.
        TypeError
            If `timeout` or `outage` is not a number.
        JobFailedError, CanceledError
            If the job failed or was canceled.
        JobPausedError, JobRetryError, JobTimeoutError
            If the job has not ended and this call stops waiting for it.
        JobForgottenError
            If the server no longer knows the job.
        UnreachableError
            If the server stays unreachable.

        Examples
        --------
        >>> job = client.studies.find()[0].archive_job(priority=3)
        >>> job.wait(timeout=60).state.value, job.priority, job.progress
        ('Success', 3, 100)
        """
        watch = Watch(self, timeout, paused=paused, retry=retry, outage=outage)
        with self._following(progress) as tell:
            while True:
                if watch.poll():
                    tell(self)
                pause = watch.pause()
                if pause is None:
                    return self
                time.sleep(pause)

    async def wait_async(
        self,
        timeout: float = _TIMEOUT,
        *,
        progress: Progress | Literal[False] | None = None,
        paused: Choice = "raise",
        retry: Choice = "wait",
        outage: float = _OUTAGE,
    ) -> Job:
        """Wait like `wait`, without blocking the event loop, for example that of a notebook kernel.

        Examples
        --------
        >>> job = client.studies.find()[0].media_job()
        >>> import asyncio
        >>> asyncio.run(job.wait_async()).type
        'Media'
        """
        watch = Watch(self, timeout, paused=paused, retry=retry, outage=outage)
        with self._following(progress) as tell:
            while True:
                if await asyncio.to_thread(watch.poll):
                    tell(self)
                pause = watch.pause()
                if pause is None:
                    return self
                await asyncio.sleep(pause)

    @contextmanager
    def _following(self, progress: Progress | Literal[False] | None) -> Iterator[Progress]:
        if callable(progress):
            yield progress
            return
        name = f"{self.type or 'Job'} job"
        with following(progress, name, f"{name}:", "%") as tell:
            yield lambda job: tell(job.progress, 100)

    def story(self) -> Story:
        """Return what happened to the job, each move with its cause; only from the server of this package.

        The log is in the memory of the server: it begins with the start of the server, for each job that was on disk
        with the state in which it was found.

        Raises
        ------
        NoEventLogError
            If the server has no such log.

        Examples
        --------
        >>> job = client.studies.find()[0].archive_job().wait()
        >>> [event.after.value for event in job.story().moves]
        ['Pending', 'Running', 'Success']
        """
        return Story(self.id, all_events(self._transport, job=self.id), self.created)

    def why(self) -> str:
        """Return what the job waits for, in words; only from the server of this package.

        Raises
        ------
        NoEventLogError
            If the server has no log of events.
        JobForgottenError
            If the server no longer knows the job.

        Examples
        --------
        >>> client.studies.find()[0].archive_job().wait().why()
        'It waits for nothing: it has ended.'
        """
        events = all_events(self._transport, job=self.id)
        try:
            place = place_of(self._transport, self.id)
            self.refresh()
        except NotFoundError:
            raise JobForgottenError(self.id) from None
        return reason(self.state, (self._error_code, self.error), events, place)

    def download(
        self,
        path: str | Path,
        key: str = "archive",
        *,
        progress: Follow = None,
        timeout: float | None = None,
        verify: bool = False,
    ) -> Path:
        """Save an output of the job.

        Parameters
        ----------
        path
            The file to write; or a folder, where the file gets the server's name (without a leading dot, and with a
            number if there is such a file). It appears under its name only once it is complete.
        key
            Name of the output; archives and media have a single one, ``archive``.
        progress
            Called with the bytes received so far and the total, in place of a progress bar; False for neither.
        timeout
            Seconds to wait for the next part of it; None for five minutes.
        verify
            Compare the MD5 of each file in an archive with the one that the server has kept since the upload; not for
            an archive that is transcoded.

        Raises
        ------
        NotFoundError
            If there is no such output, or no longer (see ``MediaArchiveSize``).
        ConnectionLostError
            If the connection was lost before the end, again and again.
        DamagedDownloadError
            With `verify`, if a file is not what was uploaded.
        """
        options: dict[str, Any] = {"suffix": ".zip" if key == "archive" else "", "progress": progress}
        if verify:
            options["check"] = partial(check_archive, self._transport)
        return save_stream(self._transport, "GET", f"/jobs/{self.id}/{key}", Path(path), timeout=timeout, **options)

    def delete_output(self, key: str = "archive") -> None:
        """Remove an output from the server's disk; the job stays in the history."""
        self._transport.send("DELETE", f"/jobs/{self.id}/{key}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        words = f", {self.error}" if self.error else ""
        return visible(f"<Job {self.id[:8]} {self.type} {self.state.value} {self.progress} %{words}>")

    def _repr_html_(self) -> str:
        rows = {
            "Job": self.id,
            "Priority": self.priority,
            "Created": display.moment(self.created),
            "Completed": display.moment(self.completed),
            "Expected": display.moment(self.eta),
            **self._duration(),
            "Error": self.error,
        }
        return display.card(f"{self.type} · {self.state.value}", rows, below=display.progress_bar(self.progress))

    def _duration(self) -> dict[str, str]:
        # While a job runs, Orthanc only tells the time since its last step; of another, the last wait for a worker
        # and the run time together.
        return {} if self.state is JobState.RUNNING else {"Waited and ran": f"{self.runtime:.3f} s"}


def submit(transport: Transport, path: str, body: dict[str, Any] | None, priority: int) -> Job:
    """POST a body to a route that makes a job, asynchronously, and return the job.

    Raises
    ------
    ClientError
        If the route does not make a job.
    """
    answer = transport.json("POST", path, json={**(body or {}), "Synchronous": False, "Priority": priority})
    if not isinstance(answer, dict) or not str(answer.get("Path", "")).startswith("/jobs/"):
        raise ClientError(f"POST {path} succeeded, but this route does not make a job: {str(answer)[:200]}")
    job = Job(transport, {"ID": answer.get("ID"), "Priority": priority})
    try:
        return job.refresh()
    except NotFoundError:  # it has already dropped out of a short history
        return job
