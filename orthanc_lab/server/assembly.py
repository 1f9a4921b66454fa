"""The parts put together: from settings to a running storage, jobs engine and application."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from wsgiref.types import WSGIApplication

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.extra_main_tags import read_extra_main_tags
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.ports import Clock, Identifiers, SystemClock, SystemIdentifiers
from orthanc_lab.rest.application import make_application
from orthanc_lab.rest.services import Control, Services
from orthanc_lab.server.gauges import add_gauges
from orthanc_lab.server.job_kinds import restores
from orthanc_lab.server.memory_trimming import MemoryTrimming
from orthanc_lab.server.metrics_board import PublishedMetrics
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.server.read_only import ReadOnlyStorage
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.ports import Storage

__all__ = ["Assembly", "Environment", "assemble"]


@dataclass(frozen=True, slots=True)
class Environment:
    """What a server takes from its environment."""

    clock: Clock
    identifiers: Identifiers

    @classmethod
    def of_system(cls) -> Environment:
        """Return the clock and the random source of the machine."""
        return cls(SystemClock(), SystemIdentifiers())


@dataclass(frozen=True, slots=True)
class Assembly:
    """A server without a socket."""

    services: Services
    application: WSGIApplication
    storage: Storage
    trimming: MemoryTrimming

    def finish_jobs(self, timeout: float = 10) -> None:
        """Stop the jobs engine after the current steps; who waits for a job is told so."""
        self.services.engine.stop(timeout)

    def close(self) -> None:
        """Stop the jobs engine, if it still runs, and close the storage."""
        self.trimming.stop()
        self.finish_jobs()
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
    dictionary = Dictionary(settings["Dictionary"], settings["DefaultPrivateCreator"])
    storage = open_storage(
        Path(settings["StorageDirectory"]),
        options=_storage_options(settings, dictionary),
        clock=clock,
        identifiers=identifiers,
        metrics=metrics,
    )
    try:
        index = Path(settings["IndexDirectory"])
        outputs = _outputs_folder(settings, index)
        engine = JobsEngine(
            index / "jobs.sqlite" if settings["SaveJobs"] else None,
            outputs,
            clock,
            identifiers,
            restores=restores(settings, storage, clock, identifiers, outputs, dictionary=dictionary),
            concurrent_jobs=settings["ConcurrentJobs"],
            history_size=settings["JobsHistorySize"],
            media_archive_size=settings["MediaArchiveSize"],
            load_jobs=load_jobs,
            on_error=control.report,
        )
    except BaseException:
        storage.close()
        raise
    face: Storage = ReadOnlyStorage(storage) if settings["ReadOnly"] else storage
    services = Services(settings, dictionary, face, engine, metrics, clock, identifiers, control)
    add_gauges(metrics, services)
    application = make_application(services)
    engine.start()
    return Assembly(services, application, storage, MemoryTrimming(metrics))


def _outputs_folder(settings: CheckedSettings, index: Path) -> Path:
    """Return where jobs leave their files: beside the index, or where ``TemporaryDirectory`` says."""
    chosen = settings["TemporaryDirectory"]
    if chosen is None:
        return index / "jobs-outputs"
    mark = hashlib.sha1(str(index.resolve()).encode(), usedforsecurity=False).hexdigest()[:16]
    return Path(chosen) / f"orthanc-lab-{mark}"


def _storage_options(settings: CheckedSettings, dictionary: Dictionary) -> StorageOptions:
    return StorageOptions(
        index_directory=Path(settings["IndexDirectory"]),
        overwrite_instances=settings["OverwriteInstances"],
        maximum_storage_size=settings["MaximumStorageSize"],
        maximum_patient_count=settings["MaximumPatientCount"],
        maximum_storage_mode=settings["MaximumStorageMode"],
        storage_compression=settings["StorageCompression"],
        store_md5=settings["StoreMD5ForAttachments"],
        sync_storage_area=settings["SyncStorageArea"],
        maximum_cache_size=settings["MaximumStorageCacheSize"],
        stable_age=settings["StableAge"],
        log_exported_resources=settings["LogExportedResources"],
        dictionary=dictionary,
        default_encoding=settings["DefaultEncoding"],
        ingest_transcoding=settings["IngestTranscoding"] or "",
        ingest_transcoding_of_uncompressed=settings["IngestTranscodingOfUncompressed"],
        ingest_transcoding_of_compressed=settings["IngestTranscodingOfCompressed"],
        lossy_quality=settings["DicomLossyTranscodingQuality"],
        extra_main_dicom_tags=read_extra_main_tags(settings["ExtraMainDicomTags"], dictionary),
        user_metadata=settings["UserMetadata"],
    )
