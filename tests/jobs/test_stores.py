"""The stores of this package, held against their contracts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.ports import SystemIdentifiers
from orthanc_lab.testing.contracts.job_store import JobStoreContract, OpenStore
from orthanc_lab.testing.contracts.output_store import OutputStoreContract


class TestSqliteJobStore(JobStoreContract):
    @pytest.fixture
    def open_store(self, tmp_path: Path) -> Iterator[OpenStore]:
        stores: list[SqliteJobStore] = []

        def open_again() -> SqliteJobStore:
            stores.append(SqliteJobStore(tmp_path / "jobs.sqlite"))
            return stores[-1]

        yield open_again
        for store in stores:
            store.close()


class TestFileOutputs(OutputStoreContract):
    @pytest.fixture
    def outputs(self, tmp_path: Path) -> FileOutputs:
        return FileOutputs(tmp_path / "outputs", SystemIdentifiers())


def test_a_folder_without_access(tmp_path: Path) -> None:
    """The error comes at once, not when the job writes."""
    (tmp_path / "outputs").touch()
    with pytest.raises(OSError, match="File exists"):
        FileOutputs(tmp_path / "outputs", SystemIdentifiers()).new_name(".zip")
