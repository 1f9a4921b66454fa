"""What an answer is judged by, and how a lesson says what is right."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from orthanc_lab.client.client import Client
from orthanc_lab.client.hierarchy import Instance, Series
from orthanc_lab.protocol.job_events import JobEvent
from orthanc_lab.protocol.jobs import JobState

__all__ = ["Criterion", "Evidence", "Notebook", "WrongAnswerError", "require"]


class WrongAnswerError(Exception):
    """An answer that is not right; the message says why."""


def require(is_so: bool, words: str) -> None:
    """Raise `WrongAnswerError` with these words unless it is so."""
    if not is_so:
        raise WrongAnswerError(words)


class Notebook(Protocol):
    """The notebook after a student's cells, for answers that have to be tried."""

    def run(self, code: str) -> str:
        """Run code in it; return "" or the error that it raised."""
        ...

    def values(self, expressions: Mapping[str, str]) -> Mapping[str, Any]:
        """Return the values of expressions, by name; None for what raises or is no JSON."""
        ...


@dataclass(frozen=True, slots=True)
class Evidence:
    """What is known after a student's cells have run."""

    values: Mapping[str, Any]  # of the criterion's expressions, in the notebook; None for what is no JSON
    before: Any  # what the criterion found out before they ran
    servers: Mapping[str, Client]  # of the lesson, by the name of the variable
    events: Mapping[str, Sequence[JobEvent]]  # what happened to the jobs of each server meanwhile
    folder: Path  # where the notebook ran
    notebook: Notebook

    def new_job(self, id: object, *kinds: str, at: str = "server") -> str:
        """Return the id of a job that was submitted meanwhile and has succeeded, by what the log says.

        Parameters
        ----------
        id
            What the notebook says the job is.
        kinds
            The types that it may have.
        at
            The server that runs it.
        """
        mine = [event for event in self.events[at] if event.job == id]
        require(bool(mine), "no job with this identifier did anything during the exercise")
        require(mine[0].before is None, "this job was submitted before the exercise")
        require(mine[0].kind in kinds, f"its type is {mine[0].kind}")
        require(any(event.after is JobState.SUCCESS for event in mine), "the job has not succeeded")
        return mine[0].job

    def instance(self, id: object, at: str = "server") -> Instance:
        """Return an instance that the server has, and did not have before."""
        client = self.servers[at]
        require(isinstance(id, str), "it is not an instance")
        require(id not in self.before, "this instance was there before the exercise")
        require(id in self.instances(client), "the server has no such instance")
        return client.instances[str(id)]

    def series(self, id: object, at: str = "server") -> Series:
        """Return a series that the server has."""
        client = self.servers[at]
        require(isinstance(id, str) and id in client.transport.get("/series"), "the server has no such series")
        return client.series[str(id)]

    @staticmethod
    def instances(client: Client) -> frozenset[str]:
        """Return the identifiers of all instances of a server."""
        return frozenset(client.transport.get("/instances"))


@dataclass(frozen=True, slots=True)
class Criterion:
    """How one exercise is judged."""

    values: Mapping[str, str]  # names and Python expressions, evaluated in the notebook after the student's cells
    judge: Callable[[Evidence], None]  # raises `WrongAnswerError`
    before: Callable[[Mapping[str, Client]], Any] | None = None  # asked of the servers before the student's cells
    before_values: Mapping[str, str] = field(default_factory=dict)  # or expressions; then `before` in the evidence
