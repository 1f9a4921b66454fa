"""Opening a storage."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.metrics import Metrics, NoMetrics
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock, SystemIdentifiers
from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.files.attachments import disk_error
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.storage import SqliteStorage

__all__ = ["open_storage"]

_OVER_FILE = 2000
_CANNOT_MAKE_FOLDER = 2008


def open_storage(
    folder: Path,
    *,
    options: StorageOptions | None = None,
    clock: Clock | None = None,
    identifiers: Identifiers | None = None,
    metrics: Metrics | None = None,
    area: FileArea | None = None,
) -> Storage:
    """Open the storage in a folder; a new or empty folder becomes one.

    Parameters
    ----------
    folder
        ``StorageDirectory``; the index is there too, unless the options say otherwise.
    area
        Where the files are, if not in `folder`.

    Raises
    ------
    OrthancError
        11 if another server owns the index, 18 if another version wrote it, 2000 or 2008 if a folder cannot be
        made, 14 or 19 if it cannot be written to.
    """
    options = options or StorageOptions()
    index = options.index_directory or folder
    for needed in (folder, index):
        _make_folder(needed)
    try:
        return SqliteStorage(
            index,
            area or DiskArea(folder),
            options=options,
            clock=clock or SystemClock(),
            identifiers=identifiers or SystemIdentifiers(),
            metrics=metrics or NoMetrics(),
        )
    except OSError as error:
        raise disk_error(error) from error


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except (FileExistsError, NotADirectoryError) as error:
        raise OrthancError(_OVER_FILE, f"{folder} is, or is inside, a regular file") from error
    except OSError as error:
        raise OrthancError(_CANNOT_MAKE_FOLDER, f"Cannot create the folder {folder}: {error.strerror}") from error
