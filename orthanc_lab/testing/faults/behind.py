"""What the faults of HTTP do to the server behind them: ours, or any other."""

from __future__ import annotations

from typing import Protocol

import requests

from orthanc_lab.rest.services import Services

__all__ = ["OtherServer", "OwnServer", "ServerBehind"]

_TIMEOUT_S = 30.0


class ServerBehind(Protocol):
    """The server that a request is passed on to."""

    def last_change_number(self) -> int:
        """Return the number of the last change."""
        ...

    def lose(self, instance: str) -> None:
        """Delete an instance."""
        ...

    def restart(self) -> None:
        """Start again soon; return at once."""
        ...


class OwnServer:
    """A server of this process, by its parts."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def last_change_number(self) -> int:
        """Return the number of the last change."""
        return self._services.storage.last_change_number()

    def lose(self, instance: str) -> None:
        """Delete an instance."""
        self._services.storage.delete(instance)

    def restart(self) -> None:
        """Start again soon."""
        self._services.control.reset()


class OtherServer:
    """A server elsewhere, by its REST API.

    Parameters
    ----------
    url
        Its address, with a name and a password if it needs them.
    """

    def __init__(self, url: str) -> None:
        self._url = url.rstrip("/")

    def last_change_number(self) -> int:
        """Return the number of the last change."""
        return int(self._call("GET", "/changes?last").json()["Last"])

    def lose(self, instance: str) -> None:
        """Delete an instance."""
        self._call("DELETE", f"/instances/{instance}")

    def restart(self) -> None:
        """Start again soon."""
        self._call("POST", "/tools/reset")

    def _call(self, verb: str, path: str) -> requests.Response:
        with requests.Session() as session:
            session.trust_env = False
            answer = session.request(verb, self._url + path, timeout=_TIMEOUT_S)
        answer.raise_for_status()
        return answer
