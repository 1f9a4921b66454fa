"""Which kinds of job survive a restart, and what they are made again with."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.media import MediaJob
from orthanc_lab.jobs.kinds.archives.zip_job import restored
from orthanc_lab.jobs.kinds.rewriting.merge import MergeJob
from orthanc_lab.jobs.kinds.rewriting.modification import ModificationJob
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import JobTools
from orthanc_lab.jobs.kinds.rewriting.split import SplitJob
from orthanc_lab.jobs.kinds.sending.peer_store import PeerStoreJob, PeerStoreTools
from orthanc_lab.jobs.ports import Restore
from orthanc_lab.peers.http_options import HttpOptions
from orthanc_lab.protocol.ports import Clock, Identifiers
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.storage.ports import Storage

__all__ = ["restores"]


def restores(
    settings: CheckedSettings,
    storage: Storage,
    clock: Clock,
    identifiers: Identifiers,
    outputs: Path,
    *,
    dictionary: Dictionary,
) -> Mapping[str, Restore]:
    """Return how to make a job of each durable type again, by the field ``Type``.

    Parameters
    ----------
    outputs
        The folder of the files that jobs leave behind.
    """
    peer_tools = PeerStoreTools(storage, HttpOptions.of(settings.__getitem__), identifiers, dictionary)
    tools = JobTools.of(storage, dictionary, settings.__getitem__)
    return {
        **{
            job.type: partial(restored, job, storage, clock, outputs, dictionary=dictionary)
            for job in (ArchiveJob, MediaJob)
        },
        PeerStoreJob.type: partial(PeerStoreJob.restore, peer_tools),
        ModificationJob.type: partial(ModificationJob.restored, tools),
        SplitJob.type: partial(SplitJob.restored, tools),
        MergeJob.type: partial(MergeJob.restored, tools),
    }
