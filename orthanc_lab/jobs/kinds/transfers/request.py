"""What a call to ``/transfers/send`` or ``/transfers/pull`` asks for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orthanc_lab.peers.peer import Peer, read_peer

__all__ = ["TransferRequest"]


@dataclass(frozen=True, slots=True)
class TransferRequest:
    """A transfer, fixed when it is submitted."""

    resources: list[Any]  # looked at when the job runs
    compression: str  # gzip or none
    peer_name: str
    peer: Peer
    sender_id: str  # the header sender-transfer-id of all requests
    originator: str | None = None  # that the source must have; None for any

    def encode(self) -> dict[str, Any]:
        """Return it as JSON values."""
        return {
            "resources": self.resources,
            "compression": self.compression,
            "peer_name": self.peer_name,
            "peer": self.peer.definition(),
            "sender_id": self.sender_id,
            "originator": self.originator,
        }

    @classmethod
    def decode(cls, saved: Mapping[str, Any]) -> TransferRequest:
        """Read back what `encode` returned."""
        return cls(**{**saved, "peer": read_peer(saved["peer"])})

    def content(self) -> dict[str, Any]:
        """Return the fields of ``Content`` that tell what was asked for."""
        content = {"Resources": self.resources, "Peer": self.peer_name, "Compression": self.compression}
        return content if self.originator is None else {**content, "Originator": self.originator}
