"""Jobs: what the server says of them, their controls, and waiting for their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

from orthanc_lab.client import display
from orthanc_lab.client.download import Bytes, save_stream
from orthanc_lab.client.errors import ClientError, NotFoundError
from orthanc_lab.client.transport import Transport
from orthanc_lab.client.waiting import Choice, Watch
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.timestamps import parse_iso

__all__ = ["Job", "Jobs", "Progress", "submit"]

Progress = Callable[["Job"], None]
"""Called with the job each time it was looked at."""

_TIMEOUT = 600.0  # seconds that a wait lasts at most, unless told otherwise
_OUTAGE = 30.0  # seconds that a server may be away (a restart) while one waits


class Job:
    """One job of the server. Its fields are those of the last look; `refresh` looks again.

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
        """State at the last look."""
        return JobState(self._document.get("State", "Pending"))

    @property
    def progress(self) -> int:
        """Percent done, 0 to 100."""
        return int(self._document.get("Progress", 0))

    @property
    def priority(self) -> int:
        """Priority; higher runs earlier."""
        return int(self._document.get("Priority", 0))

    @property
    def runtime(self) -> float:
        """Effective run time in seconds."""
        return float(self._document.get("EffectiveRuntime", 0))

    @property
    def content(self) -> dict[str, Any]:
        """What is particular to the type of the job."""
        return dict(self._document.get("Content", {}))

    @property
    def error(self) -> str:
        """The error in words, "" if there is none."""
        if not self._document.get("ErrorCode"):
            return ""
        parts = (self._document.get("ErrorDescription", ""), self._document.get("ErrorDetails", ""))
        return ": ".join(part for part in parts if part)

    @property
    def created(self) -> datetime | None:
        """Time of the submission, UTC."""
        text = self._document.get("CreationTime")
        return parse_iso(text) if text else None

    @property
    def completed(self) -> datetime | None:
        """Time of the end, UTC; None before it."""
        text = self._document.get("CompletionTime")
        return parse_iso(text) if text else None

    @property
    def eta(self) -> datetime | None:
        """Estimated time of the end, UTC; only while it runs."""
        text = self._document.get("EstimatedTimeOfArrival")
        return parse_iso(text) if text else None

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object of the server."""
        return dict(self._document)

    def refresh(self, *, timeout: float | None = None) -> Job:
        """Look at the job again.

        Parameters
        ----------
        timeout
            Seconds; with it the look is tried just once.

        Raises
        ------
        NotFoundError
            If the server has forgotten it (see ``JobsHistorySize``).
        """
        if timeout is None:
            self._document = self._transport.get(f"/jobs/{self.id}")
        else:
            seconds = min(timeout, self._transport.timeout)
            self._document = self._transport.json("GET", f"/jobs/{self.id}", timeout=seconds, retries=0)
        return self

    def _do(self, action: str) -> Job:
        harmless = action in ("pause", "cancel")  # the second resume of a job is refused, and would hide the first
        self._transport.send("POST", f"/jobs/{self.id}/{action}", again=harmless)
        return self.refresh()

    def pause(self) -> Job:
        """Pause it; a running job pauses after its current step."""
        return self._do("pause")

    def resume(self) -> Job:
        """Let a paused job go on where it stood."""
        return self._do("resume")

    def cancel(self) -> Job:
        """Cancel it; a running job ends after its current step."""
        return self._do("cancel")

    def resubmit(self) -> Job:
        """Run a failed job again from its beginning."""
        return self._do("resubmit")

    def delete(self) -> None:
        """Remove it from the history, with its outputs."""
        self._transport.send("DELETE", f"/jobs/{self.id}")

    def wait(
        self,
        timeout: float = _TIMEOUT,
        *,
        progress: Progress | None = None,
        paused: Choice = "raise",
        retry: Choice = "wait",
        outage: float = _OUTAGE,
    ) -> Job:
        """Wait for the end, also across a restart of the server.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        progress
            Called with the job after each look.
        paused
            What to do while it is Paused: ``"raise"`` `JobPausedError`, or ``"wait"`` on.
        retry
            The same for the state Retry and `JobRetryError`.
        outage
            Seconds that the server may be away.

        Raises
        ------
        JobFailedError, CanceledError
            If it ended so.
        JobPausedError, JobRetryError, JobTimeoutError
            If it goes on without us.
        JobForgottenError
            If the server does not know it any more.
        UnreachableError
            If the server stays away.

        Examples
        --------
        >>> job = client.studies.find()[0].archive_job(priority=3)
        >>> job.wait(timeout=60).state.value, job.priority, job.progress
        ('Success', 3, 100)
        """
        watch = Watch(self, timeout, paused=paused, retry=retry, outage=outage)
        while True:
            if watch.look() and progress is not None:
                progress(self)
            pause = watch.pause()
            if pause is None:
                return self
            time.sleep(pause)

    async def wait_async(
        self,
        timeout: float = _TIMEOUT,
        *,
        progress: Progress | None = None,
        paused: Choice = "raise",
        retry: Choice = "wait",
        outage: float = _OUTAGE,
    ) -> Job:
        """Wait as `wait` does, without blocking the event loop (of a notebook kernel, say).

        Examples
        --------
        >>> job = client.studies.find()[0].media_job()
        >>> import asyncio
        >>> asyncio.run(job.wait_async()).type
        'Media'
        """
        watch = Watch(self, timeout, paused=paused, retry=retry, outage=outage)
        while True:
            if await asyncio.to_thread(watch.look) and progress is not None:
                progress(self)
            pause = watch.pause()
            if pause is None:
                return self
            await asyncio.sleep(pause)

    def download(self, path: str | Path, key: str = "archive", *, progress: Bytes | None = None) -> Path:
        """Save an output of the job.

        Parameters
        ----------
        path
            File to write, or a folder (the server's file name is used then). It appears under
            its name only when it is whole.
        key
            Name of the output; archives and media have one, ``archive``.
        progress
            Called with the bytes so far and in all.

        Raises
        ------
        NotFoundError
            If there is no such output (any more, see ``MediaArchiveSize``).
        ConnectionLostError
            If the connection was lost before the end.
        """
        return save_stream(self._transport, "GET", f"/jobs/{self.id}/{key}", Path(path), progress=progress)

    def delete_output(self, key: str = "archive") -> None:
        """Remove an output from the server's disk; the job stays in the history."""
        self._transport.send("DELETE", f"/jobs/{self.id}/{key}")

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Job) and self.id == other.id

    def __hash__(self) -> int:
        return hash(self.id)

    def __repr__(self) -> str:
        words = f", {self.error}" if self.error else ""
        return f"<Job {self.id[:8]} {self.type} {self.state.value} {self.progress} %{words}>"

    def _repr_html_(self) -> str:
        return display.job_card(self)


class Jobs:
    """The jobs of a server: ``client.jobs[id]``, ``for job in client.jobs``, ``client.jobs.list("Running")``.

    Examples
    --------
    >>> job = client.studies.find()[0].archive_job(priority=1)
    >>> client.jobs[job.id] == job
    True
    >>> job.wait().delete()
    >>> job.id in [other.id for other in client.jobs.list("Success")]
    False
    """

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def list(self, state: JobState | str | None = None, type: str | None = None) -> list[Job]:
        """Return the jobs, the latest first.

        Parameters
        ----------
        state
            Only those in this state, ``"Running"``.
        type
            Only those of this type, ``"Archive"``.

        Raises
        ------
        ValueError
            If there is no such state.
        """
        wanted = None if state is None else JobState(state)
        found = (Job(self._transport, document) for document in self._transport.get("/jobs", {"expand": ""}))
        chosen = [job for job in found if wanted in (None, job.state) and type in (None, job.type)]
        return sorted(chosen, key=lambda job: (job.document.get("CreationTime", ""), job.id), reverse=True)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self._transport.get("/jobs"))

    def __getitem__(self, id: str) -> Job:
        try:
            return Job(self._transport, {"ID": id}).refresh()
        except NotFoundError:
            raise KeyError(id) from None

    def submit(self, path: str, body: dict[str, Any] | None = None, *, priority: int = 0) -> Job:
        """POST a body to any route that makes a job, asynchronously, and return the job.

        Examples
        --------
        >>> study = client.studies.find()[0]
        >>> client.jobs.submit(f"{study.path}/archive", priority=2)
        <Job ... Archive ...>
        """
        return submit(self._transport, path, body, priority)

    def __repr__(self) -> str:
        try:
            return f"<Jobs of {self._transport.url}: {len(self)}>"
        except ClientError as error:
            return f"<Jobs of {self._transport.url}: {type(error).__name__}>"

    def _repr_html_(self) -> str:
        return display.jobs_table(self)


def submit(transport: Transport, path: str, body: dict[str, Any] | None, priority: int) -> Job:
    """POST a body to a route that makes a job, asynchronously, and return the job.

    Raises
    ------
    ClientError
        If the route makes no job.
    """
    answer = transport.json("POST", path, json={**(body or {}), "Synchronous": False, "Priority": priority})
    if not isinstance(answer, dict) or not str(answer.get("Path", "")).startswith("/jobs/"):
        raise ClientError(f"POST {path} was carried out, but makes no job: {str(answer)[:200]}")
    job = Job(transport, {"ID": answer["ID"], "Priority": priority})
    try:
        return job.refresh()
    except NotFoundError:  # a short history has forgotten it already
        return job
