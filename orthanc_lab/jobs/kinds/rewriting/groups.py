"""New instances in groups: the next group is made while one is being stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor, Pool
from orthanc_lab.storage.records import NewInstance, Resource

__all__ = ["Group", "Groups"]


@dataclass(frozen=True, slots=True)
class Group:
    """What some sources that follow each other become."""

    start: int  # position of the first one
    sources: Mapping[str, Resource]  # by identifier
    made: Sequence[NewInstance | None]  # None for a source that is gone, and need not be there
    failure: OrthancError | None  # of the source after the last one made
    size: int  # bytes of the files

    @property
    def end(self) -> int:
        """Position after the last one made."""
        return self.start + len(self.made)


class Groups:
    """Hands out groups, and makes the next one meanwhile.

    Parameters
    ----------
    make
        Makes the group that starts at a position.
    """

    def __init__(self, executor: Executor, make: Callable[[int], Group]) -> None:
        self._executor = executor
        self._make = make
        self._pool: Pool | None = None
        self._next: Future[Group] | None = None

    def take(self, start: int) -> Group:
        """Return the group that starts at a position."""
        ahead, self._next = self._next, None
        if ahead is not None:
            group = ahead.result()
            if group.start == start:
                return group
        return self._make(start)

    def prepare(self, start: int) -> None:
        """Begin to make the group that is taken next."""
        if self._pool is None:
            self._pool = self._executor.pool("rewriting", 1)
        self._next = self._pool.submit(self._make, start)

    def close(self) -> None:
        """Drop what was made ahead."""
        self._next = None
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
            self._pool = None
