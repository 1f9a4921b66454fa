"""SQLite and files: one server, which owns its folder."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from pathlib import Path

from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobsService, Restore
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Identifiers, Settings
from orthanc_lab.server.back_ends.file_places import bucket_options, open_file_place
from orthanc_lab.server.environment import Environment
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.ports import Storage

__all__ = ["LocalBackEnd", "files_beside_index"]


class LocalBackEnd:
    """`orthanc_lab.server.back_ends.port.BackEnd` in the folders that the settings name."""

    def __init__(self, settings: Settings, environment: Environment) -> None:
        self._settings = settings
        self._environment = environment

    def open_storage(self, options: StorageOptions, metrics: Metrics) -> Storage:
        """Open the index and the files."""
        environment = self._environment
        folder = Path(self._settings["StorageDirectory"])
        files = open_file_place(
            folder, bucket_options(self._settings), environment.clock, is_written=not self._settings["ReadOnly"]
        )
        return open_storage(
            folder,
            options=options,
            clock=environment.clock,
            executor=environment.executor,
            identifiers=environment.identifiers,
            metrics=metrics,
            area=environment.file_area(files.area),
            places={name: environment.file_area(area) for name, area in files.parts.items()},
            is_elsewhere=files.is_elsewhere,
            open_log=environment.open_log,
            connect=environment.connect_index,
            lock=environment.lock,
        )

    def open_outputs(self) -> OutputStore:
        """Open the outputs of jobs."""
        return files_beside_index(self._settings, self._environment.identifiers, "jobs-outputs")

    def own_files(self, name: str, suffix: str) -> FileOutputs:
        """Open files of this server alone."""
        return files_beside_index(self._settings, self._environment.identifiers, name, suffix)

    def open_jobs(
        self,
        outputs: OutputStore,
        restores: Mapping[str, Restore],
        *,
        load_jobs: bool,
        on_error: Callable[[BaseException], None],
    ) -> JobsService:
        """Open the list of jobs, with the engine that runs them."""
        settings, environment = self._settings, self._environment
        file = Path(settings["IndexDirectory"]) / "jobs.sqlite" if settings["SaveJobs"] else None
        return JobsEngine(
            SqliteJobStore(file, keep=load_jobs, connect=environment.connect_jobs),
            outputs,
            environment.clock,
            environment.identifiers,
            environment.executor,
            restores=restores,
            concurrent_jobs=settings["ConcurrentJobs"],
            history_size=settings["JobsHistorySize"],
            media_archive_size=settings["MediaArchiveSize"],
            events_size=settings["JobsEventsSize"],
            load_jobs=load_jobs,
            on_error=on_error,
        )

    @property
    def cluster(self) -> Callable[[], Cluster] | None:
        """None: nobody else has this list of jobs."""
        return None

    def check(self) -> None:
        """Return at once: the folders are always there."""

    def close(self) -> None:
        """Close nothing: the parts share nothing that is open."""


def files_beside_index(settings: Settings, identifiers: Identifiers, name: str, suffix: str = "") -> FileOutputs:
    """Return where files of one use are: in a folder beside the index, or where ``TemporaryDirectory`` says."""
    index, chosen = Path(settings["IndexDirectory"]), settings["TemporaryDirectory"]
    if chosen is None:
        return FileOutputs(index / name, identifiers)
    mark = hashlib.sha1(str(index.resolve()).encode(), usedforsecurity=False).hexdigest()[:16]
    return FileOutputs(Path(chosen) / f"orthanc-lab-{mark}{suffix}", identifiers, shared=True)
