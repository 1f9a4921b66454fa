"""Jobs that bring instances into another study: what a split and a merge have in common."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.changing.modification import Modification
from orthanc_lab.dicom.changing.uid_map import UidMap
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import DicomFile
from orthanc_lab.dicom.files.tag_path import TagPath
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import RewriteJob, Sources
from orthanc_lab.protocol.levels import Level

__all__ = ["StudyChange", "StudyPlan"]


@dataclass(frozen=True, slots=True)
class StudyPlan:
    """All that decides the outcome; fixed when the job is submitted."""

    secret: str  # of the mapping of series and instance UIDs
    removed: Sequence[int]  # tags
    replaced: Mapping[int, str]  # tag -> UTF-8 text; StudyInstanceUID is among them

    def encode(self) -> dict[str, Any]:
        """Return the plan as JSON values."""
        replaced = [[tag, text] for tag, text in self.replaced.items()]
        return {"secret": self.secret, "removed": list(self.removed), "replaced": replaced}

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> StudyPlan:
        """Read back what `encode` returned."""
        return cls(saved["secret"], saved["removed"], {int(tag): text for tag, text in saved["replaced"]})

    def rules(self) -> Modification:
        """Return the rules: new series and instances in the target study."""
        rules = Modification(Level.SERIES, keeps_identifiers=False)
        for tag in self.removed:
            rules.remove(TagPath((), tag))
        for tag, text in self.replaced.items():
            rules.replace(TagPath((), tag), text)
        return rules


class StudyChange(RewriteJob):
    """A job that makes new series and instances in another study."""

    counts_vanished = True

    def __init__(
        self, tools: JobTools, sources: Sources, plan: StudyPlan, saved: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(tools, sources, saved)
        self._plan = plan
        self._rules = plan.rules()
        self._uids = UidMap(plan.secret)
        self._values = tools.values("")

    def serialize(self) -> dict[str, Any]:
        """Return what the job is made again from."""
        return super().serialize() | {"plan": self._plan.encode()}

    def _modified(self, file: DicomFile) -> DataSet:
        return self._rules.apply(file.data_set, self._uids, self._values)
