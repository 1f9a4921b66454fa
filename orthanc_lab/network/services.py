"""What the DICOM server is given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dimse.directory import ModalityDirectory
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import Jobs
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.protocol.metrics import Metrics
from orthanc_lab.protocol.ports import Clock, Identifiers, Settings
from orthanc_lab.storage.ports import Storage

__all__ = ["NetworkServices"]


@dataclass(frozen=True, slots=True)
class NetworkServices:
    """The parts below, as the assembly has put them together."""

    settings: Settings
    dictionary: Dictionary
    storage: Storage
    engine: Jobs
    job_tools: JobTools
    modalities: ModalityDirectory  # the other DICOM nodes
    dicom: DicomOptions  # of associations with them
    metrics: Metrics
    clock: Clock
    identifiers: Identifiers
    executor: Executor
    report: Callable[[BaseException], None]  # takes note of an error that no client sees
    memory: MemoryBudget = UNLIMITED  # for what is being unpacked
