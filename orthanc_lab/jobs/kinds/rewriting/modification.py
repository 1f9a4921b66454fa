"""Job of type ``ResourceModification``: resources modified or anonymized as new ones."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.changing.modification_request import ModificationRequest
from orthanc_lab.dicom.changing.uid_map import UidMap
from orthanc_lab.dicom.codecs.transcoding import transcode
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import RewriteJob, Sources
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.storage.records import Resource, Stored

__all__ = ["ModificationJob", "ModificationPlan"]


@dataclass(frozen=True, slots=True)
class ModificationPlan:
    """All that decides the outcome of a modification; fixed when the job is submitted."""

    request: ModificationRequest
    secret: str  # of the mapping of identifiers
    parents: Sequence[str]  # identifiers of the resources that were asked for, sorted
    shown_level: Level | None  # of the resource shown in the content; None for a list of all
    transcode: str | None = None  # UID of a transfer syntax
    quality: int = 90  # of lossy JPEG

    def encode(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "request": self.request.encode(),
            "secret": self.secret,
            "parents": list(self.parents),
            "shown_level": self.shown_level.value if self.shown_level else None,
            "transcode": self.transcode,
            "quality": self.quality,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> ModificationPlan:
        """Read back what `encode` returned."""
        level = Level(saved["shown_level"]) if saved["shown_level"] else None
        fields = {name: saved[name] for name in ("secret", "parents", "transcode", "quality")}
        return cls(request=ModificationRequest.decode(saved["request"]), shown_level=level, **fields)


_GROWTH = 16
"""A list of new resources is shown again when one part in 16 is new."""


class ModificationJob(RewriteJob):
    """A modification or an anonymization.

    Parameters
    ----------
    plan
        What to do.
    saved
        What `serialize` returned, for a job that is resumed.
    """

    type = "ResourceModification"

    def __init__(
        self, tools: JobTools, sources: Sources, plan: ModificationPlan, saved: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(tools, sources, saved)
        self._plan = plan
        self._rules = plan.request.rules(tools.dictionary)
        self._values = tools.values(plan.request.private_creator)
        self._uids = UidMap(plan.secret)
        self._touched: dict[Level, dict[str, None]] = {level: {} for level in LEVELS}
        self._relations: dict[str, str] = {}  # new parents that have their metadata and labels, and the old ones
        self._lineages: dict[str, Mapping[Level, str]] = {}  # by series, of the sources
        self._shown: list[dict[str, str]] = []
        self._shown_count = 0
        for name, ids in (saved["touched"] if saved else {}).items():
            self._touched[Level(name)].update(dict.fromkeys(ids))

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> ModificationJob:
        """Make a job again from what `serialize` returned."""
        return cls(tools, Sources.decode(saved["sources"]), ModificationPlan.decode(saved["plan"]), saved)

    def reset(self) -> None:
        """Go back to the first instance; what was made of sources that are deleted by now is still shown."""
        super().reset()
        if not self._progress.deleting:
            for ids in self._touched.values():
                ids.clear()

    def content(self) -> dict[str, Any]:
        """Return the content: after the first instance it names the new resource, at the end it lists all of many."""
        content = super().content() | {"IsAnonymization": self._plan.request.anonymization}
        if self._plan.parents:
            content["ParentResources"] = list(self._plan.parents)
        if self._plan.transcode:
            content["Transcode"] = self._plan.transcode
        return content | self._outcome()

    def serialize(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        touched = {level.value: list(ids) for level, ids in self._touched.items()}
        return super().serialize() | {"plan": self._plan.encode(), "touched": touched}

    def _outcome(self) -> dict[str, Any]:
        if self._plan.shown_level is None:
            return {"Resources": self._touched_so_far()}
        first = next(iter(self._touched[self._plan.shown_level]), None)
        if first is None:
            return {}
        return {**_shown(self._plan.shown_level, first), "PatientID": next(iter(self._touched[Level.PATIENT]))}

    def _touched_so_far(self) -> list[dict[str, str]]:
        """Return all new resources; while the job runs, the list is made anew when it has grown noticeably."""
        count = sum(map(len, self._touched.values()))
        is_final = self._is_done or self._has_failed
        if count != self._shown_count and (is_final or count * _GROWTH >= self._shown_count * (_GROWTH + 1)):
            levels = reversed(LEVELS)
            self._shown = [_shown(level, id) for level in levels for id in sorted(self._touched[level])]
            self._shown_count = count
        return self._shown

    def _modified(self, file: DicomFile) -> DataSet:
        data_set = self._rules.apply(file.data_set, self._uids, self._values)
        if self._plan.transcode is None and self._rules.spoils_pixels(data_set, file.transfer_syntax):
            raise OrthancError(ErrorCode.INTERNAL_ERROR)
        return data_set

    def _transcoded(self, dicom: bytes, source: str) -> bytes:
        """Return the instance in the transfer syntax that is wanted, or as it is where that cannot be had."""
        syntax = self._plan.transcode
        if syntax is None:
            return dicom
        # A lossy transfer syntax gives a new SOPInstanceUID: the same one if the step is done again.
        seed = hashlib.sha256(f"{self._plan.secret}|{source}".encode()).digest()
        identifiers = SeededIdentifiers(int.from_bytes(seed))
        return (
            transcode(
                dicom,
                syntax,
                self._tools.dictionary,
                quality=self._plan.quality,
                identifiers=identifiers,
                turn=self._tools.transcoding,
            )
            or dicom
        )

    @property
    def _relation(self) -> str:
        return "AnonymizedFrom" if self._plan.request.anonymization else "ModifiedFrom"

    def _metadata(self, source: str) -> dict[str, str]:
        return {self._relation: source}

    def _stored(self, source: Resource, stored: Stored) -> None:
        new = {
            Level.PATIENT: stored.patient,
            Level.STUDY: stored.study,
            Level.SERIES: stored.series,
            Level.INSTANCE: stored.instance,
        }
        fresh = {level for level, id in new.items() if level is not Level.INSTANCE and id not in self._touched[level]}
        if fresh:  # of many, the first new instance decides
            self._tools.storage.refresh_parents(stored.instance, fresh)
        old = self._lineage_of(source)
        for level, id in new.items():
            if self._plan.shown_level is None or level is not Level.INSTANCE:
                self._touched[level][id] = None
            if level is not Level.INSTANCE:
                self._relate(old.get(level, id), id)

    def _lineage_of(self, source: Resource) -> Mapping[Level, str]:
        """Return the resources above an instance."""
        series = source.parent or ""
        lineage = self._lineages.get(series)
        if lineage is None:
            ancestors = ((level, self._tools.storage.ancestor(series, level)) for level in LEVELS[:-1])
            lineage = self._lineages[series] = {level: id for level, id in ancestors if id is not None}
        return lineage

    def _relate(self, old: str, id: str) -> None:
        """Give a new parent its relation to the old one, and its labels."""
        storage = self._tools.storage
        if self._relations.get(id) == old:
            return
        self._relations[id] = old
        if old == id:
            return
        storage.set_metadata(id, self._relation, old)
        resource = storage.get(old) if self._sources.keep_labels else None
        for label in resource.labels if resource else ():
            storage.set_label(id, label, True)


def _shown(level: Level, id: str) -> dict[str, str]:
    return {"ID": id, "Path": f"/{level.plural}/{id}", "Type": level.value}
