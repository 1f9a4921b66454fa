"""A database of the other server, locked for as long as it is read, and opened without a trace."""

from __future__ import annotations

import fcntl
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from urllib.parse import quote

from orthanc_lab.protocol.private_files import create_private_file, make_private_folder
from orthanc_lab.server.adoption.errors import SourceError

__all__ = ["open_untouched", "untouched"]

_SHARED_FIRST, _SHARED_SIZE = 0x40000002, 510  # where SQLite locks a database for reading (sqlite.org/fileformat2)
_LOGS = ("-wal", "-journal")


@contextmanager
def open_untouched(index: Path, copies: Path) -> Iterator[sqlite3.Connection]:
    """Open a database as `untouched` does."""
    with untouched(index, copies) as address, closing(sqlite3.connect(address, uri=True)) as connection:
        yield connection


@contextmanager
def untouched(index: Path, copies: Path) -> Iterator[str]:
    """Return the URI of a database that no other process has open for writing; none can, until this is left.

    What a server that was killed left in a log is part of the database. To read it is to write it into the
    database, so then it is done with a copy.

    Parameters
    ----------
    copies
        Where a copy can be made: a folder that is removed.

    Raises
    ------
    SourceError
        If the database is in use, or cannot be read.
    """
    descriptor = _locked(index)
    try:
        logs = [log for end in _LOGS if (log := index.with_name(index.name + end)).exists() and log.stat().st_size]
        # Closing any other descriptor of the file would give the lock up: the copy is read from this one.
        path = _copied(descriptor, index, logs, copies) if logs else index
        options = "mode=rw" if logs else "mode=ro&immutable=1"
        yield f"file:{quote(os.fspath(path.resolve()))}?{options}"
    except sqlite3.Error as error:
        raise SourceError(f"{index} is damaged, or no index of an Orthanc: {error}") from error
    finally:
        os.close(descriptor)
        shutil.rmtree(copies, ignore_errors=True)


def _locked(index: Path) -> int:
    """Return a descriptor that keeps all servers away; nothing is written to it.

    Only a descriptor that could be written to can be locked for oneself alone. Where that is not allowed, a shared
    lock has to do: it is refused while a server runs, but keeps none from starting.
    """
    try:
        try:
            descriptor, kind = os.open(index, os.O_RDWR), fcntl.LOCK_EX
        except OSError:
            descriptor, kind = os.open(index, os.O_RDONLY), fcntl.LOCK_SH
    except OSError as error:
        raise SourceError(f"Cannot read {index}: {error.strerror}") from error
    try:
        fcntl.lockf(descriptor, kind | fcntl.LOCK_NB, _SHARED_SIZE, _SHARED_FIRST)
    except OSError as error:
        os.close(descriptor)
        raise SourceError(f"{index} is in use: stop the Orthanc that owns it, then import again") from error
    return descriptor


def _copied(descriptor: int, index: Path, logs: list[Path], copies: Path) -> Path:
    shutil.rmtree(copies, ignore_errors=True)
    make_private_folder(copies)
    copy = copies / index.name
    for path in (copy, *(copies / log.name for log in logs)):
        create_private_file(path)
    with os.fdopen(descriptor, "rb", closefd=False) as source, copy.open("wb") as target:
        shutil.copyfileobj(source, target)
    for log in logs:
        shutil.copyfile(log, copies / log.name)
    return copy
