"""Opening a storage: the index on SQLite, the files in a folder."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from pathlib import Path
from types import MappingProxyType

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.metrics import Metrics, NoMetrics
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock, SystemIdentifiers
from orthanc_lab.protocol.private_files import make_private_folder
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.disk_errors import disk_error
from orthanc_lab.storage.files.journal import LogJournal
from orthanc_lab.storage.files.late_files import LateFiles
from orthanc_lab.storage.files.log_file import DiskLog, OpenLog
from orthanc_lab.storage.files.names import uuid_of
from orthanc_lab.storage.index import Index
from orthanc_lab.storage.indexed_storage import IndexedStorage
from orthanc_lab.storage.lock import Lock, lock_folder
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.connections import Connect, connect
from orthanc_lab.storage.sqlite.index import SqliteIndex

__all__ = ["make_storage_folder", "open_storage"]

_OVER_FILE = 2000
_CANNOT_MAKE_FOLDER = 2008


def open_storage(
    folder: Path,
    *,
    options: StorageOptions | None = None,
    clock: Clock | None = None,
    executor: Executor | None = None,
    identifiers: Identifiers | None = None,
    metrics: Metrics | None = None,
    area: FileArea | None = None,
    places: Mapping[str, FileArea] = MappingProxyType({}),
    is_elsewhere: bool = False,
    open_log: OpenLog = DiskLog,
    connect: Connect = connect,
    lock: Lock = lock_folder,
) -> Storage:
    """Open the storage in a folder; a new or empty folder becomes one.

    Parameters
    ----------
    folder
        ``StorageDirectory``; the index is there too, unless the options name another folder.
    executor
        Runs what happens beside requests; threads, if not given.
    area
        Where the files are, if not in `folder`.
    places
        The areas that it is made of, if files can be moved between them, by their names.
    is_elsewhere
        Whether that is no disk of this machine: what comes from there is checked, and may be late.
    open_log
        Opens the journal of files, and the log of the index to wait for the disk.
    connect
        Opens a connection to the index; the first one is the one that writes.
    lock
        Makes this storage the owner of the index.

    Raises
    ------
    OrthancError
        11 if another server owns the index, 18 if another version wrote it, 2000 or 2008 if a folder cannot be
        made, 14 or 19 if it cannot be written to.
    """
    options = options or StorageOptions()
    clock = clock or SystemClock()
    executor = executor or ThreadExecutor(clock)
    identifiers = identifiers or SystemIdentifiers()
    metrics = metrics or NoMetrics()
    index_folder = options.index_directory or folder
    for needed in (folder, index_folder):
        make_storage_folder(needed)
    try:
        with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
            opened.callback(lock(index_folder))
            log = open_log(index_folder / "files.journal")
            opened.callback(log.close)
            journal = LogJournal(log)
            opened.callback(journal.close)
            index = SqliteIndex(
                index_folder / "index.sqlite", sync=options.sync_storage_area, connect=connect, open_log=open_log
            )
            opened.callback(index.close)
            files = AttachmentFiles(
                area or DiskArea(folder),
                journal,
                options=options,
                clock=clock,
                executor=executor,
                identifiers=identifiers,
                metrics=metrics,
                read_small=index.small_file,
                late=LateFiles(clock, lambda uuid: bool(index.known_files([uuid]))) if is_elsewhere else None,
            )
            opened.callback(files.close)
            _remove_leftovers(index, files, journal)
            return IndexedStorage(
                index,
                files,
                opened,
                places=places,
                options=options,
                clock=clock,
                executor=executor,
                identifiers=identifiers,
                metrics=metrics,
            )
    except OSError as error:
        raise disk_error(error, shown=str(error.filename or index_folder)) from error


def _remove_leftovers(index: Index, files: AttachmentFiles, journal: LogJournal) -> None:
    """Remove the files that an earlier process wrote or was about to remove, unless the index refers to them."""
    if journal.leftovers:
        names = journal.leftovers
        known = index.known_files([uuid_of(name) for name in names])
        journal.settle([name for name in names if uuid_of(name) in known])
        files.discard([name for name in names if uuid_of(name) not in known])


def make_storage_folder(folder: Path) -> None:
    """Create a folder of the storage, with those above it.

    Raises
    ------
    OrthancError
        2000 if a file is in the way, 2008 if it cannot be created for another reason.
    """
    try:
        make_private_folder(folder)
    except (FileExistsError, NotADirectoryError) as error:
        raise OrthancError(_OVER_FILE, f"{folder} is, or is inside, a regular file") from error
    except OSError as error:
        why = f"Cannot create the folder {folder}: {error.strerror}. Choose another folder"
        raise OrthancError(_CANNOT_MAKE_FOLDER, why) from error
