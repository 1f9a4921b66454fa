"""The section ``Transfers`` of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

__all__ = ["TransferOptions"]


@dataclass(frozen=True, slots=True)
class TransferOptions:
    """How transfers are cut, sent and received."""

    threads: int = 4  # requests of a job at the same time
    bucket_size: int = 4096  # KiB
    cache_size: int = 512  # MiB
    max_push_transactions: int = 4
    max_http_retries: int = 0
    peer_connectivity_timeout: int = 2  # seconds
    peer_commit_timeout: int = 600  # seconds
    commit_threads_count: int = 1

    @classmethod
    def of(cls, section: Mapping[str, Any]) -> TransferOptions:
        """Read a section that was checked; what is not there has its default."""
        fields = {
            "threads": "Threads",
            "bucket_size": "BucketSize",
            "cache_size": "CacheSize",
            "max_push_transactions": "MaxPushTransactions",
            "max_http_retries": "MaxHttpRetries",
            "peer_connectivity_timeout": "PeerConnectivityTimeout",
            "peer_commit_timeout": "PeerCommitTimeout",
            "commit_threads_count": "CommitThreadsCount",
        }
        return cls(**{field: section[name] for field, name in fields.items() if name in section})

    @property
    def bucket_bytes(self) -> int:
        """The size from which a bucket is full."""
        return self.bucket_size * 1024
