"""The files read last, in memory."""

from __future__ import annotations

import threading
from collections import OrderedDict

from orthanc_lab.protocol.metrics import Metrics

__all__ = ["FileCache"]

_MOST_FRESH = 8 << 20  # bytes


class FileCache:
    """Least recently used files, bounded in bytes.

    Parameters
    ----------
    size
        Bytes to keep at most; 0 keeps nothing.
    metrics
        Receives hits, misses, the number of files and their size.
    """

    def __init__(self, size: int, metrics: Metrics) -> None:
        self._largest = size
        self._metrics = metrics
        self._lock = threading.Lock()
        self._files: OrderedDict[str, bytes] = OrderedDict()
        self._size = 0

    def get(self, key: str) -> bytes | None:
        """Return a file, None if it is not kept."""
        if not self._largest:
            return None
        with self._lock:
            data = self._files.get(key)
            if data is not None:
                self._files.move_to_end(key)
        hit = data is not None
        self._metrics.record(f"orthanc_storage_cache_{'hit' if hit else 'miss'}_count", 1)
        return data

    def put(self, key: str, data: bytes) -> None:
        """Keep a file that was read, unless it is larger than the whole cache."""
        if len(data) > self._largest:
            return
        with self._lock:
            self._size += len(data) - len(self._files.pop(key, b""))
            self._files[key] = data
            while self._size > self._largest:
                self._size -= len(self._files.popitem(last=False)[1])
        self._publish()

    def put_fresh(self, key: str, data: bytes) -> None:
        """Keep a file that was written, as long as the cache is nearly empty: uploads alone must not fill it."""
        if self._size + len(data) <= min(self._largest, _MOST_FRESH):
            self.put(key, data)

    def drop(self, key: str) -> None:
        """Forget a file."""
        with self._lock:
            data = self._files.pop(key, None)
            if data is None:
                return
            self._size -= len(data)
        self._publish()

    def _publish(self) -> None:
        self._metrics.record("orthanc_storage_cache_count", len(self._files))
        self._metrics.record("orthanc_storage_cache_size_mb", self._size / (1 << 20))
