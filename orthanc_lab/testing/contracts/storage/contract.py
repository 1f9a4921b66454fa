"""All that a storage promises, in one class to subclass."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.testing.contracts.storage.adoption import AdoptionContract
from orthanc_lab.testing.contracts.storage.annotations import AnnotationsContract
from orthanc_lab.testing.contracts.storage.attachments import AttachmentsContract
from orthanc_lab.testing.contracts.storage.deletion import DeletionContract
from orthanc_lab.testing.contracts.storage.folder import StorageFolder, wait_a_moment
from orthanc_lab.testing.contracts.storage.ingest import IngestContract
from orthanc_lab.testing.contracts.storage.lifetime import LifetimeContract
from orthanc_lab.testing.contracts.storage.logs import LogsContract
from orthanc_lab.testing.contracts.storage.resources import ResourcesContract
from orthanc_lab.testing.contracts.storage.search import SearchContract

__all__ = ["StorageContract"]


class StorageContract(
    IngestContract,
    ResourcesContract,
    SearchContract,
    AttachmentsContract,
    AnnotationsContract,
    AdoptionContract,
    DeletionContract,
    LogsContract,
    LifetimeContract,
):
    """The contract of a storage: subclass it in a test module and say how your storage is opened.

    Examples
    --------
    A back end that is `orthanc_lab.storage.indexed_storage.IndexedStorage` over an index of its own has to pass this,
    and the machine beside it:

    >>> from orthanc_lab.storage import open_storage
    >>> class TestMyStorage(StorageContract):
    ...     def open_storage(self, folder, options, clock):
    ...         return open_storage(folder, options=options, clock=clock)
    """

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        """Open the storage of a folder; what an earlier one in the same folder has stored is there."""
        raise NotImplementedError

    def pause(self) -> None:
        """Let the storage go on by itself; override it if that has no threads."""
        wait_a_moment()

    @pytest.fixture
    def folder(self, tmp_path: Path) -> Iterator[StorageFolder]:
        """Open and close the storages of a test."""
        folder = StorageFolder(self.open_storage, tmp_path / "storage", self.pause)
        yield folder
        folder.close()

    @pytest.fixture
    def storage(self, folder: StorageFolder) -> Storage:
        """Open a storage with the default options."""
        return folder.open()
