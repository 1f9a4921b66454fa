"""The contract of `orthanc_lab.storage.ports.Storage`."""

from orthanc_lab.testing.contracts.storage.contract import StorageContract
from orthanc_lab.testing.contracts.storage.machine import storage_machine

__all__ = ["StorageContract", "storage_machine"]
