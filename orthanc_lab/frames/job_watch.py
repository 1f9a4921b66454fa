"""Watching the jobs on a server: recording when each changes its state."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import pandas as pd

from orthanc_lab.client import Client, ClientError, Job
from orthanc_lab.client.errors import reading
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.background_polling import BackgroundPolling
from orthanc_lab.frames.columns import utc
from orthanc_lab.frames.job_spans import Span, spans_frame
from orthanc_lab.frames.polling import Wait, check_interval
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import Clock, SystemClock
from orthanc_lab.protocol.timestamps import parse_iso

__all__ = ["JobWatch"]

_FINAL = (JobState.SUCCESS.value, JobState.FAILURE.value)


class JobWatch(BackgroundPolling):
    """Watches the jobs on a server in the background, and records when each changes its state.

    A job that has already ended when it is first seen counts as running since its submission, with ``observed`` False.

    Parameters
    ----------
    interval
        Seconds between two polls, which is the precision of the spans.
    capacity
        Number of changes of state to keep; the oldest are dropped.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.serve() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     with frames.JobWatch(client, interval=0.02) as watch:
    ...         _ = list(client.studies)[0].archive_job().wait()
    ...         while not watch.spans()["end"].notna().any():
    ...             pass
    >>> watch.spans()["type"].iloc[-1]
    'Archive'
    """

    def __init__(
        self,
        client: Client,
        interval: float = 0.25,
        capacity: int = 20_000,
        *,
        clock: Clock | None = None,
        wait: Wait = threading.Event.wait,
    ) -> None:
        check_interval(interval, capacity)
        super().__init__(self._watch, interval, clock or SystemClock(), wait)
        check_client(client)
        self._client = client
        self._lock = threading.Lock()
        self._changes: deque[tuple[datetime, dict[str, Any], str]] = deque(maxlen=capacity)
        self._last: dict[str, tuple[str, dict[str, Any]]] = {}  # state and job at the last poll
        self._began: datetime | None = None
        self._polled: datetime | None = None
        self._workers = 0  # the largest number of jobs seen running at once
        self.gap = ""  # why the last poll failed, "" if it did not

    def __repr__(self) -> str:
        doing = f"every {self.interval:g} s" if self.is_running else "stopped"
        return f"<JobWatch of {self._client.url}: {len(self._changes)} changes of state, {doing}>"

    def _watch(self, time: datetime, missed: bool) -> None:
        try:
            documents = [] if missed else self._documents()
            self.gap = "missed" if missed else ""
        except (ClientError, ValueError) as error:
            self.gap = str(error)
        with self._lock:
            if self.gap:
                self._lose()
                return
            self._note(time, documents)

    def poll(self) -> None:
        """Poll once, now, by the server's clock; with or without polling in the background.

        Spans are exact if the caller knows when something happens, and polls at that time.

        Raises
        ------
        ClientError
            If the server does not answer.

        Examples
        --------
        >>> import orthanc_lab
        >>> from orthanc_lab import frames, samples
        >>> with orthanc_lab.in_process() as server:
        ...     client = orthanc_lab.Client.from_server(server)
        ...     watch = frames.JobWatch(client)
        ...     watch.poll()
        ...     _ = client.upload(samples.path("ct/soft_tissue"))
        ...     _ = list(client.studies)[0].archive_job().wait()
        ...     watch.poll()
        >>> watch.spans()["state"].tolist()
        ['Running']
        """
        documents = self._documents()
        with self._lock:
            self._note(_server_time(documents) or self._clock.now(), documents)

    def _documents(self) -> list[dict[str, Any]]:
        transport = self._client.transport
        answer = transport.json("GET", "/jobs?expand", again=False)
        with reading(transport.url, "jobs"):
            documents = [Job.received(transport, document).document for document in answer]
            _server_time(documents)
        return documents

    def _note(self, time: datetime, documents: list[dict[str, Any]]) -> None:
        seen = {document["ID"]: document for document in documents}
        for id, document in seen.items():
            state = document["State"]
            if self._last.get(id, ("",))[0] != state:
                self._changes.append((time, _reduced(document), state))
        self._last = {id: (document["State"], _reduced(document)) for id, document in seen.items()}
        running = sum(state == JobState.RUNNING.value for state, _ in self._last.values())
        self._workers = max(self._workers, running)
        self._polled = time
        self._began = self._began or time

    def _lose(self) -> None:
        # The last known states end with the last poll: what happened afterwards is unknown.
        for state, document in self._last.values():
            if self._polled is not None and not JobState(state).is_final:
                self._changes.append((self._polled, document, ""))
        self._last = {id: entry for id, entry in self._last.items() if JobState(entry[0]).is_final}

    def spans(self) -> pd.DataFrame:
        """Return the observed spans, with the columns of `job_spans`."""
        with self._lock:
            changes, began, polled = list(self._changes), self._began, self._polled
        by_job: dict[str, list[tuple[datetime, dict[str, Any], str]]] = {}
        for change in changes:
            by_job.setdefault(change[1]["ID"], []).append(change)
        spans = [span for story in by_job.values() for span in _story(story, began, polled)]
        return spans_frame(sorted(spans, key=lambda span: span.start), self._workers or None)


def _server_time(documents: list[dict[str, Any]]) -> datetime | None:
    return max((parse_iso(document["Timestamp"]) for document in documents), default=None)


def _reduced(document: dict[str, Any]) -> dict[str, Any]:
    return {key: document.get(key) for key in ("ID", "Type", "CreationTime", "CompletionTime")}


def _story(
    story: list[tuple[datetime, dict[str, Any], str]], began: datetime | None, polled: datetime | None
) -> Iterable[Span]:
    id, type_ = story[0][1]["ID"], story[0][1]["Type"]
    created = utc([story[0][1]["CreationTime"]]).iloc[0]
    newer, first = began is not None and created > pd.Timestamp(began), True
    begin, state, observed = created, "", True
    for time, document, following in story:
        completed = document["CompletionTime"] if following in _FINAL else None
        moment = utc([completed]).iloc[0] if completed else max(pd.Timestamp(time), begin)
        if state and state not in _FINAL:
            yield Span(id, type_, state, begin, moment, observed)
        elif first and following in _FINAL and newer:
            yield Span(id, type_, JobState.RUNNING.value, created, moment, False)
        # A job submitted after the first poll has been in its first state since its submission.
        begin = created if first and newer else moment
        observed = not (first and newer) or following == JobState.PENDING.value
        state, first = following, False
    if state and state not in _FINAL and polled is not None:
        yield Span(id, type_, state, begin, max(pd.Timestamp(polled), begin), observed)
