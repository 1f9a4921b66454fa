"""The end of a transfer: all that has arrived is stored, group by group."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future

from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.storage.ports import Ingest
from orthanc_lab.storage.records import Origin
from orthanc_lab.transfers.arrivals import Arrivals, Group, groups_of
from orthanc_lab.transfers.instances import TransferInstance

__all__ = ["Commit"]

_ORIGIN = Origin("Plugins")


class Commit:
    """Stores instances; those that have not arrived whole, or are refused, are passed over.

    Parameters
    ----------
    ahead
        How many groups are read and checked while another one is being stored.

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
        ahead: int,
    ) -> None:
        self.failure: OrthancError | None = None
        self._storage = storage
        self._arrivals = arrivals
        self._groups = groups_of(instances)
        self._ahead = ahead
        self._pool = executor.pool("transfers-commit", ahead)
        self._read: deque[Future[Group]] = deque()

    def step(self) -> bool:
        """Store the next group; return False if there is none."""
        while len(self._read) <= self._ahead and (group := next(self._groups, None)) is not None:
            self._read.append(self._pool.submit(self._arrivals.read, group))
        if not self._read:
            return False
        found = self._read.popleft().result()
        refused = _store(self._storage, found.files)
        self.failure = self.failure or found.failure or refused
        return True

    def close(self) -> None:
        """Read no further."""
        self._read.clear()
        self._pool.shutdown(cancel_futures=True)


def _store(storage: Ingest, files: Sequence[bytes]) -> OrthancError | None:
    """Store files as one or, if one of them is refused, one by one; return the first error."""
    if not files:
        return None
    try:
        storage.store_all(files, _ORIGIN)
    except OrthancError as error:
        if len(files) == 1:
            return error
        return next(filter(None, [_store(storage, [file]) for file in files]), None)
    return None
