"""Archives that are begun by one server and finished by another have the same bytes."""

from __future__ import annotations

import json
import random
import threading
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.kinds.archives import zip_codec, zip_job
from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.archive_plan import plan_archive
from orthanc_lab.jobs.kinds.archives.archive_tree import resolve
from orthanc_lab.jobs.kinds.archives.zip_outlet import StoredOutlet
from orthanc_lab.jobs.kinds.archives.zip_request import ZipRequest
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import Checkpoint, InProgress, NotReady, StopReason
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage import open_storage
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin
from tests.archives.files import dicom
from tests.job_tools import job_tools
from tests.jobs.conftest import wait_for_state
from tests.jobs.shared.conftest import LEASE, Pieces, Server, Servers
from tests.waiting import until

MEMBERS = 8


class SlowArchive(ArchiveJob):
    """Writes a member in each step, when the test lets it."""

    gate = threading.Semaphore(0)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{**kwargs, "step_seconds": 0})
        self.stops: list[StopReason] = []

    def step(self) -> bool | NotReady | Checkpoint | InProgress:  # type: ignore[override] # as any job
        assert self.gate.acquire(timeout=20)
        return super().step()

    def stop(self, reason: StopReason) -> None:
        try:
            super().stop(reason)
        finally:
            self.stops.append(reason)


@pytest.fixture
def storage(tmp_path: Path) -> Iterator[Storage]:
    SlowArchive.gate = threading.Semaphore(0)
    opened = open_storage(tmp_path / "storage")
    for number in range(MEMBERS):
        opened.store(
            dicom(sop=f"3.{number}", number=str(number), pixels=random.Random(number).randbytes(70_000)), Origin()
        )
    yield opened
    SlowArchive.gate.release(1000)
    opened.close()


def request_of(storage: Storage) -> ZipRequest:
    plan = plan_archive(resolve(storage, storage.list_ids(Level.PATIENT)))
    return ZipRequest(plan, "a.zip", datetime(2026, 11, 24, 9, 41, 58), "seed", zip_codec.preferred_codec().name, 1)


def undisturbed(storage: Storage, folder: Path) -> bytes:
    tools = job_tools(storage, outputs=folder)
    name = tools.outputs.new_name(".zip")
    job = ArchiveJob(tools, request_of(storage), StoredOutlet(tools.outputs, name), durable=True)
    job.start()
    while job.step():
        pass
    with tools.outputs.open(name) as file:
        return file.read()


def tools_of(server: Server, storage: Storage, folder: Path) -> JobTools:
    return replace(job_tools(storage, outputs=folder), outputs=server.outputs)


def archive_at(server: Server, storage: Storage, folder: Path, restores: dict[str, Any]) -> None:
    """Let a server know archives."""

    def restore(saved: Mapping[str, Any]) -> SlowArchive:
        return SlowArchive.restore(tools_of(server, storage, folder), json.loads(json.dumps(saved)))

    restores["Archive"] = restore


def two_servers(servers: Servers, storage: Storage, folder: Path) -> tuple[Server, Server]:
    """Return two servers that know archives, before they start; the lease of the first one is short."""
    known: list[dict[str, Any]] = [{"Archive": None}, {"Archive": None}]
    one = servers(start=False, restores=known[0], lease=LEASE)
    other = servers(start=False, restores=known[1])
    for server, restores in zip((one, other), known, strict=True):
        archive_at(server, storage, folder, restores)
    return one, other


@pytest.mark.parametrize("end", ["killed", "stopped"])
def test_the_bytes_are_the_same(servers: Servers, storage: Storage, tmp_path: Path, end: str) -> None:
    """Whether the first server was stopped in the middle, or died there and wrote on as a zombie."""
    one, other = two_servers(servers, storage, tmp_path)
    one.engine.start()
    name = one.outputs.new_name(".zip")
    tools = tools_of(one, storage, tmp_path)
    job = SlowArchive(tools, request_of(storage), StoredOutlet(tools.outputs, name), durable=True)
    id = one.engine.submit(job)
    SlowArchive.gate.release(3)
    until(lambda: (one.outputs.size(name) or 0) > 0 and job.progress() >= 3 / MEMBERS)
    if end == "killed":
        one.list.freeze()
        other.engine.start()
    else:
        other.engine.start()
        stopping = threading.Thread(target=one.engine.stop)
        stopping.start()
        until(lambda: one.engine.stopping)
        SlowArchive.gate.release()
        stopping.join()
    until(lambda: other.engine.cluster().jobs.get(id) == other.name)
    SlowArchive.gate.release(1000)
    wait_for_state(other.engine, id, JobState.SUCCESS)
    one.list.thaw()
    output = other.engine.output(id, "archive")
    assert output is not None
    with other.outputs.open(output.name) as file:
        assert file.read() == undisturbed(storage, tmp_path / "alone")


@pytest.mark.parametrize("seconds", [60.0, 0.0], ids=["where it stops", "in its next step"])
def test_a_run_that_was_lost_hands_nothing_on(
    servers: Servers, storage: Storage, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    """What it has gathered does not take the place of what the other has written; to be refused is no error."""
    monkeypatch.setattr(Pieces, "grain", 1 << 20)
    monkeypatch.setattr(zip_job, "_FLUSH_SECONDS", seconds)
    one, other = two_servers(servers, storage, tmp_path)
    one.engine.start()
    tools = tools_of(one, storage, tmp_path)
    outlet = StoredOutlet(tools.outputs, one.outputs.new_name(".zip"), small=True)
    job = SlowArchive(tools, request_of(storage), outlet, durable=True)
    id = one.engine.submit(job)
    SlowArchive.gate.release(3)
    until(lambda: job.progress() >= 3 / MEMBERS)
    one.list.freeze()
    other.engine.start()
    until(lambda: other.engine.cluster().jobs.get(id) == other.name)
    SlowArchive.gate.release(1000)
    wait_for_state(other.engine, id, JobState.SUCCESS)
    one.list.thaw()
    until(lambda: job.stops)
    output = other.engine.output(id, "archive")
    assert output is not None
    with other.outputs.open(output.name) as file:
        assert file.read() == undisturbed(storage, tmp_path / "alone")
    assert one.errors == []
