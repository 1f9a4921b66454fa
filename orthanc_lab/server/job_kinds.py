"""Which kinds of job survive a restart, and what they are made again with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from orthanc_lab.jobs.kinds.archive import ArchiveJob
from orthanc_lab.jobs.kinds.http_options import HttpOptions
from orthanc_lab.jobs.kinds.instance_steps import Workshop
from orthanc_lab.jobs.kinds.media import MediaJob
from orthanc_lab.jobs.kinds.merge import MergeJob
from orthanc_lab.jobs.kinds.modification import ModificationJob
from orthanc_lab.jobs.kinds.peer_store import PeerStoreJob, PeerStoreTools
from orthanc_lab.jobs.kinds.split import SplitJob
from orthanc_lab.jobs.kinds.zip_job import restored
from orthanc_lab.jobs.ports import Restore
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.server.settings import CheckedSettings
from orthanc_lab.storage.ports import Storage

__all__ = ["restores"]


def restores(
    settings: CheckedSettings, storage: Storage, clock: Clock, identifiers: Identifiers, outputs: Path
) -> Mapping[str, Restore]:
    """Return how to make a job of each durable type again, by the field ``Type``.

    Parameters
    ----------
    outputs
        The folder of the files that jobs leave behind.
    """
    peer_tools = PeerStoreTools(storage, HttpOptions.of(settings.__getitem__), identifiers)
    workshop = Workshop.of(storage, settings.__getitem__)
    return {
        **{job.type: partial(restored, job, storage, clock, outputs) for job in (ArchiveJob, MediaJob)},
        PeerStoreJob.type: partial(PeerStoreJob.restore, peer_tools),
        ModificationJob.type: partial(ModificationJob.restored, workshop),
        SplitJob.type: partial(SplitJob.restored, workshop),
        MergeJob.type: partial(MergeJob.restored, workshop),
    }
