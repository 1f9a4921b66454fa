"""What the resources are given to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.jobs.engine import JobsEngine
from orthanc_lab.protocol.metrics import MetricPolicy
from orthanc_lab.protocol.ports import Clock, Identifiers, Settings
from orthanc_lab.storage.ports import Storage

__all__ = ["Control", "MetricsBoard", "Services"]


class MetricsBoard(Protocol):
    """The metrics that the server publishes."""

    enabled: bool

    def record(self, name: str, value: float) -> None:
        """Update a metric by its policy."""
        ...

    def add(self, name: str, policy: MetricPolicy) -> None:
        """Announce a metric that is not in the table."""
        ...

    def exposition(self) -> str:
        """Return the text that Prometheus scrapes."""
        ...


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
class Services:
    """The parts below, as the assembly put them together."""

    settings: Settings
    dictionary: Dictionary  # with the options Dictionary and DefaultPrivateCreator
    storage: Storage
    engine: JobsEngine
    metrics: MetricsBoard
    clock: Clock
    identifiers: Identifiers
    control: Control
