"""Job of type ``MergeStudy``: studies, series or instances moved into an existing study."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.rewriting.rewrite_job import Sources
from orthanc_lab.jobs.kinds.rewriting.study_change import StudyChange, StudyPlan

__all__ = ["MergeJob"]


class MergeJob(StudyChange):
    """A merge.

    Parameters
    ----------
    target
        Orthanc identifier of the study into which the sources go.
    """

    type = "MergeStudy"

    def __init__(
        self,
        tools: JobTools,
        sources: Sources,
        plan: StudyPlan,
        target: str,
        saved: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(tools, sources, plan, saved)
        self._target = target

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> MergeJob:
        """Make a job again from what `serialize` returned."""
        sources, plan = Sources.decode(saved["sources"]), StudyPlan.decode(saved["plan"])
        return cls(tools, sources, plan, saved["target"], saved)

    def content(self) -> dict[str, Any]:
        """Return the content."""
        return super().content() | {"TargetStudy": self._target}

    def serialize(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        return super().serialize() | {"target": self._target}
