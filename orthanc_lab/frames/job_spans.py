"""When each job waited, ran and was paused: spans, and how they are inferred from the final times."""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from orthanc_lab.frames.arguments import JOBS, check_frame
from orthanc_lab.frames.columns import COLUMNS
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Span", "job_spans", "spans_frame"]

_HELD = 0.02  # seconds outside the run time from which on a job counts as having been paused
_COLUMNS = ("id", "type", "state", "start", "end", "worker", "observed")


@dataclass(frozen=True)
class Span:
    """A period during which a job was in one state."""

    id: str
    type: str
    state: str
    start: pd.Timestamp
    end: pd.Timestamp
    observed: bool


def job_spans(jobs: pd.DataFrame, workers: int = 2) -> pd.DataFrame:
    """Infer from the final times of jobs when each waited, ran and was paused.

    Orthanc reports the times of submission and completion and the run time, but not the start. With a known number of
    `workers` (``ConcurrentJobs``), a job cannot have started before one of them was free, and jobs end approximately
    in the order in which they start; the start follows from that. Any time that is not run time is taken as a pause
    at the beginning, which is an assumption. For exact spans, see `frames.JobWatch`.

    Columns: ``id``, ``type``, ``state`` (Pending, Running, Paused), ``start``, ``end``, ``worker``, ``observed``.

    Parameters
    ----------
    jobs
        A frame from `frames.jobs`.

    Raises
    ------
    TypeError, ValueError
        For what is no frame, or not one of jobs, and for less than one worker.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     _ = list(client.studies)[0].archive_job().wait()
    ...     frames.job_spans(frames.jobs(client))["worker"].dropna().tolist()
    [1]
    """
    if workers < 1:
        raise ValueError(f"There must be at least 1 worker, not {workers}")
    check_frame(jobs, ("id", "type", "state", "created", "completed", "asked", "runtime_s"), JOBS)
    spans: list[Span] = []
    ends: list[pd.Timestamp] = []
    ordered = jobs.assign(until=jobs["completed"].fillna(jobs["asked"])).sort_values("until")
    rows: Iterator[Any] = ordered.itertuples(index=False)
    for row in rows:
        begin, end, state = row.created, row.until, row.state
        if state in (JobState.PENDING.value, JobState.PAUSED.value, JobState.RETRY.value):
            spans.append(Span(row.id, row.type, state, begin, end, False))
            continue
        free = ends[-workers] if len(ends) >= workers else begin
        start = max(begin, free)
        held = (end - begin).total_seconds() - row.runtime_s if pd.notna(row.completed) else 0.0
        paused = begin + pd.Timedelta(seconds=held) if held > _HELD else begin
        start = min(max(start, paused), end)
        if paused > begin:
            spans.append(Span(row.id, row.type, JobState.PAUSED.value, begin, paused, False))
        if start > paused:
            spans.append(Span(row.id, row.type, JobState.PENDING.value, paused, start, False))
        spans.append(Span(row.id, row.type, JobState.RUNNING.value, start, end, False))
        ends.append(end)
    return spans_frame(spans)


def spans_frame(spans: Sequence[Span], workers: int | None = None) -> pd.DataFrame:
    """Return spans as a frame; running ones are assigned to workers.

    If all `workers` are busy when an inferred span begins, it is moved to the time when the first of them is free.
    """
    spans = list(spans)
    lanes = _lanes(spans, workers)
    data = {
        name: pd.Series(
            lanes if name == "worker" else [getattr(span, name) for span in spans], dtype=COLUMNS[name].dtype
        )
        for name in _COLUMNS
    }
    return pd.DataFrame(data)


def _lanes(spans: list[Span], workers: int | None) -> list[int | None]:
    lanes: list[int | None] = [None] * len(spans)
    running = [number for number, span in enumerate(spans) if span.state == JobState.RUNNING.value]
    busy: list[tuple[pd.Timestamp, int]] = []  # end, lane
    free: list[int] = []
    for number in sorted(running, key=lambda number: spans[number].start):
        while busy and busy[0][0] <= spans[number].start:
            heapq.heappush(free, heapq.heappop(busy)[1])
        if not free and not spans[number].observed and len(busy) == workers:
            if busy[0][0] >= spans[number].end:
                lanes[number] = busy[0][1]  # they overlap only because polling is not exact
                continue
            freed, lane = heapq.heappop(busy)
            heapq.heappush(free, lane)
            spans[number] = replace(spans[number], start=freed)
        lane = heapq.heappop(free) if free else len(busy) + 1
        lanes[number] = lane
        heapq.heappush(busy, (spans[number].end, lane))
    return lanes
