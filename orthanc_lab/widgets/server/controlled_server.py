"""A server that this program started, as a panel controls it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import requests

from orthanc_lab.protocol.errors import OrthancError

__all__ = ["ControlledServer", "Killable", "in_words"]


class ControlledServer(Protocol):
    """What `orthanc_lab.serve` returns, with or without ``process=True``."""

    @property
    def url(self) -> str:
        """Where it serves; the same after a `restart`."""
        ...

    @property
    def session(self) -> requests.Session:
        """A session that it lets in."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it serves."""
        ...

    @property
    def options(self) -> dict[str, Any]:
        """The options that were given."""
        ...

    @property
    def settings(self) -> Any:
        """All options, by name, with their values in force."""
        ...

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return what is worth a warning; raises `OrthancError` or ValueError."""
        ...

    def restart(self, options: Mapping[str, Any] | None = None) -> None:
        """Start, or start again; raises `OrthancError` or ValueError."""
        ...

    def halt(self) -> None:
        """Finish what is in work, and serve no more until `restart`."""
        ...

    def tail(self, lines: int = ...) -> list[str]:
        """Return the last lines of its log."""
        ...


@runtime_checkable
class Killable(Protocol):
    """A server in a process of its own."""

    def kill(self) -> None:
        """End it like ``kill -9``."""
        ...


def in_words(error: OrthancError) -> str:
    """Return what the server says of its own refusal."""
    return f"{error.text}: {error.details.strip()} (Orthanc error {error.code})" if error.details else error.text
