"""A line to PostgreSQL that is cut where it hurts most: around a commit."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

from orthanc_lab.testing.cluster.tcp_proxy import TcpProxy

__all__ = ["DatabaseProxy"]

_COMMIT = b"COMMIT"
_COMMITTED = b"C\x00\x00\x00\x0bCOMMIT\x00"  # CommandComplete


class DatabaseProxy(TcpProxy):
    """Passes on what servers and a PostgreSQL without TLS say to each other.

    Parameters
    ----------
    seed
        Decides which of the commits are hit.

    Attributes
    ----------
    lost_commits
        How many connections were cut when a COMMIT came, which PostgreSQL never saw.
    lost_answers
        How many were cut when PostgreSQL had committed, and its answer was on its way.
    """

    def __init__(self, host: str, port: int, *, seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._chances = threading.Lock()  # guards what follows
        self._commit_share = self._answer_share = 0.0
        self.lost_commits = self.lost_answers = 0
        super().__init__(host, port)

    def lose(self, *, commits: float = 0.0, answers: float = 0.0) -> None:
        """From now on lose these parts (0 to 1) of the commits, and of the answers to those that arrive."""
        with self._chances:
            self._commit_share, self._answer_share = commits, answers

    def _filters(self) -> tuple[Callable[[bytes], bool], Callable[[bytes], bool]]:
        return _Watch(_COMMIT, self._commit_passes).passes, _Watch(_COMMITTED, self._answer_passes).passes

    def _commit_passes(self) -> bool:
        with self._chances:
            is_lost = self._random.random() < self._commit_share
            self.lost_commits += is_lost
        return not is_lost

    def _answer_passes(self) -> bool:
        with self._chances:
            is_lost = self._random.random() < self._answer_share
            self.lost_answers += is_lost
        return not is_lost


class _Watch:
    """Looks for some bytes in one direction of a connection, wherever the pieces end."""

    def __init__(self, wanted: bytes, passes: Callable[[], bool]) -> None:
        self._wanted = wanted
        self._passes = passes
        self._tail = b""

    def passes(self, data: bytes) -> bool:
        """Tell whether a piece may pass: it does unless the bytes are found and the chances are against them."""
        seen = self._tail + data
        self._tail = seen[-(len(self._wanted) - 1) :]
        return self._wanted not in seen or self._passes()
