"""The parts put together: from settings to a running storage, jobs engine and application."""

from __future__ import annotations

import hashlib
import logging
import os
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING, Protocol, TypeVar
from wsgiref.types import WSGIApplication

from orthanc_lab.dicom.dictionary.dictionary import BuiltInTables, Dictionary
from orthanc_lab.dicom.dictionary.entry import Tables
from orthanc_lab.dicom.dictionary.external import ExternalTables
from orthanc_lab.dicom.dictionary.extra_main_tags import read_extra_main_tags
from orthanc_lab.dimse.kept_queries import KeptQueries
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.kinds import KINDS, restores
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Jobs, Restore
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.jobs.sqlite_store import connect as connect_jobs
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock, SystemIdentifiers
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.rest.application import ROUTES, make_application
from orthanc_lab.rest.services import Control, Services
from orthanc_lab.server.file_places import bucket_options, open_file_place
from orthanc_lab.server.gauges import add_gauges
from orthanc_lab.server.memory_trimming import MemoryTrimming
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.server.read_only import ReadOnlyStorage
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.log_file import DiskLog, OpenLog
from orthanc_lab.storage.lock import Lock, lock_folder
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.sqlite.connections import connect
from orthanc_lab.transfers.originator import Originator
from orthanc_lab.transfers.push_metrics import PushMetrics
from orthanc_lab.transfers.push_receiver import PushReceiver

if TYPE_CHECKING:  # there are platforms without what they need
    from orthanc_lab.extensions.extension import Extension
    from orthanc_lab.extensions.host import ExtensionHost
    from orthanc_lab.network.dispatch import Dispatch
    from orthanc_lab.network.services import NetworkServices

__all__ = ["Assembly", "Environment", "EnvironmentWrapper", "assemble", "dictionary_of", "storage_options"]

_log = logging.getLogger("orthanc_lab")
_Part = TypeVar("_Part")


def _as_it_is(part: _Part) -> _Part:
    return part


def _application(application: WSGIApplication, services: Services) -> WSGIApplication:
    return application


@dataclass(frozen=True, slots=True)
class Environment:
    """What a server takes from outside; a fault there is a wrapper around one of these."""

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
    jobs: Callable[[Jobs], Jobs] = _as_it_is  # the engine, as resources see it
    restore: Callable[[Restore], Restore] = _as_it_is  # of each kind of job
    workers: Callable[[Executor], Executor] = _as_it_is  # what runs the workers of jobs
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


@dataclass(frozen=True, slots=True)
class Assembly:
    """A server without a socket."""

    environment: Environment
    services: Services
    application: WSGIApplication
    storage: Storage
    engine: JobsEngine
    trimming: MemoryTrimming

    def finish_jobs(self, timeout: float = 10) -> None:
        """Stop the jobs engine after the current steps; the callers that wait for a job get an error."""
        self.engine.stop(timeout)

    def close(self) -> None:
        """Stop the jobs engine, if it still runs, and close the storage."""
        self.trimming.stop()
        self.finish_jobs()
        self.services.pushes.close()
        self.storage.close()


def assemble(
    settings: CheckedSettings, control: Control, environment: Environment | None = None, *, load_jobs: bool = True
) -> Assembly:
    """Open the storage, start the jobs engine and make the application.

    Parameters
    ----------
    load_jobs
        False forgets the jobs that are on disk (``--no-jobs``).

    Raises
    ------
    OrthancError
        11 if another server owns the index, 3 for settings that do not fit.
    """
    environment = environment or Environment.of_system()
    clock, identifiers = environment.clock, environment.identifiers
    metrics = PublishedMetrics(clock, enabled=settings["MetricsEnabled"])
    dictionary = dictionary_of(settings)
    memory = MemoryBudget(settings["MaximumUnpackedSize"] << 20, clock)
    # A semaphore counts for all: uploads, downloads and jobs.
    transcoding = BoundedSemaphore(settings["MaximumConcurrentDcmtkTranscoders"] or os.cpu_count() or 1)
    folder = Path(settings["StorageDirectory"])
    files = open_file_place(folder, bucket_options(settings, settings.folder), clock)
    storage = open_storage(
        folder,
        options=replace(storage_options(settings, dictionary, memory), transcoding=transcoding),
        clock=clock,
        executor=environment.executor,
        identifiers=identifiers,
        metrics=metrics,
        area=environment.file_area(files.area),
        is_elsewhere=files.is_elsewhere,
        open_log=environment.open_log,
        connect=environment.connect_index,
        lock=environment.lock,
    )
    face: Storage = environment.storage(ReadOnlyStorage(storage) if settings["ReadOnly"] else storage)
    try:
        index = Path(settings["IndexDirectory"])
        outputs = environment.outputs(_files(settings, identifiers, index / "jobs-outputs"))
        tools = JobTools.of(
            settings,
            face,
            clock=clock,
            identifiers=identifiers,
            executor=environment.executor,
            outputs=outputs,
            dictionary=dictionary,
            transcoding=transcoding,
        )
        extensions = _extensions(settings, environment, outputs)
        known = {**restores(tools), **(extensions.restores() if extensions is not None else {})}
        engine = JobsEngine(
            SqliteJobStore(
                index / "jobs.sqlite" if settings["SaveJobs"] else None,
                keep=load_jobs,
                connect=environment.connect_jobs,
            ),
            outputs,
            clock,
            identifiers,
            environment.workers(environment.executor),
            restores={kind: environment.restore(restore) for kind, restore in known.items()},
            concurrent_jobs=settings["ConcurrentJobs"],
            history_size=settings["JobsHistorySize"],
            media_archive_size=settings["MediaArchiveSize"],
            events_size=settings["JobsEventsSize"],
            load_jobs=load_jobs,
            on_error=control.report,
        )
        pushes = PushReceiver(
            _files(settings, identifiers, index / "transfers", "-transfers"),
            face,
            tools.transfers,
            PushMetrics(metrics),
            clock=clock,
            executor=environment.executor,
            memory=memory,
        )
    except BaseException:
        storage.close()
        raise
    services = Services(
        settings,
        dictionary,
        face,
        environment.jobs(engine),
        tools,
        tools.modalities,
        tools.dicom,
        KeptQueries(settings["QueryRetrieveSize"], identifiers),
        metrics,
        clock,
        identifiers,
        environment.executor,
        control,
        pushes,
        Originator(identifiers),
        memory=memory,
        extensions=extensions,
    )
    add_gauges(metrics, services)
    application = environment.application(make_application(services), services)
    engine.start()
    trimming = MemoryTrimming(metrics, clock, environment.executor)
    return Assembly(environment, services, application, storage, engine, trimming)


def _extensions(settings: CheckedSettings, environment: Environment, outputs: OutputStore) -> ExtensionHost | None:
    """Return the extensions of the server, None if there are none."""
    if not environment.extensions and not settings["Extensions"]:
        return None
    from orthanc_lab.extensions.extension import check_together  # noqa: PLC0415 - most servers have no extensions
    from orthanc_lab.extensions.host import ExtensionHost  # noqa: PLC0415
    from orthanc_lab.extensions.loading import load  # noqa: PLC0415

    named = [load(reference, settings.folder) for reference in settings["Extensions"]]
    found = (*environment.extensions, *named)
    kinds, paths = (kind.type for kind in KINDS), (path for path, _ in ROUTES)
    check_together(found, taken_types=kinds, taken_paths=paths)
    for extension in found:
        _log.warning("Extension: %s", " ".join(filter(None, (extension.name, extension.version))))
    return ExtensionHost(found, executor=environment.executor, outputs=outputs, clock=environment.clock)


def dictionary_of(settings: CheckedSettings) -> Dictionary:
    """Return the DICOM tags that a server knows."""
    return Dictionary(settings["Dictionary"], settings["DefaultPrivateCreator"], _tables(settings))


def _tables(settings: CheckedSettings) -> Tables:
    """Return the tags that are known: the built-in ones, or those of files that replace them."""
    files = [settings.folder / file for file in settings["ExternalDictionaries"]]
    for file in files:
        _log.warning('Loading external DICOM dictionary: "%s"', file)
    return ExternalTables(files) if files else BuiltInTables(private=settings["LoadPrivateDictionary"])


def _files(settings: CheckedSettings, identifiers: Identifiers, folder: Path, suffix: str = "") -> FileOutputs:
    """Return where files of one use are: in a folder beside the index, or where ``TemporaryDirectory`` says."""
    chosen = settings["TemporaryDirectory"]
    if chosen is None:
        return FileOutputs(folder, identifiers)
    mark = hashlib.sha1(str(folder.parent.resolve()).encode(), usedforsecurity=False).hexdigest()[:16]
    return FileOutputs(Path(chosen) / f"orthanc-lab-{mark}{suffix}", identifiers, shared=True)


def storage_options(settings: CheckedSettings, dictionary: Dictionary, memory: MemoryBudget) -> StorageOptions:
    """Return the options of the storage that the settings name."""
    values = {option.storage_field: settings[name] for name, option in OPTIONS.items() if option.storage_field}
    return StorageOptions(
        **values,
        index_directory=Path(settings["IndexDirectory"]),
        extra_main_dicom_tags=read_extra_main_tags(settings["ExtraMainDicomTags"], dictionary),
        dictionary=dictionary,
        memory=memory,
    )
