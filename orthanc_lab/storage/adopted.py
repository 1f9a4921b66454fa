"""What is taken over from the index of another server, as the storage is given it. All are frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.transaction import NewExport

__all__ = ["AdoptedChange", "AdoptedExport", "AdoptedInstance", "AdoptedLog", "AdoptedResource"]


@dataclass(frozen=True, slots=True)
class AdoptedResource:
    """What the other index keeps of a resource."""

    level: Level
    id: str  # Orthanc identifier
    tags: Mapping[str, str] = field(default_factory=dict)  # main DICOM tags, "gggg,eeee" -> value
    metadata: Mapping[str, str] = field(default_factory=dict)  # by the names of the index, LastUpdate among them
    labels: Sequence[str] = ()
    attachments: Mapping[int, bytes] = field(default_factory=dict)  # those of users
    is_protected: bool = False
    is_stable: bool = True  # where it is new


@dataclass(frozen=True, slots=True)
class AdoptedInstance:
    """A DICOM file with what the other index keeps of its patient, study, series and instance, in this order."""

    dicom: bytes
    lineage: Sequence[AdoptedResource]


@dataclass(frozen=True, slots=True)
class AdoptedChange:
    """A line of the other server's changes."""

    seq: int
    type: ChangeType
    level: Level
    id: str
    date: str


@dataclass(frozen=True, slots=True)
class AdoptedExport:
    """A line of the other server's exports."""

    seq: int
    line: NewExport


@dataclass(frozen=True, slots=True)
class AdoptedLog:
    """A part of the other server's logs, to be added as one."""

    progress: str = ""  # name of the property that says how far the logs were taken over; "" for none
    reached: str = ""  # its value from now on
    changes: Sequence[AdoptedChange] = ()
    last_change: int = 0  # later changes have numbers above this one
    exports: Sequence[AdoptedExport] = ()
    last_export: int = 0  # as last_change
    recycling: Sequence[str] = ()  # patients, the first one to be recycled first
    counters: Mapping[str, int] = field(default_factory=dict)  # what named counters have reached
