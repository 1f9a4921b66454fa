"""A server with SQLite and files, opened without a trace to be moved away from."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path

from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.ports import SystemClock, SystemIdentifiers
from orthanc_lab.protocol.private_files import make_private_folder
from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.adoption.source_lock import untouched
from orthanc_lab.server.back_ends.file_places import bucket_options, open_file_place
from orthanc_lab.server.back_ends.local import files_beside_index
from orthanc_lab.server.migration.ends import INDEX, LOCK
from orthanc_lab.server.migration.source import MigrationSource, OpenSource
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.sqlite.handover import SqliteHandover

__all__ = ["open_local_source"]

_LOGS = ("", "-wal")


@contextmanager
def open_local_source(settings: CheckedSettings, copies: Path) -> Iterator[OpenSource]:
    """Open the server with these settings to read it; no server starts on its folder until this is left.

    Parameters
    ----------
    copies
        Where copies can be made of what cannot be read without writing: a folder that is removed.

    Raises
    ------
    SourceError
        If there is none, or it is running.
    OrthancError
        18 if another version of this program wrote it, 11 if it cannot be read.
    """
    folder = Path(settings["IndexDirectory"])
    index = folder / INDEX
    if not index.is_file():
        raise SourceError(f"{index} does not exist: there is nothing to migrate")
    with ExitStack() as opened:
        opened.callback(_locked(folder))
        opened.callback(partial(shutil.rmtree, copies, ignore_errors=True))
        address = opened.enter_context(untouched(index, copies / "index"))
        handover = SqliteHandover(index, lambda _: _connection(address))
        opened.callback(handover.close)
        yield OpenSource(
            hashlib.sha1(str(index.resolve()).encode(), usedforsecurity=False).hexdigest(),
            MigrationSource(handover, _files(settings)),
            lambda: _jobs(folder / "jobs.sqlite", copies / "jobs"),
            lambda: files_beside_index(settings, SystemIdentifiers(), "jobs-outputs"),
        )


def _files(settings: CheckedSettings) -> FileArea:
    place = open_file_place(
        Path(settings["StorageDirectory"]), bucket_options(settings), SystemClock(), is_written=False
    )
    return place.area


def _connection(address: str) -> sqlite3.Connection:
    return sqlite3.connect(address, uri=True, isolation_level=None, check_same_thread=False)


def _locked(folder: Path) -> Callable[[], None]:
    """Lock a folder as its server does; its lock file is not written to."""
    try:
        descriptor = os.open(folder / LOCK, os.O_RDONLY)
    except FileNotFoundError:  # a copy of the folder, made without it
        return lambda: None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        raise SourceError(f"{folder} is in use: stop its server, then migrate again") from None
    return partial(os.close, descriptor)


def _jobs(path: Path, copies: Path) -> Sequence[JobRow]:
    """Return the jobs of a list, read from a copy: it is small, and a killed server may have left a log."""
    if not path.is_file():
        return ()
    make_private_folder(copies)
    for end in _LOGS:
        log = path.with_name(path.name + end)
        if log.is_file():
            shutil.copyfile(log, copies / log.name)
    store = SqliteJobStore(copies / path.name)
    try:
        return store.rows()
    finally:
        store.close()
