"""Members of an archive prepared ahead on threads, and handed out in order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Generic, TypeVar

from orthanc_lab.jobs.kinds.archive_plan import PlannedMember

__all__ = ["ReadAhead"]

T = TypeVar("T")
_BUDGET = 16 * 1024 * 1024
_BATCH_SIZE = 256 * 1024
_BATCH_COUNT = 64


class ReadAhead(Generic[T]):
    """Prepares members in parallel, no further ahead than a budget of bytes.

    Small members are prepared in batches, so that a thread has something to do. At least
    one batch is always in work, also if a single member is larger than the budget.

    Parameters
    ----------
    members
        All that will be taken, in order.
    prepare
        Makes one member; called on the threads.
    threads
        How many; the number of processors if left out.
    budget
        Bytes, uncompressed, that may be in work or wait to be taken.
    """

    def __init__(
        self,
        members: Sequence[PlannedMember],
        prepare: Callable[[PlannedMember], T],
        *,
        threads: int = 0,
        budget: int = _BUDGET,
    ) -> None:
        self._batches = iter(_batches(members))
        self._following = next(self._batches, None)
        self._prepare = prepare
        self._budget = budget
        self._pool = ThreadPoolExecutor(threads or os.cpu_count() or 1, thread_name_prefix="archive")
        self._pending: deque[tuple[int, Future[list[T]]]] = deque()
        self._ready: deque[T] = deque()
        self._in_work = 0

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
            self._fill()
            size, future = self._pending.popleft()
            self._ready.extend(future.result())
            self._in_work -= size
            self._fill()
        return self._ready.popleft()

    def close(self) -> None:
        """Let go of what was prepared; no thread works when this returns."""
        self._pool.shutdown(wait=True, cancel_futures=True)
        self._pending.clear()
        self._ready.clear()

    def _fill(self) -> None:
        while self._following is not None:
            size = sum(member.size for member in self._following)
            if self._pending and self._in_work + size > self._budget:
                return
            self._pending.append((size, self._pool.submit(self._prepare_batch, self._following)))
            self._in_work += size
            self._following = next(self._batches, None)

    def _prepare_batch(self, batch: Sequence[PlannedMember]) -> list[T]:
        return [self._prepare(member) for member in batch]


def _batches(members: Iterable[PlannedMember]) -> Iterable[Sequence[PlannedMember]]:
    batch: list[PlannedMember] = []
    size = 0
    for member in members:
        if batch and (size + member.size > _BATCH_SIZE or len(batch) == _BATCH_COUNT):
            yield batch
            batch, size = [], 0
        batch.append(member)
        size += member.size
    if batch:
        yield batch
