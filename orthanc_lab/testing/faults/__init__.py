"""Faults of a server, switched on by name: connections that break, disks that are full, jobs that are paused."""

from orthanc_lab.testing.faults.fault import Fault, FaultNeverHappened
from orthanc_lab.testing.faults.faults import Faults
from orthanc_lab.testing.faults.kind import FaultKind
from orthanc_lab.testing.faults.proxy import FaultyProxy

__all__ = ["Fault", "FaultKind", "FaultNeverHappened", "Faults", "FaultyProxy"]
