"""Where the peers are kept: in the database, or as configured and in memory."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from threading import Lock
from typing import Any

from orthanc_lab.peers.peer import Peer, read_peer
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["PeerDirectory"]

_PROPERTY = "OrthancPeers"
_NAME = re.compile(r"[A-Za-z0-9_-]+")


class PeerDirectory:
    """The peers by name: in the database with ``OrthancPeersInDatabase``, else as configured, and in memory.

    Raises
    ------
    OrthancError
        15 or 13 if a peer of the configuration is badly defined.
    """

    def __init__(self, settings: Settings, storage: PropertyKeeping) -> None:
        self._settings = settings
        self._storage = storage
        self._lock = Lock()
        self._in_database = bool(settings["OrthancPeersInDatabase"])
        for name, definition in self._definitions().items():
            _check_name(name)
            read_peer(definition)

    def all(self) -> dict[str, Peer]:
        """Return the peers, sorted by name."""
        return {name: read_peer(definition) for name, definition in sorted(self._definitions().items())}

    def get(self, name: str) -> Peer:
        """Return a peer.

        Raises
        ------
        OrthancError
            17 for an unknown one.
        """
        definition = self._definitions().get(name)
        if definition is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, f"No peer with symbolic name: {name}")
        return read_peer(definition)

    def put(self, name: str, peer: Peer) -> None:
        """Add or replace a peer."""
        _check_name(name)
        self._change(lambda definitions: {**definitions, name: peer.definition()})

    def delete(self, name: str) -> None:
        """Remove a peer.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """

        def without(definitions: dict[str, Any]) -> dict[str, Any]:
            if name not in definitions:
                raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"Unknown Orthanc peer: {name}")
            return {other: definition for other, definition in definitions.items() if other != name}

        self._change(without)

    def _definitions(self) -> dict[str, Any]:
        if self._in_database:
            return _read(self._storage.get_property(_PROPERTY))
        found: dict[str, Any] = self._settings["OrthancPeers"]
        return found

    def _change(self, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
        if self._in_database:  # other servers may change it, too
            self._storage.change_property(_PROPERTY, lambda text: json.dumps(change(_read(text))))
            return
        with self._lock:
            self._settings.change("OrthancPeers", change(self._definitions()))


def _read(text: str | None) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(text or "{}")
    return found


def _check_name(name: str) -> None:
    """Refuse a name that is not made of letters, digits, ``-`` and ``_``."""
    if not _NAME.fullmatch(name):
        text = "Only alphanumeric, dash characters and underscores are allowed in the names of modalities/peers"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, f"{text}, but found: {name}")
