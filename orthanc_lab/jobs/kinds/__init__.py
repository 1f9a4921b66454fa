"""The kinds of job, one module each; `KINDS` lists them.

A kind is a class that does its work in resumable steps (`orthanc_lab.jobs.ports.Job`). It has a ``type``, takes the
`JobTools` of the server as its first argument, and is made again from what it saved by ``restore(tools, saved)``.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any, Protocol

from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.media import MediaJob
from orthanc_lab.jobs.kinds.commitment import CommitmentJob
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.move_storage import MoveStorageJob
from orthanc_lab.jobs.kinds.retrieving.get import GetJob
from orthanc_lab.jobs.kinds.retrieving.move import MoveJob
from orthanc_lab.jobs.kinds.rewriting.merge import MergeJob
from orthanc_lab.jobs.kinds.rewriting.modification import ModificationJob
from orthanc_lab.jobs.kinds.rewriting.split import SplitJob
from orthanc_lab.jobs.kinds.sending.modality_store import ModalityStoreJob
from orthanc_lab.jobs.kinds.sending.peer_store import PeerStoreJob
from orthanc_lab.jobs.kinds.transfers.pull import PullTransferJob
from orthanc_lab.jobs.kinds.transfers.push import PushTransferJob
from orthanc_lab.jobs.ports import Job, Restore

__all__ = ["KINDS", "WRITING", "JobKind", "restores"]


class JobKind(Protocol):
    """The class of the jobs of one type."""

    type: str  # as in the field ``Type``

    def restore(self, tools: JobTools, saved: Mapping[str, Any]) -> Job:
        """Make a job again from what its `serialize` returned."""
        ...


KINDS: tuple[JobKind, ...] = (
    ArchiveJob,
    MediaJob,
    ModificationJob,
    SplitJob,
    MergeJob,
    PeerStoreJob,
    PushTransferJob,
    PullTransferJob,
    ModalityStoreJob,
    CommitmentJob,
    MoveJob,
    GetJob,
    MoveStorageJob,
)
"""Every kind of job that survives a restart."""

WRITING = frozenset(kind.type for kind in (ModificationJob, SplitJob, MergeJob, PullTransferJob, GetJob))
"""The types of those that store or delete instances: a server with ``ReadOnly`` leaves them to others."""


def restores(tools: JobTools) -> Mapping[str, Restore]:
    """Return how a server makes its jobs again, by their type."""
    return {kind.type: partial(kind.restore, tools) for kind in KINDS}
