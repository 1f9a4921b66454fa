"""A job as JSON; the texts are kept from one request to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from operator import is_
from typing import Any

from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.protocol.timestamps import iso_micros
from orthanc_lab.rest.http.cached_text import TextCache

__all__ = ["JobListText", "JobTexts", "job_document"]

_MARK = b'\n   "Timestamp" : "'  # at the depth of the fields of a job; a line break in a value would be escaped


def job_document(view: JobView, timestamp: str) -> dict[str, Any]:
    """Return the JSON object of a job; `timestamp` is the time of the answer."""
    document = {
        "Content": view.content,
        "CreationTime": iso_micros(view.creation_time),
        "EffectiveRuntime": view.runtime,
        "ErrorCode": view.error_code,
        "ErrorDescription": ERROR_TEXTS.get(view.error_code, ERROR_TEXTS[-1]),
        "ErrorDetails": view.error_details,
        "ID": view.id,
        "Priority": view.priority,
        "Progress": view.progress,
        "State": view.state.value,
        "Timestamp": timestamp,
        "Type": view.type,
    }
    if view.completion_time is not None:
        document["CompletionTime"] = iso_micros(view.completion_time)
    if view.eta is not None:
        document["EstimatedTimeOfArrival"] = iso_micros(view.eta)
    return document


class JobTexts:
    """The texts of single jobs.

    The engine shows an unchanged job as the same object again, so identity tells.
    """

    def __init__(self) -> None:
        self._texts = TextCache[JobView](_split, same=is_)

    def text(self, view: JobView, now: datetime) -> bytes:
        """Return the JSON object of a job, with `now` as the time of the answer."""
        return iso_micros(now).encode("ascii").join(self._texts.pieces(view, view.id))


class JobListText:
    """The text of the list of all jobs, of which only the changed parts are written again."""

    def __init__(self) -> None:
        self._last: tuple[list[JobView], list[bytes]] = ([], [b"[]"])
        self._texts = TextCache[JobView](_split_item, same=is_, size=None)

    def text(self, views: Sequence[JobView], now: datetime) -> bytes:
        """Return the JSON array of jobs, with `now` as the time of the answer."""
        last, between = self._last
        if len(last) != len(views) or not all(map(is_, last, views)):
            between = self._written(views)
            self._last = (list(views), between)
        # Between two pieces stands the time of the answer.
        return iso_micros(now).encode("ascii").join(between)

    def _written(self, views: Sequence[JobView]) -> list[bytes]:
        if not views:
            self._texts.retain(())
            return [b"[]"]
        pieces: list[bytes] = []
        end = b"["
        for view in views:
            before, after = self._texts.pieces(view, view.id)
            pieces.append(b"%b\n   %b" % (end, before))
            end = after + b","
        self._texts.retain([view.id for view in views])
        return [*pieces, end[:-1] + b"\n]"]


def _split(view: JobView) -> tuple[bytes, bytes]:
    """Return the text of a job before and after its timestamp."""
    before, after = house_json.dumps(job_document(view, "")).encode("ascii").split(_MARK, 1)
    return before + _MARK, after


def _split_item(view: JobView) -> tuple[bytes, bytes]:
    """Return the same, indented as in a list."""
    before, after = _split(view)
    return before.replace(b"\n", b"\n   "), after.replace(b"\n", b"\n   ")
