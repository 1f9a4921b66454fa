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
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import RewriteJob, Sources
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.protocol.ports import SeededIdentifiers
from orthanc_lab.storage.records import Stored

__all__ = ["ModificationJob", "ModificationPlan"]


@dataclass(frozen=True, slots=True)
class ModificationPlan:
    """All that decides the outcome of a modification; fixed when the job is submitted."""

    request: ModificationRequest
    secret: str  # of the mapping of identifiers
    parents: Sequence[str]  # identifiers of the resources that were asked for, sorted
    shown_level: Level | None  # of the resource shown in the content; None for a list of all
    keep_labels: bool = False
    transcode: str | None = None  # UID of a transfer syntax
    quality: int = 90  # of lossy JPEG

    def encode(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        return {
            "request": self.request.encode(),
            "secret": self.secret,
            "parents": list(self.parents),
            "shown_level": self.shown_level.value if self.shown_level else None,
            "keep_labels": self.keep_labels,
            "transcode": self.transcode,
            "quality": self.quality,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> ModificationPlan:
        """Read back what `encode` returned."""
        level = Level(saved["shown_level"]) if saved["shown_level"] else None
        fields = {name: saved[name] for name in ("secret", "parents", "keep_labels", "transcode", "quality")}
        return cls(request=ModificationRequest.decode(saved["request"]), shown_level=level, **fields)


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
            if not self._is_done:
                return {}
            levels = reversed(LEVELS)
            return {"Resources": [_shown(level, id) for level in levels for id in sorted(self._touched[level])]}
        first = next(iter(self._touched[self._plan.shown_level]), None)
        if first is None:
            return {}
        return {**_shown(self._plan.shown_level, first), "PatientID": next(iter(self._touched[Level.PATIENT]))}

    def _modified(self, data_set: DataSet) -> DataSet:
        return self._rules.apply(data_set, self._uids, self._values)

    def _transcoded(self, dicom: bytes, source: str) -> bytes:
        """Return the instance in the transfer syntax that is wanted, or as it is where that cannot be had."""
        syntax = self._plan.transcode
        if syntax is None:
            return dicom
        # A lossy transfer syntax gives a new SOPInstanceUID: the same one if the step is done again.
        seed = hashlib.sha256(f"{self._plan.secret}|{source}".encode()).digest()
        identifiers = SeededIdentifiers(int.from_bytes(seed))
        return (
            transcode(dicom, syntax, self._tools.dictionary, quality=self._plan.quality, identifiers=identifiers)
            or dicom
        )

    @property
    def _relation(self) -> str:
        return "AnonymizedFrom" if self._plan.request.anonymization else "ModifiedFrom"

    def _metadata(self, source: str) -> dict[str, str]:
        return {self._relation: source}

    def _stored(self, source: str, stored: Stored) -> None:
        new = {
            Level.PATIENT: stored.patient,
            Level.STUDY: stored.study,
            Level.SERIES: stored.series,
            Level.INSTANCE: stored.instance,
        }
        if stored.series not in self._relations:
            self._tools.storage.refresh_parents(stored.instance)
        for level, id in new.items():
            if self._plan.shown_level is None or not self._touched[level]:  # of many, the first one is shown
                self._touched[level][id] = None
            if level is not Level.INSTANCE:
                self._relate(source, level, id)

    def _relate(self, source: str, level: Level, id: str) -> None:
        """Give a new parent its relation to the old one, and its labels."""
        storage = self._tools.storage
        old = storage.ancestor(source, level) or id
        if self._relations.get(id) == old:
            return
        self._relations[id] = old
        if old == id:
            return
        storage.set_metadata(id, self._relation, old)
        resource = storage.get(old) if self._plan.keep_labels else None
        for label in resource.labels if resource else ():
            storage.set_label(id, label, True)


def _shown(level: Level, id: str) -> dict[str, str]:
    return {"ID": id, "Path": f"/{level.plural}/{id}", "Type": level.value}
