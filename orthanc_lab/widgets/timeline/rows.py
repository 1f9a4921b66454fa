"""The timeline as rows of a table and bars of lanes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import Any

from orthanc_lab.client.job_story import words
from orthanc_lab.protocol.errors import ERROR_TEXTS, ErrorCode
from orthanc_lab.protocol.job_events import JobEvent
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.widgets.elements.lanes import Bar
from orthanc_lab.widgets.elements.table import Column, Tone
from orthanc_lab.widgets.jobs.job_rows import COLUMNS as JOB_COLUMNS
from orthanc_lab.widgets.timeline.replay import JobThen, Span

__all__ = ["COLUMNS", "bars", "row", "told"]

_STATE, _TYPE, _PROGRESS, _PRIORITY = JOB_COLUMNS[:4]
COLUMNS = (
    _STATE,
    _TYPE,
    _PROGRESS,
    _PRIORITY,
    Column("since", "Since (UTC)", "time"),
    Column("job", "Job"),
    Column("words", "Error", "words"),
)
_TONES: dict[JobState | None, Tone] = {
    JobState.RUNNING: "busy",
    JobState.SUCCESS: "good",
    JobState.FAILURE: "bad",
    JobState.PAUSED: "waiting",
}


def row(then: JobThen) -> dict[str, Any]:
    """Return a job as a table row."""
    is_canceled = then.state is JobState.FAILURE and then.error_code == ErrorCode.CANCELED_JOB
    return {
        "id": then.id,
        "state": "Canceled" if is_canceled else then.state.value,
        "type": then.kind,
        "progress": then.progress,
        "priority": then.priority,
        "since": f"{then.since:%Y-%m-%dT%H:%M:%S}",
        "job": then.id[:8],
        "words": ERROR_TEXTS.get(then.error_code, ERROR_TEXTS[-1]) if then.error_code and not is_canceled else "",
    }


def bars(spans: Iterable[Span], end: datetime) -> Iterator[Bar]:
    """Yield what workers did as bars; what goes on ends at `end`."""
    for span in spans:
        yield Bar(
            f"Worker {span.worker}",
            span.start.timestamp(),
            (span.end or end).timestamp(),
            f"{span.kind} {span.job[:8]}",
            _TONES.get(span.after, "plain"),
        )


def told(event: JobEvent) -> str:
    """Return an event in one line."""
    return f"{event.at:%H:%M:%S.%f} UTC · {event.kind} {event.job[:8]}: {words(event)}"
