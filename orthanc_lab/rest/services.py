"""What the resources are given to work with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dimse.directory import ModalityDirectory
from orthanc_lab.dimse.kept_queries import KeptQueries
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import Jobs
from orthanc_lab.protocol.cluster import Cluster
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.protocol.ports import Clock, Identifiers, Settings
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.storage.ports import Storage
from orthanc_lab.transfers.originator import Originator
from orthanc_lab.transfers.push_receiver import PushReceiver

if TYPE_CHECKING:
    from orthanc_lab.extensions.host import ExtensionHost

__all__ = ["Control", "Services", "UploadLimits"]


class Control(Protocol):
    """What a client may do to the server itself."""

    def reset(self) -> None:
        """Start again with the configuration read anew; returns at once."""
        ...

    def shutdown(self) -> None:
        """Stop; returns at once."""
        ...

    def report(self, error: BaseException) -> None:
        """Take note of an error that no client must see (a log line; the test harness raises it)."""
        ...


@dataclass(frozen=True, slots=True)
class UploadLimits:
    """What a compressed upload may unpack to."""

    members: int = 200_000
    size_of_file: int = 2 << 30  # bytes of one file
    unpacked_of_file: int = 48 << 20  # bytes that any file may have
    size: int = 2 << 30  # bytes of all members that any archive may have
    ratio: int = 100  # larger archives, and larger files, may have this many times their own size

    def of_file(self, packed: int) -> int:
        """Return to how many bytes a file of `packed` bytes may unpack."""
        return min(self.size_of_file, max(self.unpacked_of_file, self.ratio * packed))


@dataclass(frozen=True, slots=True)
class Services:
    """The parts below, as the assembly has put them together."""

    settings: Settings
    dictionary: Dictionary  # with the options Dictionary and DefaultPrivateCreator
    storage: Storage
    engine: Jobs
    job_tools: JobTools
    modalities: ModalityDirectory  # the other DICOM nodes
    dicom: DicomOptions  # of associations with them
    queries: KeptQueries  # that were made of them
    metrics: PublishedMetrics
    clock: Clock
    identifiers: Identifiers
    executor: Executor
    control: Control
    pushes: PushReceiver  # of other servers
    originator: Originator
    upload_limits: UploadLimits = UploadLimits()
    memory: MemoryBudget = UNLIMITED  # for what is being unpacked
    extensions: ExtensionHost | None = None  # None if there are no extensions
    cluster: Callable[[], Cluster] | None = None  # None if no other server runs the jobs of this list
