"""The pushes that this server receives."""

from __future__ import annotations

import contextlib
import logging
import re
import threading
from collections import OrderedDict

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.protocol.ports import Clock
from orthanc_lab.storage.ports import Ingest
from orthanc_lab.transfers.bucket_log import BucketFiles, BucketLog
from orthanc_lab.transfers.compression import may_unpack, uncompressed
from orthanc_lab.transfers.documents import PushRequest
from orthanc_lab.transfers.options import TransferOptions
from orthanc_lab.transfers.push_metrics import PushMetrics
from orthanc_lab.transfers.push_transaction import PushTransaction

__all__ = ["PushReceiver"]

_log = logging.getLogger("orthanc_lab")
_SUFFIX = ".push"
_ID = re.compile(r"[0-9a-f-]{36}")
_ABANDONED = 24 * 3600  # seconds after which a push is not taken over from the last run
_PUT_TOGETHER = 64 << 20  # bytes of the instances that all commits put together at the same time
_PATIENCE = 3600.0  # seconds for which they wait for each other


class PushReceiver:
    """The open transactions, the least recently used first; thread-safe.

    Parameters
    ----------
    files
        Where the buckets are until they are committed; of this receiver alone. What is left there by the last run is
        taken over, so that a sender can go on.
    """

    def __init__(
        self,
        files: BucketFiles,
        storage: Ingest,
        options: TransferOptions,
        metrics: PushMetrics,
        *,
        clock: Clock,
        executor: Executor,
        memory: MemoryBudget,
    ) -> None:
        self._files = files
        self._storage = storage
        self._options = options
        self._metrics = metrics
        self._clock = clock
        self._executor = executor
        self._memory = memory
        self._put_together = MemoryBudget(_PUT_TOGETHER, clock, patience=_PATIENCE)
        self._lock = threading.Lock()
        self._open = self._of_last_run()

    def create(self, request: PushRequest) -> str:
        """Open a transaction and return its id; the one used least recently makes place if there are too many.

        Raises
        ------
        OrthancError
            19 or 14 if it cannot be written down.
        """
        try:
            name = self._files.new_name(_SUFFIX)
        except OSError as error:
            raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the transfer: {error}") from error
        id = _id_of(name)
        try:
            log = BucketLog(self._files, name)
        except OrthancError:
            with contextlib.suppress(OSError):
                self._files.remove(name)
            raise
        try:
            made = PushTransaction.begin(id, log, self._clock.now().timestamp(), request)
        except BaseException:
            log.remove()
            raise
        with self._lock:
            evicted = [self._open.popitem(last=False)[1] for _ in range(self._surplus(len(self._open) + 1))]
            self._open[id] = made
            count = len(self._open)
        for old in evicted:
            old.forget()
        self._metrics.created(count, aborted=len(evicted))
        return id

    def write(self, id: str, number: int, body: bytes) -> None:
        """Take a bucket as it was sent.

        Raises
        ------
        OrthancError
            17 for an unknown transaction or instance, 3 for a bucket or bytes that were not announced, 9, 2 or -1
            for a wrong length or compression, 4 for one that unpacks to far too much, 19 or 14 if the disk refuses.
        """
        start = self._clock.monotonic()
        transaction = self._used(id)
        size = transaction.bucket(number).size
        if transaction.compression == "none":
            transaction.write(number, uncompressed(body, "none", size), len(body))
        else:
            self._check_ratio(len(body), size)
            with self._memory.reserve(size):
                transaction.write(number, uncompressed(body, transaction.compression, size), len(body))
        self._metrics.received(len(body), self._clock.monotonic() - start)

    def commit(self, id: str) -> None:
        """Store all instances that have arrived whole; if that is all of them, the transaction ends.

        Raises
        ------
        OrthancError
            17 for an unknown transaction, 20 for an instance that has not arrived or has another MD5, or the error
            of an instance that cannot be stored. The transaction stays then.
        """
        start = self._clock.monotonic()
        transaction = self._used(id)
        with transaction.committing:
            self._used(id)  # it may have ended while this call waited for another one
            failure = self._store(transaction)
            if failure is not None:
                raise failure
            self._end(id)
        self._metrics.committed(self._clock.monotonic() - start)

    def discard(self, id: str) -> None:
        """Forget a transaction.

        Raises
        ------
        OrthancError
            17 for an unknown one.
        """
        self._used(id)
        self._end(id)

    def close(self) -> None:
        """Close all files; the transactions go on after the next start."""
        with self._lock:
            for transaction in self._open.values():
                transaction.suspend()

    def _of_last_run(self) -> OrderedDict[str, PushTransaction]:
        restored = (self._restored(name) for name in self._files.names())
        found = sorted(filter(None, restored), key=lambda transaction: transaction.created)
        surplus = self._surplus(len(found))
        for transaction in found[:surplus]:
            transaction.forget()
        return OrderedDict((transaction.id, transaction) for transaction in found[surplus:])

    def _restored(self, name: str) -> PushTransaction | None:
        """Return a transaction of the last run; one that is damaged or was abandoned is removed."""
        try:
            log = BucketLog(self._files, name)
        except OrthancError as error:
            _log.warning("The push in %s cannot go on: %s", name, error)
            return None
        transaction = PushTransaction.restore(_id_of(name), log)
        if transaction is None or transaction.created < self._clock.now().timestamp() - _ABANDONED:
            log.remove()
            return None
        return transaction

    def _surplus(self, count: int) -> int:
        return max(0, count - self._options.max_push_transactions)

    def _used(self, id: str) -> PushTransaction:
        with self._lock:
            if id not in self._open:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            self._open.move_to_end(id)
            return self._open[id]

    def _end(self, id: str) -> None:
        with self._lock:
            ended = self._open.pop(id, None)
            count = len(self._open)
        if ended is not None:
            ended.forget()
            self._metrics.ended(count)

    def _check_ratio(self, packed: int, size: int) -> None:
        """Refuse a bucket that claims to unpack to far more than it is: memory is for what was sent."""
        if size > max(may_unpack(packed), 2 * self._options.bucket_bytes):
            raise OrthancError(ErrorCode.NOT_ENOUGH_MEMORY, "The bucket is too large")

    def _store(self, transaction: PushTransaction) -> OrthancError | None:
        """Store what has arrived, and return the first error."""
        threads = self._options.commit_threads_count
        commit = transaction.commit(self._storage, self._executor, threads, self._put_together, self._memory)
        try:
            while commit.step():
                pass
        finally:
            commit.close()
        return commit.failure


def _id_of(name: str) -> str:
    found = _ID.search(name)
    assert found is not None
    return found[0]
