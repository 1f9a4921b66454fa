"""The storages of one test: opened, closed and opened again in one folder, under a clock moved by hand."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Origin, Stored
from orthanc_lab.testing.contracts.dicom_files import dicom

__all__ = ["ORIGIN", "OpenStorage", "StorageFolder", "changes_of", "code_of", "put", "wait_a_moment"]

ORIGIN = Origin(remote_ip="127.0.0.1")

OpenStorage = Callable[[Path, StorageOptions, ManualClock], Storage]
"""Opens the storage of a folder; what an earlier one in the same folder has stored is there."""

_PAUSE = 0.002  # seconds between two looks


class StorageFolder:
    """A folder for the storages of one test.

    Parameters
    ----------
    open_storage
        How the back end opens its storage.
    pause
        What is done between two looks at what the storage does by itself.
    """

    def __init__(self, open_storage: OpenStorage, folder: Path, pause: Callable[[], None] | None = None) -> None:
        self.folder = folder
        self.clock = ManualClock()
        self._open_storage = open_storage
        self._pause = pause or wait_a_moment
        self._storage: Storage | None = None

    def open(self, **options: Any) -> Storage:
        """Open the storage, with fields of `StorageOptions`."""
        options = {"sync_storage_area": False, **options}
        self._storage = self._open_storage(self.folder, StorageOptions(**options), self.clock)
        return self._storage

    def close(self) -> None:
        """Close the storage, if one is open."""
        if self._storage is not None:
            self._storage.close()
            self._storage = None

    def reopen(self, **options: Any) -> Storage:
        """Close the storage and open it again."""
        self.close()
        return self.open(**options)

    def until(self, look: Callable[[], object], seconds: float = 20) -> None:
        """Wait for what the storage does by itself."""
        deadline = time.monotonic() + seconds
        while not look():
            assert time.monotonic() < deadline, f"not true within {seconds} s"
            self._pause()


def wait_a_moment() -> None:
    """Let other threads go on."""
    time.sleep(_PAUSE)


def put(storage: Storage, **values: Any) -> Stored:
    """Store a file made of `values` (see `orthanc_lab.testing.contracts.dicom_files.dicom`)."""
    return storage.store(dicom(**values), ORIGIN)


def code_of(call: Callable[..., object], *arguments: object) -> int:
    """Return the code of the `OrthancError` that a call raises."""
    with pytest.raises(OrthancError) as caught:
        call(*arguments)
    return caught.value.code


def changes_of(storage: Storage) -> list[tuple[ChangeType, str]]:
    """Return type and resource of all changes."""
    return [(change.type, change.id) for change in storage.changes(limit=1000)[0]]
