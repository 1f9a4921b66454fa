"""What modification, split and merge have in common: one new instance made of each source, step by step.

After any step the job can be stopped and made again from what it serialized. New identifiers are
computed from the old ones (`UidMap`), so a step that a crash made half is done again with the same
outcome: nothing is stored twice. Sources are deleted only after the last new instance was stored
and that is written down, and only those that did become a new instance.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile, read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.groups import Group, Groups
from orthanc_lab.jobs.ports import Checkpoint, JobOutput, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError
from orthanc_lab.storage.records import AttachmentType, NewInstance, Origin, Resource, Stored

__all__ = ["RewriteJob", "Sources"]

_INSTANCES_A_STEP = 20
_BYTES_A_STEP = 8 << 20
_LARGEST_GROUP = 32 << 20  # bytes; beside a larger one, the next is not made ahead
_DELETIONS_A_STEP = 20


@dataclass(frozen=True, slots=True)
class Sources:
    """What a job starts from; fixed when it is submitted."""

    instances: Sequence[str]  # Orthanc identifiers
    origin: Origin  # of the new instances
    keep: bool  # ``KeepSource``
    permissive: bool = False  # a failed instance does not end the job
    keep_labels: bool = False  # ``KeepLabels``

    def encode(self) -> dict[str, Any]:
        """Return the sources as JSON values."""
        origin = {"remote_ip": self.origin.remote_ip, "http_username": self.origin.http_username}
        return {
            "instances": list(self.instances),
            "origin": origin,
            "keep": self.keep,
            "permissive": self.permissive,
            "keep_labels": self.keep_labels,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> Sources:
        """Read back what `encode` returned."""
        return cls(**{**saved, "origin": Origin(**saved["origin"])})


@dataclass(slots=True)
class Progress:
    """How far a job is."""

    position: int = 0  # steps done: the instances, then the deletion of their sources
    failed: list[int] = field(default_factory=list)  # positions of instances that failed
    in_place: list[int] = field(default_factory=list)  # positions of instances that were replaced by themselves
    deleting: bool = False  # all new instances were stored once: a source that is gone was dealt with


class RewriteJob:
    """A job that makes a new instance of each of its sources."""

    type = ""
    counts_vanished = False
    """Whether an instance that has vanished counts as failed where it ends the job, with code -1."""

    def __init__(self, tools: JobTools, sources: Sources, saved: Mapping[str, Any] | None = None) -> None:
        self._tools = tools
        self._sources = sources
        self._progress = Progress(**saved["progress"]) if saved else Progress()
        self._finished = False
        self._has_failed = False
        self._groups = Groups(tools.executor, self._make_group)

    def _modified(self, file: DicomFile) -> DataSet:
        """Return what the data set of a source becomes."""
        raise NotImplementedError

    def _transcoded(self, dicom: bytes, source: str) -> bytes:
        """Return a new instance in the transfer syntax that is wanted."""
        return dicom

    def _metadata(self, source: str) -> dict[str, str]:
        """Return further metadata of the instance made of a source."""
        return {}

    def _stored(self, source: Resource, stored: Stored) -> None:
        """Take note of a new instance."""

    # -- what the engine calls -----------------------------------------------------

    def start(self) -> None:
        """Nothing is opened."""

    def step(self) -> bool | Checkpoint:
        """Make the next new instances, or delete the next sources.

        Raises
        ------
        OrthancError
            The code of an instance that failed, without details, as in Orthanc.
        """
        count = len(self._sources.instances)
        if self._progress.position < count:
            self._next_instances()
            if self._progress.position == count and not self._sources.keep:
                self._progress.deleting = True
                return Checkpoint()
            return True
        more = self._delete_sources(self._progress.position - count)
        self._finished = not more
        return more

    def stop(self, reason: StopReason) -> None:
        """Drop what was made ahead."""
        self._groups.close()

    def reset(self) -> None:
        """Go back to the first instance; those that were stored stay, and are found again."""
        self._progress = Progress(deleting=self._progress.deleting)
        self._finished = self._has_failed = False

    def progress(self) -> float:
        """Return the part that is done; what follows the last instance counts as one step, as in Orthanc."""
        count = len(self._sources.instances)
        return 1.0 if self._finished else min(self._progress.position, count) / (count + 1)

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return none: the outcome is in the storage."""
        return {}

    def content(self) -> dict[str, Any]:
        """Return the part of ``Content`` that these jobs have in common."""
        return {
            "Description": "REST API",
            "FailedInstancesCount": len(self._progress.failed),
            "InstancesCount": len(self._sources.instances),
        }

    def serialize(self) -> dict[str, Any]:
        """Return sources and progress."""
        return {"sources": self._sources.encode(), "progress": asdict(self._progress)}

    @property
    def _is_done(self) -> bool:
        return self._progress.position >= len(self._sources.instances)

    # -- one step ------------------------------------------------------------------

    def _next_instances(self) -> None:
        """Make the next new instances and store them as one; those before one that fails are stored, too."""
        group = self._groups.take(self._progress.position)
        if group.end < len(self._sources.instances) and group.failure is None and group.size <= _LARGEST_GROUP:
            self._groups.prepare(group.end)
        failure = self._store(group.made, group.sources) or group.failure
        if failure is not None:
            self._note_failure(failure)

    def _make_each(self, ids: Sequence[str], sources: Mapping[str, Resource]) -> Iterator[NewInstance | None]:
        """Yield what each source becomes, in order."""
        threads = self._tools.rewriting_threads
        if threads == 1:
            for id in ids:
                yield self._make(id, sources.get(id))
            return
        pool = self._tools.executor.pool("rewriting", threads)
        try:
            for start in range(0, len(ids), threads):
                group = [pool.submit(self._make, id, sources.get(id)) for id in ids[start : start + threads]]
                for future in group:
                    yield future.result()
        finally:
            pool.shutdown()

    def _make_group(self, start: int) -> Group:
        ids = self._sources.instances[start : start + _INSTANCES_A_STEP]
        sources = {resource.id: resource for resource in self._tools.storage.get_many(ids)}
        made: list[NewInstance | None] = []
        size = 0
        failure: OrthancError | None = None
        try:
            for new in self._make_each(ids, sources):
                made.append(new)
                size += len(new.dicom) if new is not None else 0
                if size >= _BYTES_A_STEP:
                    break
        except OrthancError as error:
            failure = error
        return Group(start, sources, made, failure, size)

    def _make(self, id: str, source: Resource | None) -> NewInstance | None:
        """Return what a source becomes."""
        if source is None and self._progress.deleting:
            return None
        attachment = None if source is None else source.attachments.get(AttachmentType.DICOM)
        if attachment is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
        dicom = self._tools.storage.read_attachment(attachment, of=id)
        file = read_file(dicom, self._tools.dictionary, share_pixels=True)
        dicom = write_file(self._modified(file), file.transfer_syntax)
        return NewInstance(self._transcoded(dicom, id), self._metadata(id))

    def _store(self, made: Sequence[NewInstance | None], sources: Mapping[str, Resource]) -> OrthancError | None:
        """Store new instances, as one or (if one of them fails) up to that one; return its error."""
        new = [instance for instance in made if instance is not None]
        try:
            stored = iter(self._store_made(new))
        except OrthancError as error:
            if len(made) == 1:
                return error
            return next(filter(None, (self._store([instance], sources) for instance in made)), None)
        for instance in made:
            if instance is not None:
                source = sources[self._sources.instances[self._progress.position]]
                self._take_note(source, next(stored))
            self._progress.position += 1
        return None

    def _store_made(self, new: Sequence[NewInstance]) -> Sequence[Stored]:
        storage = self._tools.storage
        return storage.store_made(new, self._sources.origin, keep_labels=self._sources.keep_labels) if new else ()

    def _take_note(self, source: Resource, stored: Stored) -> None:
        if stored.instance == source.id:
            self._progress.in_place.append(self._progress.position)
        self._stored(source, stored)

    def _note_failure(self, error: OrthancError) -> None:
        vanished = self.counts_vanished and error.code in VANISHED
        if self._sources.permissive or vanished:
            self._progress.failed.append(self._progress.position)
        if not self._sources.permissive:
            self._has_failed = True
            raise OrthancError(ErrorCode.INTERNAL_ERROR if vanished else error.code) from error
        self._progress.position += 1

    def _delete_sources(self, start: int) -> bool:
        """Delete the next sources; return whether there are more."""
        instances = self._sources.instances
        if self._sources.keep or start >= len(instances):
            return False
        spared = {*self._progress.failed, *self._progress.in_place}
        end = min(start + _DELETIONS_A_STEP, len(instances))
        self._tools.storage.delete_all([instances[it] for it in range(start, end) if it not in spared])
        self._progress.position += end - start
        return end < len(instances)
