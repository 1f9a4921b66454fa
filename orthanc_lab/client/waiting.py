"""Waiting for the end of a job: looks with pauses between them, a time-out, and patience with a restart."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Literal

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

if TYPE_CHECKING:
    from orthanc_lab.client.jobs import Job

__all__ = ["Choice", "Watch"]

Choice = Literal["raise", "wait"]

_FIRST_PAUSE, _LONGEST_PAUSE = 0.01, 0.5  # seconds between two looks
_SHORTEST_LOOK = 1.0  # seconds that a look may take, however near the time-out is
_AWAY = (502, 503, 504)  # answers of a server, or of what stands before it, that starts or stops


class Watch:
    """One wait for one job; both ways of waiting, blocking and not, take turns of `look` and `pause`.

    Parameters
    ----------
    timeout
        Seconds from now to the end of the job.
    paused, retry
        What to do when the job is in that state.
    outage
        Seconds that the server may be away.
    """

    def __init__(self, job: Job, timeout: float, *, paused: Choice, retry: Choice, outage: float) -> None:
        self._job = job
        self._timeout = timeout
        self._refuses = {
            state for state, choice in ((JobState.PAUSED, paused), (JobState.RETRY, retry)) if choice == "raise"
        }
        self._outage = outage
        self._begin = self._last_answer = time.monotonic()
        self._pause = _FIRST_PAUSE
        self._absence: Exception | None = None

    def look(self) -> bool:
        """Look at the job once; False if the server is away.

        Raises
        ------
        JobForgottenError
            If the server does not know the job.
        """
        left = self._begin + self._timeout - time.monotonic()
        try:
            self._job.refresh(timeout=max(_SHORTEST_LOOK, left))
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
        """Return the seconds to rest before the next look, None if the job succeeded.

        Raises
        ------
        JobFailedError, CanceledError, JobPausedError, JobRetryError, JobTimeoutError, UnreachableError
            See each.
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
