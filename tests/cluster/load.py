"""Clients that work with any of several servers, whatever becomes of those."""

from __future__ import annotations

import threading
from types import TracebackType
from typing import Any

import requests

from orthanc_lab.testing.cluster import OrthancCluster
from tests.crash.facts import Facts
from tests.crash.load import GONE, Client

__all__ = ["Load"]

_PAUSE = 0.02  # seconds between two operations: what counts are the moments, not how much there is
_ENDS = 60  # seconds; a request to a server that is frozen waits until that goes on


class UnavailableError(Exception):
    """The answer was 503: what was asked for may have happened or not."""


class ClusterClient(Client):
    """One client: does one thing after another, each at a server that is drawn."""

    def __init__(self, urls: list[str], facts: Facts, seed: int) -> None:
        super().__init__(urls[0], facts, seed)
        self._urls = urls
        self.ending = threading.Event()
        self.interrupted = 0

    def run(self) -> None:
        try:
            while not self.ending.is_set():
                try:
                    self._random.choice(self.actions)()
                    self.operations += 1
                    self.ending.wait(_PAUSE)
                except (*GONE, UnavailableError):
                    self.interrupted += 1
                    self.ending.wait(0.02)
        except Exception as error:
            self.error = error
        finally:
            self._session.close()

    def _send(self, method: str, path: str, **options: Any) -> requests.Response:
        self._url = self._random.choice(self._urls)
        answer = super()._send(method, path, **options)
        if answer.status_code == 503:
            assert "Retry-After" in answer.headers, answer.text
            raise UnavailableError
        return answer


class Load:
    """Some clients, for the duration of a ``with`` block; afterwards all that they did is in the facts."""

    def __init__(self, cluster: OrthancCluster, facts: Facts, seed: int, clients: int = 3) -> None:
        self.clients = [ClusterClient(cluster.urls, facts, hash((seed, number))) for number in range(clients)]

    @property
    def operations(self) -> int:
        return sum(client.operations for client in self.clients)

    @property
    def interrupted(self) -> int:
        """How many requests got no answer, or 503."""
        return sum(client.interrupted for client in self.clients)

    def __enter__(self) -> Load:
        for client in self.clients:
            client.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self.clients:
            client.ending.set()
        for client in self.clients:
            client.join(_ENDS)
        for client in self.clients:
            assert not client.is_alive(), "a request has no end"
            if client.error is not None and error is None:
                raise client.error
