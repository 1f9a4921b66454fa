"""The options of calls to other servers."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.protocol.ports import Settings

__all__ = ["HttpOptions"]


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How long to wait, which way to go, whom to trust."""

    timeout: int = 60  # seconds, HttpTimeout; 0 = no limit
    proxy: str = ""  # HttpProxy
    verify_peers: bool = True  # HttpsVerifyPeers
    ca_certificates: str = ""  # HttpsCACertificates, PEM; "" = the usual ones
    verbose: bool = False  # HttpVerbose: what is sent and received is logged

    @classmethod
    def of(cls, settings: Settings) -> HttpOptions:
        """Read the options of a server."""
        return cls(
            timeout=settings["HttpTimeout"],
            proxy=settings["HttpProxy"],
            verify_peers=settings["HttpsVerifyPeers"],
            ca_certificates=settings["HttpsCACertificates"],
            verbose=settings["HttpVerbose"],
        )
