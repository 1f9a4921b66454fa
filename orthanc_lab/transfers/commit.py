"""The end of a transfer: all that has arrived is stored, group by group."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.storage.ports import Ingest
from orthanc_lab.storage.records import NewInstance, Origin
from orthanc_lab.transfers.arrivals import Arrivals, groups_of
from orthanc_lab.transfers.instances import TransferInstance

__all__ = ["Commit"]

_ORIGIN = Origin("Plugins")


class Commit:
    """Stores instances; those that have not arrived whole, or are refused, are passed over.

    Parameters
    ----------
    threads
        How many groups are dealt with at the same time, beside one that is read while they wait for the disk.
    memory
        From which each group is reserved.

    Attributes
    ----------
    failure
        The error of the first instance that was passed over.
    """

    def __init__(
        self,
        storage: Ingest,
        arrivals: Arrivals,
        instances: Sequence[TransferInstance],
        executor: Executor,
        threads: int,
        *,
        memory: MemoryBudget = UNLIMITED,
    ) -> None:
        self.failure: OrthancError | None = None
        self._storage = storage
        self._arrivals = arrivals
        self._memory = memory
        self._groups = groups_of(instances)
        self._at_once = threads + 1
        self._pool = executor.pool("transfers-commit", self._at_once)
        self._begun: deque[Future[OrthancError | None]] = deque()

    def step(self) -> bool:
        """Wait until the next group is stored; return False if there is none."""
        while len(self._begun) < self._at_once and (group := next(self._groups, None)) is not None:
            self._begun.append(self._pool.submit(self._store, group))
        if not self._begun:
            return False
        failure = self._begun.popleft().result()
        self.failure = self.failure or failure
        return True

    def close(self) -> None:
        """Begin no further group, and wait for those that are being stored."""
        self._begun.clear()
        self._pool.shutdown(cancel_futures=True)

    def _store(self, instances: Sequence[TransferInstance]) -> OrthancError | None:
        with self._memory.reserve(sum(instance.size for instance in instances)):
            found = self._arrivals.read(instances)
            refused = _store(self._storage, found.files)
        return found.failure or refused


def _store(storage: Ingest, files: Sequence[NewInstance]) -> OrthancError | None:
    """Store files as one or, if one of them is refused, one by one; return the first error."""
    if not files:
        return None
    try:
        storage.store_made(files, _ORIGIN)
    except OrthancError as error:
        if len(files) == 1:
            return error
        return next(filter(None, [_store(storage, [file]) for file in files]), None)
    return None
