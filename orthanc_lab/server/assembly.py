"""The parts put together: from settings to a running storage, jobs engine and application."""

from __future__ import annotations

import logging
import os
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from threading import BoundedSemaphore
from typing import TYPE_CHECKING
from wsgiref.types import WSGIApplication

from orthanc_lab.dicom.dictionary.dictionary import BuiltInTables, Dictionary
from orthanc_lab.dicom.dictionary.entry import Tables
from orthanc_lab.dicom.dictionary.external import ExternalTables
from orthanc_lab.dicom.dictionary.extra_main_tags import read_extra_main_tags
from orthanc_lab.dimse.kept_queries import KeptQueries
from orthanc_lab.jobs.kinds import KINDS, restores
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobsService
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.rest.application import ROUTES, make_application
from orthanc_lab.rest.request_guard import RequestGuard
from orthanc_lab.rest.services import Control, Services
from orthanc_lab.server.back_ends.choice import open_back_end
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.gauges import add_gauges
from orthanc_lab.server.memory_trimming import MemoryTrimming
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.server.read_only import ReadOnlyStorage
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.ports import Storage
from orthanc_lab.transfers.originator import Originator
from orthanc_lab.transfers.push_metrics import PushMetrics
from orthanc_lab.transfers.push_receiver import PushReceiver

if TYPE_CHECKING:  # there are platforms without what they need
    from orthanc_lab.extensions.host import ExtensionHost

__all__ = ["Assembly", "assemble", "dictionary_of", "storage_options"]

_log = logging.getLogger("orthanc_lab")


@dataclass(frozen=True, slots=True)
class Assembly:
    """A server without a socket."""

    environment: Environment
    services: Services
    rest: RequestGuard
    application: WSGIApplication  # the same, with what the environment puts around it
    engine: JobsService
    opened: ExitStack  # what `close` closes, the last one first

    def finish_jobs(self, timeout: float = 10) -> None:
        """Stop the jobs engine after the current steps; the callers that wait for a job get an error."""
        self.engine.stop(timeout)

    def close(self) -> None:
        """Stop the jobs engine, if it still runs, and close the storage."""
        self.opened.close()


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
        11 if another server owns the index, 3 for settings that do not fit, 36 if a database cannot be reached.
    """
    environment = environment or Environment.of_system()
    with ExitStack() as opened:  # what is open is closed again, should one of the steps fail
        services, engine = _services(settings, control, environment, opened, load_jobs=load_jobs)
        rest = make_application(services)
        application = environment.application(rest, services)
        engine.start()
        trimming = MemoryTrimming(services.metrics, environment.clock, environment.executor)
        opened.callback(trimming.stop)
        return Assembly(environment, services, rest, application, engine, opened.pop_all())


def _services(
    settings: CheckedSettings, control: Control, environment: Environment, opened: ExitStack, *, load_jobs: bool
) -> tuple[Services, JobsService]:
    """Open all that resources are given, and the jobs engine, which is still to be started."""
    clock, identifiers = environment.clock, environment.identifiers
    metrics = PublishedMetrics(clock, enabled=settings["MetricsEnabled"])
    dictionary = dictionary_of(settings)
    memory = MemoryBudget(settings["MaximumUnpackedSize"] << 20, clock)
    transcoding = _transcoding(settings)
    back_end = open_back_end(settings, environment)
    opened.callback(back_end.close)
    options = replace(storage_options(settings, dictionary, memory), transcoding=transcoding)
    storage = back_end.open_storage(options, metrics)
    opened.callback(storage.close)
    face: Storage = environment.storage(ReadOnlyStorage(storage) if settings["ReadOnly"] else storage)
    outputs = environment.outputs(back_end.open_outputs())
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
    pushes = PushReceiver(
        back_end.own_files("transfers", "-transfers"),
        face,
        tools.transfers,
        PushMetrics(metrics),
        clock=clock,
        executor=environment.executor,
        memory=memory,
    )
    opened.callback(pushes.close)
    known = {**restores(tools), **(extensions.restores() if extensions is not None else {})}
    engine = back_end.open_jobs(
        outputs,
        {kind: environment.restore(restore) for kind, restore in known.items()},
        load_jobs=load_jobs,
        on_error=control.report,
    )
    opened.callback(engine.stop)
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
        cluster=back_end.cluster,
    )
    add_gauges(metrics, services, back_end.check)
    return services, engine


def _transcoding(settings: CheckedSettings) -> BoundedSemaphore | None:
    """Return what counts the transcoders of all uploads, downloads and jobs; None if nothing is transcoded."""
    if settings["BuiltinDecoderTranscoderOrder"] == "Disabled":
        return None
    return BoundedSemaphore(settings["MaximumConcurrentDcmtkTranscoders"] or os.cpu_count() or 1)


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
