"""A step of a server that was stopped, and whose job goes on elsewhere, changes nothing any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage
from orthanc_lab.storage.records import Origin
from tests.archives.files import dicom
from tests.jobs.conftest import wait_for_state
from tests.jobs.doubles import CountingJob
from tests.jobs.shared.conftest import LEASE, Server, Servers
from tests.waiting import until


class Storing(CountingJob):
    """Stores an instance, named by its server, when the test lets it."""

    type = "Storing"

    def __init__(self, server: Server, storage: Storage, *, done: int = 0) -> None:
        super().__init__(1, done=done)
        self.server, self.storage = server, storage
        self.entered, self.gate = threading.Event(), threading.Event()
        self.refused: BaseException | None = None

    def step(self) -> bool:
        self.entered.set()
        assert self.gate.wait(20)
        try:
            self.storage.store(dicom(sop=f"9.{len(self.server.name)}", patient=self.server.name), Origin())
        except BaseException as error:
            self.refused = error
            raise
        return super().step()


@pytest.fixture
def storages(tmp_path: Path) -> Iterator[Any]:
    opened: list[Storage] = []

    def open_at(server: Server) -> Storage:
        clock = SystemClock()
        opened.append(
            open_shared_storage(
                server.database,
                DiskArea(tmp_path / "files"),
                options=StorageOptions(),
                clock=clock,
                executor=ThreadExecutor(clock),
                identifiers=SystemIdentifiers(),
                metrics=NoMetrics(),
            )
        )
        return opened[-1]

    yield open_at
    for storage in opened:
        storage.close()


def test_what_it_stores_is_refused(servers: Servers, storages: Any) -> None:
    """The commit looks whether the fence is still that of the job."""
    made: list[Storing] = []
    known: list[dict[str, Any]] = [{"Storing": None}, {"Storing": None}]
    one = servers("a", start=False, restores=known[0], lease=LEASE)
    other = servers("another", start=False, restores=known[1])

    def restore_at(server: Server, storage: Storage) -> Any:
        def restore(payload: dict[str, Any]) -> Storing:
            made.append(Storing(server, storage, done=payload["done"]))
            return made[-1]

        return restore

    for server, restores in zip((one, other), known, strict=True):
        restores["Storing"] = restore_at(server, storages(server))
    one.engine.start()
    first = Storing(one, storages(one))
    id = one.engine.submit(first)
    assert first.entered.wait(20)
    one.list.freeze()
    other.engine.start()
    until(lambda: made and made[0].entered.is_set())
    first.gate.set()
    until(lambda: first.refused)
    made[0].gate.set()
    wait_for_state(other.engine, id, JobState.SUCCESS)
    storage = made[0].storage
    assert [level for level, _ in storage.lookup_identifier("another")] == [Level.PATIENT]
    assert storage.lookup_identifier("a") == []
    assert storage.statistics().instances == 1
    one.list.thaw()
