"""Moving files between the disk and the bucket: the job ``MoveStorageJob``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError

__all__ = ["MoveStorageJob", "MoveStorageRequest"]

_GROUP = 16  # resources whose files share a commit
_MEGABYTE = 1 << 20
_OF_ONE_FILE = VANISHED | {ErrorCode.CORRUPTED_FILE}
"""What goes wrong with one file, and need not with the next one."""


@dataclass(frozen=True, slots=True)
class MoveStorageRequest:
    """What a call to ``/move-storage`` asks for."""

    target: str  # one of the places of the storage
    resources: Sequence[str]  # Orthanc identifiers of all whose own files are to be moved
    parents: Sequence[str]  # the resources as asked for, sorted, each once
    permissive: bool = False  # go on after a file that could not be moved


class MoveStorageJob:
    """Moves the files of a group of resources a step. A group that is done again finds its files at their place."""

    type = "MoveStorageJob"

    def __init__(self, tools: JobTools, request: MoveStorageRequest) -> None:
        self._tools = tools
        self._request = request
        self.reset()

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> MoveStorageJob:
        """Make a job again from what `serialize` returned."""
        request = MoveStorageRequest(saved["target"], saved["resources"], saved["parents"], saved["permissive"])
        job = cls(tools, request)
        job._position, job._failed = saved["position"], saved["failed"]
        job._moved, job._size = saved["moved"], saved["size"]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request and how much of it is done."""
        request = self._request
        return {
            "target": request.target,
            "resources": list(request.resources),
            "parents": list(request.parents),
            "permissive": request.permissive,
            "position": self._position,
            "failed": self._failed,
            "moved": self._moved,
            "size": self._size,
        }

    def start(self) -> None:
        """Find out whether there are two places: the configuration may be another one than at the call."""
        if self._request.target not in self._tools.storage.file_places():
            details = f"The files are in one place, and cannot be moved to another: {self._request.target}"
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, details)

    def step(self) -> bool:
        """Move the files of the next group."""
        request = self._request
        group = request.resources[self._position : self._position + _GROUP]
        if group:
            moved = self._tools.storage.move_files(group, request.target)
            self._moved += moved.count
            self._size += moved.size
            for failure in moved.failures:
                if not request.permissive or failure.code not in _OF_ONE_FILE:
                    raise failure
            self._failed += len(moved.failures)
            self._position += len(group)
        return self._position < len(request.resources)

    def stop(self, reason: StopReason) -> None:
        """Do nothing: no step leaves anything open."""

    def reset(self) -> None:
        """Begin with the first one again."""
        self._position = 0  # number of resources that are done
        self._failed = 0  # number of files that could not be moved
        self._moved = 0  # number of files
        self._size = 0  # bytes

    def progress(self) -> float:
        """Return the share of resources that are done."""
        total = len(self._request.resources)
        return self._position / total if total else 1.0

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        return {
            "Description": "REST API",
            "FailedFilesCount": self._failed,
            "MovedFilesCount": self._moved,
            "ParentResources": list(self._request.parents),
            "ResourcesCount": len(self._request.resources),
            "Size": str(self._size),
            "SizeMB": self._size // _MEGABYTE,
            "TargetStorage": self._request.target,
        }

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return nothing: it is all in the storage."""
        return {}
