"""A job for schedules: it counts its steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.jobs.ports import Checkpoint, JobOutput, NotReady, StopReason

__all__ = ["CountingJob"]


class CountingJob:
    """A job that counts to `steps`; its ``Content`` says how far it is, and its name.

    Parameters
    ----------
    name
        Any text.
    done
        How many steps were done before.

    Examples
    --------
    >>> job = CountingJob(2)
    >>> job.step(), job.step(), job.content()
    (True, False, {'Name': '', 'Done': 2})
    """

    type = "Counting"

    def __init__(self, steps: int = 10, name: str = "", *, done: int = 0) -> None:
        self.steps = steps
        self.name = name
        self.done = done

    @classmethod
    def restore(cls, payload: dict[str, Any]) -> CountingJob:
        """Make it again from what `serialize` returned."""
        return cls(payload["steps"], payload["name"], done=payload["done"])

    def start(self) -> None:
        """Open nothing."""

    def step(self) -> bool | NotReady | Checkpoint:
        """Count one step."""
        self.done += 1
        return self.done < self.steps

    def stop(self, reason: StopReason) -> None:
        """Release nothing."""

    def reset(self) -> None:
        """Go back to 0."""
        self.done = 0

    def progress(self) -> float:
        """Return the part done."""
        return self.done / self.steps if self.steps else 1.0

    def content(self) -> dict[str, Any]:
        """Return the name and the number of steps done."""
        return {"Name": self.name, "Done": self.done}

    def serialize(self) -> dict[str, Any] | None:
        """Return what `restore` takes."""
        return {"steps": self.steps, "name": self.name, "done": self.done}

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return no output."""
        return {}
