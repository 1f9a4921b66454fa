"""A storage in a folder of the test, with a clock moved by hand."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.ports import Identifiers, ManualClock
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.log_file import DiskLog, OpenLog
from orthanc_lab.storage.lock import Lock, lock_folder
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.connections import Connect, connect


class RecordedMetrics:
    """Keeps what was recorded."""

    def __init__(self) -> None:
        self.values: dict[str, list[float]] = {}

    def record(self, name: str, value: float) -> None:
        self.values.setdefault(name, []).append(value)


class House:
    """Opens the storages of one test, and closes them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self.metrics = RecordedMetrics()
        self._open: list[Storage] = []

    def open(
        self,
        *,
        area: FileArea | None = None,
        open_log: OpenLog = DiskLog,
        connect: Connect = connect,
        executor: Executor | None = None,
        lock: Lock = lock_folder,
        identifiers: Identifiers | None = None,
        **options: Any,
    ) -> Storage:
        storage = open_storage(
            self.folder,
            options=StorageOptions(**{"sync_storage_area": False, **options}),
            clock=self.clock,
            executor=executor,
            identifiers=identifiers,
            metrics=self.metrics,
            area=area,
            open_log=open_log,
            connect=connect,
            lock=lock,
        )
        self._open.append(storage)
        return storage

    def close(self) -> None:
        while self._open:
            self._open.pop().close()

    def reopen(self, **options: Any) -> Storage:
        self.close()
        return self.open(**options)

    def files(self) -> list[str]:
        """Return the names of the files in the storage area."""
        return files_in(self.folder)


def files_in(folder: Path) -> list[str]:
    """Return the names of the files in a storage area."""
    return sorted(path.name for path in folder.rglob("*") if path.is_file() and len(path.name) == 36)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path / "storage")
    yield house
    house.close()


@pytest.fixture
def storage(house: House) -> Storage:
    return house.open()
