"""What an archive contains, how it is made, and how large it would be."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from orthanc_lab.client import Client, Instance, Job, NotFoundError, Resource
from orthanc_lab.client.archives import Kind
from orthanc_lab.client.display import amount, counted
from orthanc_lab.client.download import Bytes
from orthanc_lab.client.hierarchy import resource_at

__all__ = ["ArchiveRequest", "Estimate", "estimate", "first_instance"]


@dataclass(frozen=True, slots=True)
class ArchiveRequest:
    """The archive that a user wants.

    Examples
    --------
    >>> request = ArchiveRequest("media", tuple(study.id for study in client.studies), extended=True)
    >>> request.submit(client, priority=2).wait().type
    'Media'
    """

    kind: Kind
    ids: tuple[str, ...]  # of any levels
    transcode: str = ""  # UID of a transfer syntax, "" to leave the files unchanged
    extended: bool = False  # SeriesDescription in the DICOMDIR

    def save(self, client: Client, folder: Path, progress: Bytes) -> Path:
        """Stream the archive to a folder."""
        transcode = self.transcode or None
        if self.kind == "archive":
            return client.archive(self.ids, folder, transcode=transcode, progress=progress)
        return client.media(self.ids, folder, transcode=transcode, extended=self.extended, progress=progress)

    def submit(self, client: Client, priority: int) -> Job:
        """Submit a job that makes the archive."""
        transcode = self.transcode or None
        if self.kind == "archive":
            return client.archive_job(self.ids, transcode=transcode, priority=priority)
        return client.media_job(self.ids, transcode=transcode, extended=self.extended, priority=priority)


@dataclass(frozen=True, slots=True)
class Estimate:
    """The size of a selection."""

    instances: int = 0
    size: int = 0  # bytes before compression
    gone: frozenset[str] = frozenset()  # ids of deleted resources

    @property
    def words(self) -> str:
        """A description."""
        if not self.instances:
            return "Nothing selected"
        return f"{counted(self.instances, 'instance', 'instances')}, {amount(self.size)} before compression"


def estimate(resources: Iterable[Resource]) -> Estimate:
    """Return the total size of resources that do not overlap; takes one request for each.

    Examples
    --------
    >>> estimate(client.studies.find()).instances
    20
    """
    instances = size = 0
    gone: set[str] = set()
    for resource in resources:
        try:
            statistics = resource.statistics
        except NotFoundError:
            gone.add(resource.id)
        else:
            instances += int(statistics.get("CountInstances", 1))
            size += int(statistics["UncompressedSize"])
    return Estimate(instances, size, frozenset(gone))


def first_instance(client: Client, resource: Resource) -> Instance | None:
    """Return one instance of a resource, None if it has been deleted."""
    try:
        while not isinstance(resource, Instance):
            below = resource.level.child
            assert below is not None
            resource = resource_at(client.transport, below, resource.document[below.plural.capitalize()][0])
        resource.refresh().document  # noqa: B018 - fetched, because it may have been deleted
    except (IndexError, NotFoundError):
        return None
    return resource
