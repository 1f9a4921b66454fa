"""Job of type ``SplitStudy``: series or instances of a study moved to a new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.dicom.dictionary.tags import STUDY_INSTANCE_UID
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import Sources
from orthanc_lab.jobs.kinds.rewriting.study_change import StudyChange, StudyPlan
from orthanc_lab.storage.records import Resource, Stored

__all__ = ["SplitJob"]


class SplitJob(StudyChange):
    """A split; its content names the new study once there is one."""

    type = "SplitStudy"

    def __init__(
        self, tools: JobTools, sources: Sources, plan: StudyPlan, saved: Mapping[str, Any] | None = None
    ) -> None:
        super().__init__(tools, sources, plan, saved)
        self._target: str = saved["target"] if saved else ""

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> SplitJob:
        """Make a job again from what `serialize` returned."""
        return cls(tools, Sources.decode(saved["sources"]), StudyPlan.decode(saved["plan"]), saved)

    def content(self) -> dict[str, Any]:
        """Return the content, with UID and (after the first instance) identifier of the new study."""
        content = super().content() | {"TargetStudyUID": self._plan.replaced[STUDY_INSTANCE_UID]}
        return content | {"TargetStudy": self._target} if self._target else content

    def serialize(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        return super().serialize() | {"target": self._target}

    def _stored(self, source: Resource, stored: Stored) -> None:
        self._target = stored.study
