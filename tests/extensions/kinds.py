"""Extensions for the tests; the file is loaded by its name, too."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from typing import Any

from orthanc_lab import OrthancError
from orthanc_lab.extensions import Answer, Extension, Job, Request, StopReason, route

GATES: dict[str, threading.Semaphore] = {}
"""What the steps of `Gated` wait for, by the name of the job."""

ENTERED: dict[str, threading.Semaphore] = {}
CALLS: dict[str, list[str]] = {}


class Counting(Job):
    """Counts to a number."""

    def prepare(self) -> None:
        if not isinstance(self.parameters.get("To"), int):
            raise OrthancError(5, "To must be a number")
        self.state["done"] = 0
        self.content["To"] = self.parameters["To"]

    def step(self) -> bool:
        self.state["done"] += 1
        self.content["Done"] = self.state["done"]
        self.progress = self.state["done"] / self.parameters["To"]
        return bool(self.state["done"] < self.parameters["To"])


class Gated(Counting):
    """Waits in each step until the test lets it through."""

    route = "/gated/{name}"

    def prepare(self) -> None:
        super().prepare()
        name = self.parameters["name"]
        GATES[name], ENTERED[name], CALLS[name] = threading.Semaphore(0), threading.Semaphore(0), []

    def start(self) -> None:
        self._note("start")

    def step(self) -> bool:
        self._note("step")
        ENTERED[self.parameters["name"]].release()
        assert GATES[self.parameters["name"]].acquire(timeout=60)
        return super().step()

    def stop(self, reason: StopReason) -> None:
        self._note(reason.value)

    def _note(self, what: str) -> None:
        CALLS[self.parameters["name"]].append(what)


class Hanging(Gated):
    """Never returns from a step, unless the test ends it."""

    route = "/hanging/{name}"
    step_timeout = 0.3

    def step(self) -> bool:
        super().step()
        self.orthanc.put(f"/patients/{self.parameters['name']}/labels/late")
        return True


class Lines(Job):
    """Writes a line into a file in each step: what is done twice stands there twice."""

    def step(self) -> bool:
        done = self.state.get("done", 0)
        with Path(self.parameters["File"]).open("a") as file:
            file.write(f"{done}\n")
        time.sleep(self.parameters.get("Pause", 0))
        self.state["done"] = done + 1
        self.progress = self.state["done"] / self.parameters["To"]
        if done == 0:
            self.output("first", b"made by the first step", "text/plain", "first.txt")
        return bool(self.state["done"] < self.parameters["To"])


@route("GET", "/kinds/echo/{name}/{rest:path}")
def echo(request: Request, name: str, rest: str) -> dict[str, Any]:
    """Answer what was asked."""
    return {
        "Arguments": dict(request.arguments),
        "Fields": dict(request.fields),
        "Header": request.headers.get("x-test"),
        "Process": os.getpid(),
        "Uri": request.uri,
        "User": request.username,
        "name": name,
        "rest": rest,
    }


@route("POST", "/kinds/sum", writes=False)
def total(request: Request) -> Answer:
    """Add numbers."""
    return Answer(str(sum(request.json())), "text/x-sum", status=201, headers={"X-Test": "yes"})


@route("GET", "/kinds/status/{code}")
def status(request: Request, code: str) -> Answer:
    """Answer a status."""
    return Answer(b"a body", status=int(code))


kinds = Extension(
    "kinds", [Counting, Gated, Hanging, Lines], [echo, total, status], version="1.2", description="For tests"
)
