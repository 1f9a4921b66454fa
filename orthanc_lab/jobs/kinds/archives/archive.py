"""Job of type ``Archive``: a ZIP with directories named after patients, studies and series."""

from __future__ import annotations

from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob

__all__ = ["ArchiveJob"]


class ArchiveJob(ZipJob):
    """Writes the files of its plan, and nothing else."""

    type = "Archive"
