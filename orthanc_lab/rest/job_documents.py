"""A job as JSON, and the text of the list of all jobs kept from one request to the next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from orthanc_lab.jobs.ports import JobView
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.protocol.timestamps import iso_micros

__all__ = ["JobTexts", "job_document"]

_MARK = '\n      "Timestamp" : "'  # at the depth of a job in the list; a line break in a value would be escaped


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
    """The texts of jobs in the list, each written once for as long as the job does not change.

    The engine shows an unchanged job as the same object again, so identity tells.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[JobView, bytes, bytes]] = {}

    def list(self, views: Sequence[JobView], now: datetime) -> bytes:
        """Return the JSON array of jobs, with `now` as the time of the answer."""
        if not views:
            return b"[]"
        timestamp = iso_micros(now).encode("ascii")
        before, known = self._known, {}
        parts: list[bytes] = []
        for view in views:
            text = before.get(view.id)
            if text is None or text[0] is not view:
                text = (view, *_split(view))
            known[view.id] = text
            parts += (text[1], timestamp, text[2])
        self._known = known
        parts[0] = b"[" + parts[0][1:]  # the first one has no comma before it
        parts.append(b"\n]")
        return b"".join(parts)


def _split(view: JobView) -> tuple[bytes, bytes]:
    """Return the text of a job in the list before and after its timestamp."""
    text = house_json.dumps([job_document(view, "")])[1:-2]
    before, after = text.split(_MARK, 1)
    return f",{before}{_MARK}".encode("ascii"), after.encode("ascii")
