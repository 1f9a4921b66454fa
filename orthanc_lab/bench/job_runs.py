"""Workloads of jobs: from the submission to what they leave behind, and histories of many."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from orthanc_lab.bench.asking import first_study
from orthanc_lab.bench.uploading import upload_small
from orthanc_lab.bench.wire import Wire, http_request, send_all
from orthanc_lab.bench.workload import Run

__all__ = [
    "await_jobs",
    "changes",
    "finish",
    "job_archive",
    "make_archives",
    "make_modifications",
    "streamed_archive",
    "submissions",
    "to_success",
]

_PATIENCE = 600.0  # seconds for preparing a history of jobs


def finish(wire: Wire, job: str) -> None:
    """Wait until a job has succeeded.

    Raises
    ------
    RuntimeError
        If it has failed, or left the history.
    """
    request = http_request("GET", f"/jobs/{job}")
    while True:
        status, _, body = wire.send(request, keep=True)
        if status != 200:
            raise RuntimeError(f"Job {job} vanished ({status})")
        document = json.loads(body)
        if document["State"] == "Success":
            return
        if document["State"] == "Failure":
            raise RuntimeError(f"Job {job} failed: {document['ErrorDescription']} {document['ErrorDetails']}")
        time.sleep(0.001)


def await_jobs(port: int, count: int) -> None:
    """Wait until so many jobs have ended.

    Raises
    ------
    TimeoutError
        After ten minutes.
    """
    wire = Wire(port)
    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        _, _, text = wire.send(http_request("GET", "/tools/metrics-prometheus"), keep=True)
        done = {line.split()[0]: line.split()[1] for line in text.decode().splitlines()}
        if int(done["orthanc_jobs_completed"]) >= count:
            wire.close()
            return
        time.sleep(0.05)
    raise TimeoutError(f"{count} jobs did not end within {_PATIENCE:.0f} s")


def streamed_archive() -> Run:
    """Prepare the download of a study."""

    def run(port: int) -> int:
        wire = Wire(port)
        study = first_study(wire)
        status, length, _ = wire.send(http_request("GET", f"/studies/{study}/archive"))
        if status != 200 or length < 1000:
            raise RuntimeError(f"The archive was answered with {status}, {length} bytes")
        wire.close()
        return 1

    return run


def job_archive(kind: str) -> Callable[[], Run]:
    """Return what prepares an archive as a job, with its download."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{first_study(wire)}/{kind}"
            job = wire.call("POST", path, {"Asynchronous": True})["ID"]
            finish(wire, job)
            status, _, _ = wire.send(http_request("GET", f"/jobs/{job}/archive"))
            if status != 200:
                raise RuntimeError(f"The output of the job was answered with {status}")
            wire.close()
            return 1

        return run

    return prepare


def changes(kind: str, order: dict[str, Any], count: int) -> Callable[[], Run]:
    """Return what prepares a job that makes a study of so many instances from another one."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            finish(
                wire, wire.call("POST", f"/studies/{first_study(wire)}/{kind}", {**order, "Asynchronous": True})["ID"]
            )
            wire.close()
            return count

        return run

    return prepare


def submissions(count: int) -> Callable[[], Run]:
    """Return what prepares submissions of jobs that nobody waits for."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{first_study(wire)}/archive"
            wire.close()
            body = b'{"Asynchronous":true,"Priority":-1}'
            send_all(port, [http_request("POST", path, body)] * count)
            return count

        return run

    return prepare


def to_success(count: int) -> Callable[[], Run]:
    """Return what prepares jobs that are waited for."""

    def prepare() -> Run:
        def run(port: int) -> int:
            wire = Wire(port)
            path = f"/studies/{first_study(wire)}/archive"
            jobs = [wire.call("POST", path, {"Asynchronous": True})["ID"] for _ in range(count)]
            for job in jobs:
                finish(wire, job)
            wire.close()
            return count

        return run

    return prepare


def make_archives(count: int) -> Callable[[int], None]:
    """Return a setup that fills the history with archives."""

    def setup(port: int) -> None:
        upload_small(port, 1)
        wire = Wire(port)
        path = f"/studies/{first_study(wire)}/archive"
        wire.close()
        send_all(port, [http_request("POST", path, b'{"Asynchronous":true}')] * count)
        await_jobs(port, count)

    return setup


def make_modifications(jobs: int, instances: int) -> Callable[[int], None]:
    """Return a setup that fills the history with modifications, and the index with instances."""

    # Orthanc forgets archives at a restart, so the history is filled with modifications.
    def setup(port: int) -> None:
        upload_small(port, 1)
        wire = Wire(port)
        path = f"/studies/{first_study(wire)}/modify"
        wire.close()
        body = b'{"Asynchronous":true,"Replace":{"StudyDescription":"Modified"}}'
        send_all(port, [http_request("POST", path, body)] * jobs)
        upload_small(port, instances - jobs - 1)
        await_jobs(port, jobs)

    return setup
