"""What a server takes from outside."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol, TypeVar
from wsgiref.types import WSGIApplication

from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobsService, Restore
from orthanc_lab.jobs.sqlite_store import connect as connect_jobs
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.rest.services import Services
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.log_file import DiskLog, OpenLog
from orthanc_lab.storage.lock import Lock, lock_folder
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.connections import connect

if TYPE_CHECKING:  # there are platforms without what they need
    from orthanc_lab.extensions.extension import Extension
    from orthanc_lab.network.dispatch import Dispatch
    from orthanc_lab.network.services import NetworkServices

__all__ = ["Environment", "EnvironmentWrapper"]

_Part = TypeVar("_Part")


def _as_it_is(part: _Part) -> _Part:
    return part


def _application(application: WSGIApplication, services: Services) -> WSGIApplication:
    return application


@dataclass(frozen=True, slots=True)
class Environment:
    """What a server takes from outside; a fault there is in one of these, or around it."""

    clock: Clock
    identifiers: Identifiers
    executor: Executor
    connect_index: Callable[[Path], sqlite3.Connection] = connect  # opens the index, given its file
    connect_jobs: Callable[[Path], sqlite3.Connection] = connect_jobs  # opens the list of jobs, given its file
    open_log: OpenLog = DiskLog  # opens the journal of files, and the log of the index to wait for the disk
    lock: Lock = lock_folder  # makes the server the owner of its index
    extensions: tuple[Extension, ...] = ()  # beside those that the option ``Extensions`` names
    # What wraps a part that the assembly has made:
    file_area: Callable[[FileArea], FileArea] = _as_it_is
    storage: Callable[[Storage], Storage] = _as_it_is
    outputs: Callable[[OutputStore], OutputStore] = _as_it_is
    jobs: Callable[[JobsService], JobsService] = _as_it_is  # the engine, as resources see it
    restore: Callable[[Restore], Restore] = _as_it_is  # of each kind of job
    application: Callable[[WSGIApplication, Services], WSGIApplication] = _application
    dispatch: Callable[[NetworkServices], Dispatch] | None = None  # makes what answers DICOM; None for the usual one

    @classmethod
    def of_system(cls, identifiers: Identifiers | None = None) -> Environment:
        """Return the clock, the random source (or other identifiers) and the threads of the machine."""
        clock = SystemClock()
        return cls(clock, identifiers or SystemIdentifiers(), ThreadExecutor(clock))


class EnvironmentWrapper(Protocol):
    """Gives a server another environment than the one that it would have."""

    def around(self, environment: Environment) -> Environment:
        """Return the environment that the server gets."""
        ...
