"""A job as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from json.encoder import encode_basestring_ascii as _quoted
from operator import is_
from typing import Any

from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.protocol.timestamps import iso_micros
from orthanc_lab.rest.http.cached_text import TextCache

__all__ = ["JobListText", "JobTexts", "job_document"]

_KEPT = 4 << 20  # bytes of texts: some 6,000 jobs
_GAP = b"\0"  # where the time of the answer goes; in a value it would be escaped
_LINE, _DEEPER = "\n", "\n   "  # a line break in a value is escaped


def job_document(view: JobView, timestamp: str) -> dict[str, Any]:
    """Return the JSON object of a job; `timestamp` is the time of the answer."""
    document = {
        "Content": view.content,
        "CreationTime": iso_micros(view.creation_time),
        "EffectiveRuntime": view.runtime,
        "ErrorCode": view.error_code,
        "ErrorDescription": _description(view.error_code),
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


def _description(code: int) -> str:
    return ERROR_TEXTS.get(code, ERROR_TEXTS[-1])


class JobTexts:
    """The texts of single jobs; those asked for last are kept, for clients that poll."""

    def __init__(self) -> None:
        self._texts = TextCache[JobView](_with_gap, size=_KEPT)

    def text(self, view: JobView, now: datetime) -> bytes:
        """Return the JSON object of a job, with `now` as the time of the answer."""
        return self._texts.text(view, view.id).replace(_GAP, iso_micros(now).encode("ascii"))


class JobListText:
    """The text of the list of all jobs, of which only the changed parts are written again.

    The engine shows an unchanged job as the same object again, so identity tells.
    """

    def __init__(self) -> None:
        self._last: tuple[list[JobView], list[bytes]] = ([], [b"[]"])

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
            return [b"[]"]
        last, between = self._last
        known = dict(zip(map(id, last), between, strict=False))
        pieces: list[bytes] = []
        start = b"[\n   "
        for view in views:
            piece = known.get(id(view))
            if piece is None or not piece.startswith(start):  # a piece begins with the end of the job before
                piece = start + _indented(_before(view))
            pieces.append(piece)
            end = _indented(_after(view))
            start = end + b",\n   "
        return [*pieces, end + b"\n]"]


def _with_gap(view: JobView) -> bytes:
    return f"{_before(view)}\0{_after(view)}".encode("ascii")


def _before(view: JobView) -> str:
    """Return the text of a job up to the time of the answer.

    It is spelled out, since `house_json` takes twice as long.
    """
    content = house_json.dumps(view.content)
    if view.content:
        content = "\n" + content
    completion = eta = ""
    if view.completion_time is not None:
        completion = f'"CompletionTime" : "{iso_micros(view.completion_time)}",\n   '
    if view.eta is not None:
        eta = f'"EstimatedTimeOfArrival" : "{iso_micros(view.eta)}",\n   '
    return (
        f'{{\n   {completion}"Content" : {content.replace(_LINE, _DEEPER)},\n'
        f'   "CreationTime" : "{iso_micros(view.creation_time)}",\n'
        f'   "EffectiveRuntime" : {house_json.dumps(view.runtime)},\n'
        f'   "ErrorCode" : {view.error_code},\n'
        f'   "ErrorDescription" : {_quoted(_description(view.error_code))},\n'
        f'   "ErrorDetails" : {house_json.dumps(view.error_details)},\n'
        f'   {eta}"ID" : {_quoted(view.id)},\n'
        f'   "Priority" : {view.priority},\n'
        f'   "Progress" : {view.progress},\n'
        f'   "State" : "{view.state.value}",\n'
        f'   "Timestamp" : "'
    )


def _after(view: JobView) -> str:
    """Return what follows the time of the answer."""
    return f'",\n   "Type" : {_quoted(view.type)}\n}}'


def _indented(text: str) -> bytes:
    return text.replace(_LINE, _DEEPER).encode("ascii")
