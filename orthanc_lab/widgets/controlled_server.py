"""What a panel needs of a server that this program started."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol, runtime_checkable

import requests

from orthanc_lab.protocol.errors import OrthancError

__all__ = ["ControlledServer", "Killable", "error_text"]


class ControlledServer(Protocol):
    """What `orthanc_lab.serve` returns, with or without ``process=True``."""

    @property
    def url(self) -> str:
        """Its address; the same after a `restart`."""
        ...

    @property
    def session(self) -> requests.Session:
        """A session with valid credentials."""
        ...

    @property
    def is_running(self) -> bool:
        """Whether it is running."""
        ...

    @property
    def options(self) -> dict[str, Any]:
        """The options that were given."""
        ...

    @property
    def settings(self) -> Any:
        """All options by name, with the values in force."""
        ...

    def check(self, options: Mapping[str, Any]) -> list[str]:
        """Return warnings about options; raises `OrthancError` or ValueError if they are refused."""
        ...

    def restart(self, options: Mapping[str, Any] | None = None) -> None:
        """Start, or start again; raises `OrthancError` or ValueError."""
        ...

    def halt(self) -> None:
        """Finish the requests in progress, and stop until `restart`."""
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


def error_text(error: OrthancError) -> str:
    """Return the text of an error of the server."""
    return f"{error.text}: {error.details.strip()} (Orthanc error {error.code})" if error.details else error.text
