"""The stores of a simulation do what those on a disk do."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol.ports import SystemIdentifiers
from orthanc_lab.testing.contracts.job_store import JobStoreContract, OpenStore
from orthanc_lab.testing.contracts.output_store import OutputStoreContract
from orthanc_lab.testing.schedules.memory_store import MemoryJobStore, MemoryOutputs


class TestMemoryJobStore(JobStoreContract):
    @pytest.fixture
    def open_store(self) -> OpenStore:
        opened = [MemoryJobStore()]

        def open_store() -> MemoryJobStore:
            opened.append(MemoryJobStore(opened[-1]))
            return opened[-1]

        return open_store


class TestMemoryOutputs(OutputStoreContract):
    @pytest.fixture
    def outputs(self) -> MemoryOutputs:
        return MemoryOutputs(SystemIdentifiers())
