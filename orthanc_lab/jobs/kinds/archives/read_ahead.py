"""Members of an archive prepared ahead in a pool, and handed out in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import Generic, Protocol, TypeVar

from orthanc_lab.protocol.execution import Executor, Pool

__all__ = ["ReadAhead"]


class Sized(Protocol):
    """Something to be prepared."""

    @property
    def size(self) -> int:
        """Bytes, uncompressed."""
        ...


S = TypeVar("S", bound=Sized)
T = TypeVar("T")
_BUDGET = 16 * 1024 * 1024
_BATCH_SIZE = 256 * 1024
_BATCH_COUNT = 64


class ReadAhead(Generic[S, T]):
    """Prepares members in parallel, no further ahead than a budget of bytes.

    Small members are prepared in batches, so that each piece of work is worth handing over. At least
    one batch is always in progress, even if a single member is larger than the budget. Where there
    is one batch in all, it is prepared when it is taken, without a pool.

    Parameters
    ----------
    members
        All that will be taken, in order. They are asked for where members are taken, not in the pool.
    prepare
        Makes one member; called in the pool.
    threads
        How many members are prepared at a time; the number of processors if left out.
    budget
        Bytes, uncompressed, that may be in progress or wait to be taken.
    """

    def __init__(
        self,
        members: Iterable[S],
        prepare: Callable[[S], T],
        executor: Executor,
        *,
        threads: int = 0,
        budget: int = _BUDGET,
    ) -> None:
        self._batches = _batches(members)
        self._following = next(self._batches, None)
        self._prepare = prepare
        self._budget = budget
        self._executor = executor
        self._threads = threads
        self._pool: Pool | None = None
        self._pending: deque[tuple[int, Future[list[T]]]] = deque()
        self._ready: deque[T] = deque()
        self._in_progress = 0

    def take(self) -> T:
        """Return the next member.

        Raises
        ------
        IndexError
            If there is none.
        Exception
            Whatever `prepare` raised for this member or one of its batch.
        """
        if not self._ready:
            self._ready.extend(self._next_batch())
        return self._ready.popleft()

    def close(self) -> None:
        """Drop what was prepared; nothing is in progress when this returns."""
        if self._pool is not None:
            self._pool.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()
        self._ready.clear()

    def _next_batch(self) -> list[T]:
        if self._pool is None:
            only, self._following = self._following, next(self._batches, None)
            if self._following is None:
                return [] if only is None else self._prepare_batch(only)
            # Counting the processors reads a file: not for an archive of one batch.
            self._pool = self._executor.pool("archive", self._threads or os.cpu_count() or 1)
            self._submit(self._pool, only or ())
        self._fill(self._pool)
        size, future = self._pending.popleft()
        prepared = future.result()
        self._in_progress -= size
        self._fill(self._pool)
        return prepared

    def _fill(self, pool: Pool) -> None:
        while self._following is not None:
            if self._pending and self._in_progress + _size(self._following) > self._budget:
                return
            self._submit(pool, self._following)
            self._following = next(self._batches, None)

    def _submit(self, pool: Pool, batch: Sequence[S]) -> None:
        self._pending.append((_size(batch), pool.submit(self._prepare_batch, batch)))
        self._in_progress += _size(batch)

    def _prepare_batch(self, batch: Sequence[S]) -> list[T]:
        return [self._prepare(member) for member in batch]


def _size(batch: Sequence[Sized]) -> int:
    return sum(member.size for member in batch)


def _batches(members: Iterable[S]) -> Iterator[Sequence[S]]:
    batch: list[S] = []
    size = 0
    for member in members:
        if batch and (size + member.size > _BATCH_SIZE or len(batch) == _BATCH_COUNT):
            yield batch
            batch, size = [], 0
        batch.append(member)
        size += member.size
    if batch:
        yield batch
