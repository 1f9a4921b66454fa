"""The options of calls to other servers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

__all__ = ["HttpOptions"]


@dataclass(frozen=True, slots=True)
class HttpOptions:
    """How long to wait, which way to go, whom to trust."""

    timeout: int = 60  # seconds, HttpTimeout; 0 = no limit
    proxy: str = ""  # HttpProxy
    verify_peers: bool = True  # HttpsVerifyPeers
    ca_certificates: str = ""  # HttpsCACertificates, PEM; "" = the usual ones

    @classmethod
    def of(cls, option: Callable[[str], Any]) -> HttpOptions:
        """Read the options; `option` returns the value of one by its name."""
        return cls(
            timeout=option("HttpTimeout"),
            proxy=option("HttpProxy"),
            verify_peers=option("HttpsVerifyPeers"),
            ca_certificates=option("HttpsCACertificates"),
        )
