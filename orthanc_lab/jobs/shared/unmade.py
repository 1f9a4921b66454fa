"""A job that could not be made again from what was saved of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.jobs.machine import Status
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import OrthancError

__all__ = ["UnmadeJob"]


class UnmadeJob:
    """Stands for the job at its worker, and fails with the reason."""

    def __init__(self, type: str, status: Status, error: OrthancError) -> None:
        self.type = type
        self._status = status
        self._error = error

    def start(self) -> None:
        """Fail.

        Raises
        ------
        OrthancError
            What the kind of job raised.
        """
        raise self._error

    def step(self) -> bool:
        """Fail.

        Raises
        ------
        OrthancError
            What the kind of job raised.
        """
        raise self._error

    def stop(self, reason: StopReason) -> None:
        """Do nothing."""

    def reset(self) -> None:
        """Fail.

        Raises
        ------
        OrthancError
            What the kind of job raised.
        """
        raise self._error

    def progress(self) -> float:
        """Return how far the job was."""
        return self._status.progress

    def content(self) -> dict[str, Any]:
        """Return what the job showed."""
        return dict(self._status.content)

    def serialize(self) -> dict[str, Any] | None:
        """Return nothing that replaces what was saved."""
        return {}

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return none."""
        return {}
