"""Waiting for the end of a job: polling with pauses and a timeout, tolerant of a server restart."""

from __future__ import annotations

import time
from typing import Any, Literal, Protocol, get_args

from orthanc_lab.client.arguments import check_choice, check_seconds
from orthanc_lab.client.errors import (
    JobForgottenError,
    JobPausedError,
    JobRetryError,
    JobTimeoutError,
    NotFoundError,
    ResponseError,
    UnreachableError,
    job_error,
)
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Choice", "Watch", "Watched"]

Choice = Literal["raise", "wait"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5  # seconds between two polls
_SHORTEST_POLL = 1.0  # seconds that a poll may take, however close the timeout is
_AWAY = (502, 503, 504)  # statuses of a server, or of a proxy in front of it, that is starting or stopping


class Watched(Protocol):
    """A job that can be waited for."""

    @property
    def id(self) -> str:
        """Identifier."""
        ...

    @property
    def state(self) -> JobState:
        """State at the last refresh."""
        ...

    @property
    def progress(self) -> int:
        """Percentage done."""
        ...

    @property
    def error(self) -> str:
        """The error message, "" if there is none."""
        ...

    @property
    def document(self) -> dict[str, Any]:
        """The job's JSON object from the server."""
        ...

    def refresh(self, *, timeout: float | None = None) -> Any:
        """Fetch the state again, in at most `timeout` seconds and without retries."""
        ...


class Watch:
    """One wait for one job; blocking and asynchronous waiting both alternate `poll` and `pause`.

    Parameters
    ----------
    timeout
        Seconds from now within which the job must end.
    paused, retry
        What to do if the job is in that state.
    outage
        Number of seconds that the server may be unreachable.

    Raises
    ------
    ValueError
        For another choice.
    TypeError
        If `timeout` or `outage` is not a number.
    """

    def __init__(self, job: Watched, timeout: float, *, paused: Choice, retry: Choice, outage: float) -> None:
        check_choice("paused", paused, get_args(Choice))
        check_choice("retry", retry, get_args(Choice))
        check_seconds("timeout", timeout)
        check_seconds("outage", outage)
        self._job = job
        self._timeout = timeout
        self._refuses = {
            state for state, choice in ((JobState.PAUSED, paused), (JobState.RETRY, retry)) if choice == "raise"
        }
        self._outage = outage
        self._begin = self._last_answer = time.monotonic()
        self._pause = _FIRST_PAUSE
        self._absence: Exception | None = None

    def poll(self) -> bool:
        """Fetch the state of the job once; False if the server is unreachable.

        Raises
        ------
        JobForgottenError
            If the server no longer knows the job.
        """
        left = self._begin + self._timeout - time.monotonic()
        try:
            self._job.refresh(timeout=max(_SHORTEST_POLL, left))
        except UnreachableError as error:
            self._absence = error
            return False
        except NotFoundError:
            raise JobForgottenError(self._job.id) from None
        except ResponseError as error:
            if error.status not in _AWAY:
                raise
            self._absence = error
            return False
        self._absence = None
        self._last_answer = time.monotonic()
        return True

    def pause(self) -> float | None:
        """Return the seconds to pause before the next poll, None if the job succeeded.

        Raises
        ------
        JobFailedError, CanceledError, JobPausedError, JobRetryError, JobTimeoutError, UnreachableError
            See each class.
        """
        now = time.monotonic()
        if self._absence is None:
            if self._job.state is JobState.SUCCESS:
                return None
            self._judge()
        elif now - self._last_answer > self._outage:
            raise self._absence
        left = self._begin + self._timeout - now
        if left <= 0:
            raise JobTimeoutError(self._job.id, self._job.state.value, self._job.progress, self._timeout)
        pause, self._pause = self._pause, min(self._pause * 1.5, _LONGEST_PAUSE)
        return min(pause, left)

    def _judge(self) -> None:
        state = self._job.state
        if state is JobState.FAILURE:
            raise job_error(self._job.document)
        if state in self._refuses:
            if state is JobState.PAUSED:
                raise JobPausedError(self._job.id)
            raise JobRetryError(self._job.id, self._job.error)
