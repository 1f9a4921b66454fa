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

__all__ = ["JobListText", "JobTexts", "job_document"]

_MARK = '\n   "Timestamp" : "'  # at the depth of the fields of a job; a line break in a value would be escaped
_SINGLE_TEXTS = 1000  # how many are kept


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
    """The texts of single jobs, each written once for as long as the job does not change.

    The engine shows an unchanged job as the same object again, so identity tells.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[JobView, bytes, bytes]] = {}

    def text(self, view: JobView, now: datetime) -> bytes:
        """Return the JSON object of a job, with `now` as the time of the answer."""
        known = self._known.get(view.id)
        if known is None or known[0] is not view:
            if len(self._known) >= _SINGLE_TEXTS:
                self._known = {}
            before, after = _split(view)
            self._known[view.id] = known = (view, before.encode("ascii"), after.encode("ascii"))
        return b"%b%b%b" % (known[1], iso_micros(now).encode("ascii"), known[2])


class JobListText:
    """The text of the list of all jobs, of which only what has changed is written again."""

    def __init__(self) -> None:
        self._last: tuple[list[JobView], list[bytes]] = ([], [b"[]"])
        self._known: dict[str, tuple[JobView, str, str]] = {}

    def text(self, views: Sequence[JobView], now: datetime) -> bytes:
        """Return the JSON array of jobs, with `now` as the time of the answer."""
        last, between = self._last
        if len(last) != len(views) or not all(map(is_, last, views)):
            between = self._written(views)
            self._last = (list(views), between)
        # Between two pieces stands the time of the answer.
        return iso_micros(now).encode("ascii").join(between)

    def _written(self, views: Sequence[JobView]) -> list[bytes]:
        before, known = self._known, {}
        pieces: list[bytes] = []
        end = "["
        for view in views:
            text = before.get(view.id)
            if text is None or text[0] is not view:
                text = (view, *_split(view, "\n   "))
            known[view.id] = text
            pieces.append(f"{end}\n   {text[1]}".encode("ascii"))
            end = f"{text[2]},"
        self._known = known
        pieces.append(f"{end[:-1]}\n]".encode("ascii") if views else b"[]")
        return pieces


def _split(view: JobView, line: str = "\n") -> tuple[str, str]:
    """Return the text of a job before and after its timestamp; `line` is the line break with the indentation."""
    before, after = house_json.dumps(job_document(view, "")).split(_MARK, 1)
    text = (before + _MARK, after)
    return text if line == "\n" else (text[0].replace("\n", line), text[1].replace("\n", line))
