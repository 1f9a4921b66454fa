"""The jobs on a server."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any

from orthanc_lab.client import display
from orthanc_lab.client.arguments import check_choice, check_key
from orthanc_lab.client.errors import ClientError, NotFoundError
from orthanc_lab.client.job_events import all_events
from orthanc_lab.client.jobs import Job, submit
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.job_events import JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Jobs"]


class Jobs:
    """The jobs on a server: ``client.jobs[id]``, ``for job in client.jobs``, ``client.jobs.list("Running")``.

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
            Only jobs in this state, such as ``"Running"``.
        type
            Only jobs of this type, such as ``"Archive"``.

        Raises
        ------
        ValueError
            If there is no such state.
        """
        if isinstance(state, str):
            check_choice("state", state, [one.value for one in JobState])
        wanted = None if state is None else JobState(state)
        found = (Job.received(self._transport, document) for document in self._transport.array("/jobs", {"expand": ""}))
        chosen = [job for job in found if wanted in (None, job.state) and type in (None, job.type)]
        return sorted(chosen, key=lambda job: (str(job.document.get("CreationTime", "")), job.id), reverse=True)

    def __iter__(self) -> Iterator[Job]:
        return iter(self.list())

    def __len__(self) -> int:
        return len(self._transport.array("/jobs"))

    def __getitem__(self, id: str) -> Job:
        check_key(id, "client.jobs")
        if id:
            with suppress(NotFoundError):
                return Job(self._transport, {"ID": id}).refresh()
        raise KeyError(f"The server knows no job {id!r}; its history is short (option JobsHistorySize)")

    def submit(self, path: str, body: dict[str, Any] | None = None, *, priority: int = 0) -> Job:
        """POST a body to any route that makes a job, asynchronously, and return the job.

        Raises
        ------
        ClientError
            If the server refuses it, or the route does not make a job.

        Examples
        --------
        >>> study = client.studies.find()[0]
        >>> client.jobs.submit(f"{study.path}/archive", priority=2)
        <Job ... Archive ...>
        """
        return submit(self._transport, path, body, priority)

    def events(self, since: int = 0) -> Sequence[JobEvent]:
        """Return what happened to all jobs, the oldest first; only from the server of this package.

        Parameters
        ----------
        since
            Number of the last event already known.

        Raises
        ------
        NoEventLogError
            If the server has no such log.

        Examples
        --------
        >>> known = client.jobs.events()[-1].sequence
        >>> job = client.studies.find()[0].archive_job().wait()
        >>> [event.event.value for event in client.jobs.events(known) if event.is_move]
        ['Submitted', 'Picked', 'Finished']
        """
        return all_events(self._transport, since)

    def __repr__(self) -> str:
        try:
            return f"<Jobs of {self._transport.url}: {len(self)}>"
        except ClientError as error:
            return f"<Jobs of {self._transport.url}: {type(error).__name__}>"

    def _repr_html_(self) -> str:
        return display.guarded(self._table)

    def _table(self) -> str:
        jobs = self.list()
        if not jobs:
            return "<div>No jobs yet</div>"
        heads = ("Job", "Type", "State", "%", "Priority", "Created", "Error")
        return display.table(
            heads,
            (
                (job.id, job.type, job.state.value, job.progress, job.priority, display.moment(job.created), job.error)
                for job in jobs
            ),
        )
