"""Turns to answer requests, which a client that takes too little of what it is sent loses to one that waits."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Protocol

__all__ = ["Client", "Turn", "Turns"]

_log = logging.getLogger("orthanc_lab.dicom")
_PATIENT_S = 3.0  # for which the next part of a message, of some 100 kB, may not be taken while others wait
_LOOK_S = 0.1  # how often those who wait look for a client that is too slow


class Client(Protocol):
    """Whose request is answered."""

    @property
    def sending_since(self) -> float | None:
        """Since when the client should take the next part of what it is sent; None if it is sent nothing."""
        ...

    def cut(self) -> None:
        """End the connection at once; from another thread."""
        ...


class Turns:
    """How many requests are answered at the same time; thread-safe.

    Parameters
    ----------
    most
        Turns.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._changed = threading.Condition()
        self._clients: list[Client] = []  # who have one

    def take(self, client: Client) -> None:
        """Wait for a turn; meanwhile, the client that takes nothing for the longest time loses its own."""
        with self._changed:
            while len(self._clients) >= self._most:
                self._cut_slowest()
                self._changed.wait(_LOOK_S)
            self._clients.append(client)

    def give_back(self, client: Client) -> None:
        """Let another request have the turn."""
        with self._changed:
            self._clients.remove(client)
            self._changed.notify()

    def _cut_slowest(self) -> None:
        before = time.monotonic() - _PATIENT_S
        slow = [(since, one) for one in self._clients if (since := one.sending_since) is not None and since < before]
        if slow:
            _log.warning("A client takes what it is sent too slowly while others wait: its association is cut")
            min(slow, key=lambda pair: pair[0])[1].cut()


class Turn:
    """The turn of one request, for a ``with`` block.

    Parameters
    ----------
    turns
        Of which it is one.
    client
        Whose request it is.
    """

    def __init__(self, turns: Turns, client: Client) -> None:
        self._turns = turns
        self._client = client

    def __enter__(self) -> None:
        self._turns.take(self._client)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._turns.give_back(self._client)

    @contextmanager
    def released(self) -> Iterator[None]:
        """Let other requests have the turn while the client is waited for, who may take its time."""
        self._turns.give_back(self._client)
        try:
            yield
        finally:
            self._turns.take(self._client)
