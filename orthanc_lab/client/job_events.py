"""The log of events that the server of this package keeps of its jobs."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from orthanc_lab.client.errors import NoEventLogError, NotFoundError, reading
from orthanc_lab.client.transport import Transport
from orthanc_lab.protocol.job_events import JobEvent, read_event
from orthanc_lab.protocol.timestamps import parse_iso

__all__ = ["EventPage", "Place", "all_events", "events_page", "place_of"]

_PAGE = 10_000


@dataclass(frozen=True, slots=True)
class EventPage:
    """A part of the log."""

    events: list[JobEvent]
    done: bool  # whether it reaches to the end of the log
    began: datetime  # UTC; another one is another log, since the server was restarted
    first: int  # the oldest event that the server still has, 0 if there is none
    last: int


@dataclass(frozen=True, slots=True)
class Place:
    """Where a job stands among those that wait for a worker."""

    workers: int
    ahead: int | None  # jobs that go before it; None if it does not wait for a worker


def events_page(transport: Transport, since: int = 0, *, job: str | None = None, limit: int | None = None) -> EventPage:
    """Return the events after one, as many as the server sends at once.

    Raises
    ------
    NoEventLogError
        If the server has no such log.
    """
    asked = {"since": since, "limit": limit or _PAGE, **({"job": job} if job else {})}
    try:
        answer = transport.get("/orthanc-lab/events", asked)
    except NotFoundError:
        raise NoEventLogError(transport.url) from None
    with reading(transport.url, "a log of events"):
        events = [read_event(document) for document in answer["Events"]]
        return EventPage(
            events, bool(answer["Done"]), parse_iso(answer["Began"]), int(answer["First"]), int(answer["Last"])
        )


def all_events(transport: Transport, since: int = 0, *, job: str | None = None) -> list[JobEvent]:
    """Return all events after one that the server still has."""
    found: list[JobEvent] = []
    while True:
        page = events_page(transport, since, job=job)
        found += page.events
        if page.done or not page.events or page.events[-1].sequence <= since:
            return found
        since = page.events[-1].sequence


def place_of(transport: Transport, job: str) -> Place:
    """Return where a job stands among those that wait for a worker.

    Raises
    ------
    NotFoundError
        If the server no longer knows the job.
    """
    answer = transport.get(f"/orthanc-lab/jobs/{job}/waiting")
    with reading(transport.url, "the place of a job"):
        ahead = answer["Ahead"]
        return Place(int(answer["Workers"]), None if ahead is None else int(ahead))
