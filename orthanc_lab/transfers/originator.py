"""Which run of which server the answers to lookups are of."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.ports import Identifiers

__all__ = ["Originator"]


class Originator:
    """A random identifier, drawn when it is first asked for, and the same until the server stops."""

    def __init__(self, identifiers: Identifiers) -> None:
        self._identifiers = identifiers
        self._lock = threading.Lock()
        self._id = ""

    @property
    def id(self) -> str:
        """A UUID."""
        with self._lock:
            self._id = self._id or self._identifiers.uuid()
            return self._id
