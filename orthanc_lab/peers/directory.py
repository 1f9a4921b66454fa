"""Where the peers are kept: in the database, or as configured and in memory."""

from __future__ import annotations

from orthanc_lab.peers.peer import Peer, read_peer
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.named_definitions import NamedDefinitions, check_name
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["PeerDirectory"]


class PeerDirectory:
    """The peers by name: in the database with ``OrthancPeersInDatabase``, else as configured, and in memory.

    Raises
    ------
    OrthancError
        15 if a peer of the configuration is badly defined.
    """

    def __init__(self, settings: Settings, storage: PropertyKeeping) -> None:
        in_database = bool(settings["OrthancPeersInDatabase"])
        self._definitions = NamedDefinitions("OrthancPeers", settings, storage, in_database=in_database)
        for name, definition in self._definitions.all().items():
            check_name(name)
            read_peer(definition)

    def all(self) -> dict[str, Peer]:
        """Return the peers, sorted by name."""
        return {name: read_peer(definition) for name, definition in sorted(self._definitions.all().items())}

    def get(self, name: str) -> Peer:
        """Return a peer.

        Raises
        ------
        OrthancError
            17 for an unknown one.
        """
        definition = self._definitions.all().get(name)
        if definition is None:
            raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, f"No peer with symbolic name: {name}")
        return read_peer(definition)

    def put(self, name: str, peer: Peer) -> None:
        """Add or replace a peer."""
        self._definitions.put(name, peer.definition())

    def delete(self, name: str) -> None:
        """Remove a peer.

        Raises
        ------
        OrthancError
            7 for an unknown one.
        """
        self._definitions.remove(name, f"Unknown Orthanc peer: {name}")
