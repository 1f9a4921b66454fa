"""The log of events of the jobs, below ``/orthanc-lab``: Orthanc has no such address."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.job_events import event_document
from orthanc_lab.protocol.timestamps import iso_micros
from orthanc_lab.rest.http.answers import EmptyAnswer, answer_json
from orthanc_lab.rest.http.arguments import query_arguments, unsigned
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Events", "Waiting"]

_DEFAULT_LIMIT = 1_000
_MOST = 10_000


class Events:
    """What happened to the jobs since the jobs engine began, in order."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the events of jobs after ``since`` (``limit``, ``job``) that are still kept."""
        arguments = query_arguments(req)
        since = _number(arguments, "since", 0)
        limit = min(_number(arguments, "limit", _DEFAULT_LIMIT) or _MOST, _MOST)
        log = self._engine.events
        found = log.since(since, limit + 1, job=arguments.get("job"))
        answer_json(
            req,
            resp,
            {
                "Events": [event_document(event) for event in found[:limit]],
                "Done": len(found) <= limit,
                "Began": iso_micros(log.began),
                "First": log.first,
                "Last": log.last,
            },
        )


class Waiting:
    """What a job waits for."""

    def __init__(self, services: Services) -> None:
        self._engine = services.engine

    def on_get(self, req: falcon.Request, resp: falcon.Response, job_id: str) -> None:
        """Answer how many workers there are, and how many jobs go before this one; null if it does not wait for one."""
        view = self._engine.get(job_id)
        if view is None:
            raise EmptyAnswer(404)
        document = {"Workers": self._engine.workers, "Ahead": self._engine.ahead(job_id)}
        answer_json(req, resp, document)


def _number(arguments: dict[str, str], name: str, default: int) -> int:
    text = arguments.get(name)
    number = default if text is None else unsigned(text)
    if number is None:
        details = f'Expected a number for GET argument "{name}", found: {text}'
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
    return number


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/orthanc-lab/events", Events),
    ("/orthanc-lab/jobs/{job_id}/waiting", Waiting),
)
