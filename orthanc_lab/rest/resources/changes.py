"""The log of changes and the log of exports."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.timestamps import iso_seconds
from orthanc_lab.rest.http.answers import answer_json, answer_nothing
from orthanc_lab.rest.http.arguments import names_in, query_arguments
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.records import Change, Export

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Changes", "Exports"]

_DEFAULT_LIMIT = 100
_INTEGER = re.compile(r"[+-]?[0-9]{1,19}")
_LARGEST = {"since": 2**63 - 1, "limit": 2**32 - 1, "to": 2**63 - 1}  # a number beyond that is none
_TYPES = {change.value: change for change in ChangeType}
_NEVER_LOGGED = frozenset({"Deleted", "NewChildInstance"})


class Changes:
    """What happened to the resources, in order."""

    writes = ("DELETE",)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the changes after ``since`` (``limit``, ``to``, ``type``), or the ``last`` one."""
        arguments = query_arguments(req)
        found, done = self._found(arguments)
        last = 0
        if not found:
            last = self._storage.last_change_number()
            found, done = self._found(arguments)  # again: who goes on from there must not pass over any
        document: dict[str, Any] = {"Changes": [_change_json(change) for change in found], "Done": done}
        if found:
            document["First"] = found[0].seq
        document["Last"] = found[-1].seq if found else last
        answer_json(req, resp, document)

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Forget the changes; numbers go on."""
        self._storage.clear_changes()
        answer_nothing(resp)

    def _found(self, arguments: dict[str, str]) -> tuple[list[Change], bool]:
        text = arguments.get("type", "")
        names = [] if text in ("all", "All") else names_in(text)
        for name in names:
            if name not in _TYPES and name not in _NEVER_LOGGED:
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Invalid value for a change: {name}")
        if "last" in arguments:
            change = self._storage.last_change()
            return ([] if change is None else [change]), True
        types = [_TYPES[name] for name in names if name in _TYPES]
        since, limit, to = _numbers(arguments, "since", "limit", "to")
        if limit == _LARGEST["limit"] or to < -1 or (names and not types):
            return [], True
        return self._storage.changes(max(since, 0), limit, to=None if to == -1 else to, types=types)


class Exports:
    """What was sent to other servers; only filled with ``LogExportedResources``."""

    writes = ("DELETE",)

    def __init__(self, services: Services) -> None:
        self._storage = services.storage

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the exports after ``since`` (``limit``), or the ``last`` one."""
        arguments = query_arguments(req)
        since, limit, _ = _numbers(arguments, "since", "limit")
        if "last" in arguments:
            found, done = self._last()
            since = 0
        elif limit == _LARGEST["limit"]:
            found, done = [], True
        else:
            found, done = self._storage.exports(max(since, 0), limit)
        document: dict[str, Any] = {"Done": done, "Exports": [_export_json(export) for export in found]}
        if found:
            document["First"] = found[0].seq
        document["Last"] = found[-1].seq if found else since  # from where a client goes on
        answer_json(req, resp, document)

    def on_delete(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Forget the exports."""
        self._storage.clear_exports()
        answer_nothing(resp)

    def _last(self) -> tuple[list[Export], bool]:
        last: list[Export] = []
        done = False
        while not done:
            found, done = self._storage.exports(last[0].seq if last else 0, 1000)
            last = found[-1:] or last
        return last, True


def _numbers(arguments: dict[str, str], *names: str) -> tuple[int, int, int]:
    """Return since, limit and to; if one of them is not a number, all take their defaults.

    A negative limit counts from the end of the numbers of 32 bits, as in Orthanc.
    """
    numbers = {"since": 0, "limit": _DEFAULT_LIMIT, "to": -1}
    found = dict(numbers)
    for name in names:
        text = arguments.get(name)
        if text is not None:
            if not _INTEGER.fullmatch(text) or abs(int(text)) > _LARGEST[name]:
                found = numbers
                break
            found[name] = int(text)
    return found["since"], found["limit"] % 2**32, found["to"]


def _change_json(change: Change) -> dict[str, Any]:
    return {
        "ChangeType": change.type.value,
        "Date": iso_seconds(change.date),
        "ID": change.id,
        "Path": f"/{change.level.plural}/{change.id}",
        "ResourceType": change.level.value,
        "Seq": change.seq,
    }


def _export_json(export: Export) -> dict[str, Any]:
    document: dict[str, Any] = {
        "Date": iso_seconds(export.date),
        "ID": export.id,
        "Path": f"/{export.level.plural}/{export.id}",
        "PatientID": export.patient_id,
        "RemoteModality": export.remote_modality,
        "ResourceType": export.level.value,
        "Seq": export.seq,
    }
    below = (
        (Level.STUDY, "StudyInstanceUID", export.study_instance_uid),
        (Level.SERIES, "SeriesInstanceUID", export.series_instance_uid),
        (Level.INSTANCE, "SOPInstanceUID", export.sop_instance_uid),
    )
    document.update((name, value) for level, name, value in below if level.depth <= export.level.depth)
    return document


ROUTES: Sequence[tuple[str, type]] = (("/changes", Changes), ("/exports", Exports))
