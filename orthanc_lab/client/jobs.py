"""Jobs: what the server says of them, their controls, and waiting for their end."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Generator, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from orthanc_lab.client.download import save_stream
from orthanc_lab.client.errors import JobPausedError, JobTimeoutError, NotFoundError, UnreachableError, job_error
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.timestamps import parse_iso

__all__ = ["Job", "Jobs", "Progress"]

Progress = Callable[["Job"], None]
"""Called with the job each time it was looked at."""

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5  # seconds between two looks at a job
_OUTAGE = 20.0  # seconds that a server may be away (a restart) while one waits


class Job:
    """One job of the server. Its fields are those of the last look; `refresh` looks again."""

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
        details = self._document.get("ErrorDetails", "")
        return (
            f"{self._document['ErrorDescription']}: {details}" if details else str(self._document["ErrorDescription"])
        )

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

    def refresh(self) -> Job:
        """Look at the job again.

        Raises
        ------
        NotFoundError
            If the server has forgotten it (see ``JobsHistorySize``).
        """
        self._document = self._transport.get(f"/jobs/{self.id}")
        return self

    def _do(self, action: str) -> Job:
        self._transport.send("POST", f"/jobs/{self.id}/{action}", again=True)
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

    def _looks(self, timeout: float, progress: Progress | None, paused: str) -> Generator[float, None, None]:
        # Yields the seconds to rest before the next look, so that one loop serves both ways of waiting.
        begin = last_answer = time.monotonic()
        pause = _FIRST_PAUSE
        while True:
            try:
                self.refresh()
                last_answer = time.monotonic()
            except UnreachableError:
                if time.monotonic() - last_answer > _OUTAGE:
                    raise
            else:
                if progress is not None:
                    progress(self)
                if self.state is JobState.SUCCESS:
                    return
                if self.state is JobState.FAILURE:
                    raise job_error(self._document)
                if self.state is JobState.PAUSED and paused == "raise":
                    raise JobPausedError(self.id)
            if time.monotonic() - begin > timeout:
                raise JobTimeoutError(self.id, self.state.value, self.progress, timeout)
            yield pause
            pause = min(pause * 1.5, _LONGEST_PAUSE)

    def wait(
        self, timeout: float = 600.0, *, progress: Progress | None = None, paused: Literal["raise", "wait"] = "raise"
    ) -> Job:
        """Wait for the end, also across a restart of the server.

        Parameters
        ----------
        timeout
            Seconds to wait at most.
        progress
            Called with the job after each look.
        paused
            What to do when somebody paused it: ``"raise"`` `JobPausedError`, or ``"wait"`` on.

        Raises
        ------
        JobFailedError, CanceledError, JobPausedError, JobTimeoutError, UnreachableError
            See each.
        """
        for pause in self._looks(timeout, progress, paused):
            time.sleep(pause)
        return self

    async def wait_async(
        self, timeout: float = 600.0, *, progress: Progress | None = None, paused: Literal["raise", "wait"] = "raise"
    ) -> Job:
        """Wait as `wait` does, without blocking the event loop (of a notebook kernel, say)."""
        looks = self._looks(timeout, progress, paused)
        while True:
            pause = await asyncio.to_thread(next, looks, None)
            if pause is None:
                return self
            await asyncio.sleep(pause)

    def download(
        self, path: str | Path, key: str = "archive", *, progress: Callable[[int, int | None], None] | None = None
    ) -> Path:
        """Save an output of the job.

        Parameters
        ----------
        path
            File to write, or a folder (the server's file name is used then). It appears under
            its name only when it is whole.
        progress
            Called with the bytes so far and in all (None if unknown).

        Raises
        ------
        NotFoundError
            If there is no such output (any more, see ``MediaArchiveSize``).
        """
        return save_stream(self._transport, "GET", f"/jobs/{self.id}/{key}", Path(path), progress=progress)

    def __repr__(self) -> str:
        return f"<Job {self.id[:8]} {self.type} {self.state.value} {self.progress} %>"


class Jobs:
    """The jobs of a server, by id: ``client.jobs[id]``, ``for job in client.jobs``."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def __iter__(self) -> Iterator[Job]:
        documents = self._transport.get("/jobs", {"expand": ""})
        return iter([Job(self._transport, document) for document in documents])

    def __len__(self) -> int:
        return len(self._transport.get("/jobs"))

    def __getitem__(self, id: str) -> Job:
        try:
            return Job(self._transport, {"ID": id}).refresh()
        except NotFoundError:
            raise KeyError(id) from None

    def submit(self, path: str, body: dict[str, Any] | None = None, *, priority: int = 0) -> Job:
        """POST a body to a route that creates a job, asynchronously, and return the job."""
        document = {**(body or {}), "Synchronous": False, "Priority": priority}
        answer = self._transport.json("POST", path, json=document)
        return Job(self._transport, {"ID": answer["ID"]}).refresh()

    def __repr__(self) -> str:
        return f"<Jobs of {self._transport.url}: {len(self)}>"
