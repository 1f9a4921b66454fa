"""Jobs for tests: they count, fail, wait for a gate, write a file."""

from __future__ import annotations

import queue
import threading
from collections.abc import Mapping
from typing import Any

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

DEADLINE = 20.0  # seconds until a test that waits gives up


class CountingJob:
    """Counts to `steps`; remembers what the engine called."""

    type = "Counting"

    def __init__(self, steps: int = 1, *, done: int = 0, name: str = "", durable: bool = True) -> None:
        self.steps = steps
        self.done = done
        self.name = name
        self.durable = durable
        self.calls: list[str] = []

    @classmethod
    def restore(cls, payload: dict[str, Any]) -> CountingJob:
        return cls(payload["steps"], done=payload["done"], name=payload["name"])

    def start(self) -> None:
        self.calls.append("start")

    def step(self) -> bool:
        self.calls.append("step")
        self.done += bool(self.steps)
        return self.done < self.steps

    def stop(self, reason: StopReason) -> None:
        self.calls.append(reason.value)

    def reset(self) -> None:
        self.calls.append("reset")
        self.done = 0

    def progress(self) -> float:
        return self.done / self.steps if self.steps else 1.0

    def content(self) -> dict[str, Any]:
        return {"Done": self.done, "Name": self.name}

    def serialize(self) -> dict[str, Any] | None:
        return {"steps": self.steps, "done": self.done, "name": self.name} if self.durable else None

    def outputs(self) -> Mapping[str, JobOutput]:
        return {}


class FailingJob(CountingJob):
    """Raises `error` in its step number `at`, as often as `times`."""

    type = "Failing"

    def __init__(self, error: BaseException | None = None, *, at: int = 1, steps: int = 3, times: int = 1) -> None:
        super().__init__(steps)
        self.error = error or OrthancError(ErrorCode.NETWORK_PROTOCOL, "The other end is gone")
        self.at = at
        self.times = times

    def step(self) -> bool:
        if self.done == self.at and self.times:
            self.times -= 1
            raise self.error
        return super().step()

    def serialize(self) -> dict[str, Any]:
        return {"at": self.at, "steps": self.steps, "done": self.done, "times": self.times}

    @classmethod
    def restore(cls, payload: dict[str, Any]) -> FailingJob:
        job = cls(at=payload["at"], steps=payload["steps"], times=payload["times"])
        job.done = payload["done"]
        return job


class GatedJob(CountingJob):
    """Each step waits until the test lets it through."""

    type = "Gated"

    def __init__(self, steps: int = 3, *, done: int = 0, name: str = "") -> None:
        super().__init__(steps, done=done, name=name)
        self.entered = threading.Semaphore(0)
        self.gate = threading.Semaphore(0)

    def step(self) -> bool:
        self.entered.release()
        assert self.gate.acquire(timeout=DEADLINE), "the gate was never opened"
        return super().step()

    def wait_until_in_step(self) -> None:
        assert self.entered.acquire(timeout=DEADLINE), "no worker took the job"

    def let_through(self, steps: int = 1) -> None:
        self.gate.release(steps)


class WritingJob(CountingJob):
    """Leaves an output, under the key ``archive``."""

    type = "Writing"

    def __init__(self, store: OutputStore, text: str = "hello", name: str | None = None) -> None:
        super().__init__(1)
        self.text = text
        self.store = store
        self.output = name or store.new_name(".zip")

    def step(self) -> bool:
        writer, _ = self.store.append(self.output, 0)
        writer.write(self.text.encode())
        writer.close()
        return super().step()

    def serialize(self) -> dict[str, Any]:
        return {"output": self.output, "text": self.text}

    def outputs(self) -> Mapping[str, JobOutput]:
        return {"archive": JobOutput(self.output, "application/zip", "Archive.zip")}


class KeepingJob(WritingJob):
    """Leaves its output in the list of jobs, without anything in the output store."""

    type = "Keeping"

    def step(self) -> bool:
        return CountingJob.step(self)

    def outputs(self) -> Mapping[str, JobOutput]:
        return {"archive": JobOutput(self.output, "application/zip", "Archive.zip", self.text.encode())}


RESTORES = {kind.type: kind.restore for kind in (CountingJob, FailingJob, GatedJob)}


class ScriptedJob(CountingJob):
    """Does in each step what the test says: ``go`` or ``fail``."""

    type = "Scripted"

    def __init__(self, steps: int, *, done: int = 0, name: str = "") -> None:
        super().__init__(steps, done=done, name=name)
        self.orders: queue.SimpleQueue[str] = queue.SimpleQueue()

    def step(self) -> bool:
        if self.orders.get(timeout=DEADLINE) == "fail":
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "As ordered")
        return super().step()
