"""What the assembly asks of a back end."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Protocol

from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import JobsService, Restore
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.ports import Storage

__all__ = ["BackEnd"]


class BackEnd(Protocol):
    """Opens the parts of a server that last; each is opened once, and closed by who asked for it."""

    def open_storage(self, options: StorageOptions, metrics: Metrics) -> Storage:
        """Open the index and the files."""
        ...

    def open_outputs(self) -> OutputStore:
        """Open the outputs of jobs."""
        ...

    def own_files(self, name: str, suffix: str) -> FileOutputs:
        """Open files of this server alone, which its next start finds.

        Parameters
        ----------
        name
            Of their folder beside the index.
        suffix
            Behind the name that the folder has in ``TemporaryDirectory``.
        """
        ...

    def open_jobs(
        self,
        outputs: OutputStore,
        restores: Mapping[str, Restore],
        *,
        load_jobs: bool,
        on_error: Callable[[BaseException], None],
    ) -> JobsService:
        """Open the list of jobs, with the engine that runs them.

        Parameters
        ----------
        restores
            What makes a job again of what was saved of it, by kind.
        load_jobs
            False forgets the jobs that were kept.
        on_error
            Called with what goes wrong inside the engine.
        """
        ...

    @property
    def cluster(self) -> Callable[[], Cluster] | None:
        """What tells which servers share the list of jobs, once that is open; None if no others can."""
        ...

    def check(self) -> None:
        """Ask whether the index can be reached, and wait for that no longer than a moment.

        Raises
        ------
        OrthancError
            36 if it cannot.
        """
        ...

    def close(self) -> None:
        """Close what the parts share, after them."""
        ...
