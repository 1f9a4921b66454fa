"""What the panel needs of the faults of a server."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

__all__ = ["FaultInForce", "KindOfFault", "SwitchableFaults"]


class KindOfFault(Protocol):
    """A fault that can be switched on."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def place(self) -> str:
        """``HTTP``, ``jobs``, ``disk`` …."""
        ...

    @property
    def what(self) -> str:
        """What happens."""
        ...

    @property
    def good_client(self) -> str:
        """What a good client does about it."""
        ...

    @property
    def when(self) -> Sequence[str]:
        """What it can be told: ``at_byte``, ``at_step``, ``seconds``."""
        ...

    @property
    def seconds(self) -> float:
        """The usual number of seconds."""
        ...


class FaultInForce(Protocol):
    """A fault that was switched on."""

    @property
    def name(self) -> str:
        """Its name."""
        ...

    @property
    def happened(self) -> int:
        """How often it has happened."""
        ...

    @property
    def is_on(self) -> bool:
        """Whether it may still happen."""
        ...


class SwitchableFaults(Protocol):
    """The faults of a server: `orthanc_lab.testing.faults.Faults`."""

    @property
    def kinds(self) -> Mapping[str, KindOfFault]:
        """All faults, by name."""
        ...

    @property
    def in_force(self) -> Sequence[FaultInForce]:
        """Those that are switched on."""
        ...

    @property
    def on(self) -> Any:
        """Switch a fault on: called with its name, and when it happens."""
        ...

    def off(self, name: str | None = None) -> None:
        """Switch a fault off, or all of them."""
        ...
