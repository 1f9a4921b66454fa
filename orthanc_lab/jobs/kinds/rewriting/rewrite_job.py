"""What modification, split and merge have in common: one new instance made of each source, step by step.

After any step the job can be stopped and made again from what it serialized. New identifiers are
computed from the old ones (`UidMap`), so a step that a crash made half is done again with the same
outcome: nothing is stored twice. Sources are deleted only after the last new instance was stored
and that is written down, and only those that did become a new instance.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import Checkpoint, JobOutput, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError
from orthanc_lab.storage.records import Origin, Stored

__all__ = ["RewriteJob", "Sources"]

_DELETIONS_A_STEP = 20


@dataclass(frozen=True, slots=True)
class Sources:
    """What a job starts from; fixed when it is submitted."""

    instances: Sequence[str]  # Orthanc identifiers
    origin: Origin  # of the new instances
    keep: bool  # ``KeepSource``
    permissive: bool = False  # a failed instance does not end the job

    def encode(self) -> dict[str, Any]:
        """Return the sources as JSON values."""
        origin = {"remote_ip": self.origin.remote_ip, "http_username": self.origin.http_username}
        return {"instances": list(self.instances), "origin": origin, "keep": self.keep, "permissive": self.permissive}

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> Sources:
        """Read back what `encode` returned."""
        return cls(saved["instances"], Origin(**saved["origin"]), saved["keep"], saved["permissive"])


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

    def _modified(self, data_set: DataSet) -> DataSet:
        """Return what the data set of a source becomes."""
        raise NotImplementedError

    def _transcoded(self, dicom: bytes, source: str) -> bytes:
        """Return a new instance in the transfer syntax that is wanted."""
        return dicom

    def _metadata(self, source: str) -> dict[str, str]:
        """Return further metadata of the instance made of a source."""
        return {}

    def _stored(self, source: str, stored: Stored) -> None:
        """Take note of a new instance."""

    # -- what the engine calls -----------------------------------------------------

    def start(self) -> None:
        """Nothing is held open between two steps."""

    def step(self) -> bool | Checkpoint:
        """Make the next new instance, or delete the next sources.

        Raises
        ------
        OrthancError
            The code of an instance that failed, without details, as in Orthanc.
        """
        count = len(self._sources.instances)
        if self._progress.position < count:
            self._next_instance()
            if self._progress.position == count and not self._sources.keep:
                self._progress.deleting = True
                return Checkpoint()
            return True
        more = self._delete_sources(self._progress.position - count)
        self._finished = not more
        return more

    def stop(self, reason: StopReason) -> None:
        """Nothing is held open."""

    def reset(self) -> None:
        """Go back to the first instance; those that were stored stay, and are found again."""
        self._progress = Progress(deleting=self._progress.deleting)
        self._finished = False

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

    def _next_instance(self) -> None:
        position = self._progress.position
        source = self._sources.instances[position]
        if self._progress.deleting and self._tools.storage.find_level(source) is None:
            self._progress.position += 1
            return
        try:
            stored = self._store(source)
        except OrthancError as error:
            vanished = self.counts_vanished and error.code in VANISHED
            if self._sources.permissive or vanished:
                self._progress.failed.append(position)
            if not self._sources.permissive:
                raise OrthancError(ErrorCode.INTERNAL_ERROR if vanished else error.code) from error
        else:
            if stored.instance == source:
                self._progress.in_place.append(position)
            self._stored(source, stored)
        self._progress.position += 1

    def _store(self, source: str) -> Stored:
        storage = self._tools.storage
        file = read_file(storage.read_dicom(source), self._tools.dictionary)
        dicom = write_file(self._modified(file.data_set), file.transfer_syntax, file.meta)
        dicom = self._transcoded(dicom, source)
        return storage.store(dicom, self._sources.origin, metadata=self._metadata(source))

    def _delete_sources(self, start: int) -> bool:
        """Delete the next sources; return whether there are more."""
        instances = self._sources.instances
        if self._sources.keep or start >= len(instances):
            return False
        spared = {*self._progress.failed, *self._progress.in_place}
        end = min(start + _DELETIONS_A_STEP, len(instances))
        for position in range(start, end):
            if position not in spared:
                self._tools.storage.delete(instances[position])
        self._progress.position += end - start
        return end < len(instances)
