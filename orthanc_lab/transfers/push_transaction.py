"""A push as its receiver sees it: what was announced, and the buckets that have arrived."""

from __future__ import annotations

import threading

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.json_text import dumps, loads
from orthanc_lab.protocol.memory_budget import MemoryBudget
from orthanc_lab.storage.ports import Ingest
from orthanc_lab.transfers.arrivals import Arrivals
from orthanc_lab.transfers.bucket_log import BucketLog
from orthanc_lab.transfers.buckets import Bucket
from orthanc_lab.transfers.commit import Commit
from orthanc_lab.transfers.documents import PushRequest, push_document, read_push

__all__ = ["PushTransaction"]

_HEAD = 2**64 - 1  # the number of the record that has the request
_ROOM = 1 << 20


class PushTransaction:
    """One push; all it needs after a restart is in its log."""

    def __init__(self, id: str, log: BucketLog, created: float, request: PushRequest) -> None:
        self.id = id
        self.created = created  # seconds since the epoch
        self.committing = threading.Lock()
        self._log = log
        self._request = request
        self._instances = {instance.id: instance for instance in request.instances}
        self._sent: dict[int, int] = {}  # bytes of each bucket on the wire, in this run
        self._sent_before = log.size  # at most
        # Buckets may be sent again, but not without an end.
        self._largest = 4 * (log.size + sum(bucket.size for bucket in request.buckets)) + _ROOM

    @classmethod
    def begin(cls, id: str, log: BucketLog, created: float, request: PushRequest) -> PushTransaction:
        """Begin a push with a new log.

        Raises
        ------
        OrthancError
            19 or 14 if it cannot be written down.
        """
        log.add(_HEAD, dumps({"created": created, "request": push_document(request)}).encode())
        return cls(id, log, created, request)

    @classmethod
    def restore(cls, id: str, log: BucketLog) -> PushTransaction | None:
        """Make a push again from its log, None if that does not even have its request."""
        if _HEAD not in log:
            return None
        try:
            head = loads(log.read(_HEAD).decode())
        except ValueError:  # the machine went down before the disk had it
            return None
        return cls(id, log, head["created"], read_push(head["request"]))

    @property
    def compression(self) -> str:
        """``gzip`` or ``none``, of all buckets."""
        return self._request.compression

    def bucket(self, number: int) -> Bucket:
        """Return an announced bucket.

        Raises
        ------
        OrthancError
            3 for a number out of range.
        """
        if number >= len(self._request.buckets):
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        return self._request.buckets[number]

    def write(self, number: int, content: bytes, sent: int) -> None:
        """Take a bucket, whose size has been checked, and which came as `sent` bytes.

        Raises
        ------
        OrthancError
            17 for an instance that was not announced, 3 for bytes behind its end, 19 or 14 if the disk refuses.
        """
        for chunk in self.bucket(number).chunks:
            instance = self._instances.get(chunk.instance)
            if instance is None:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, "Unknown instance")
            if chunk.offset + chunk.size > instance.size:
                raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "WriteChunk out of bounds")
        if self._log.size + len(content) > self._largest:
            raise OrthancError(ErrorCode.FULL_STORAGE, "The buckets of this transfer were sent too many times")
        self._log.add(number, content)
        self._sent[number] = sent

    def commit(
        self, storage: Ingest, executor: Executor, threads: int, memory: MemoryBudget, counting: MemoryBudget
    ) -> Commit:
        """Return what stores the instances that can be put together now.

        Parameters
        ----------
        memory
            From which it reserves the instances.
        counting
            From which it reserves what it takes to count their elements.
        """
        sent = self._sent_before + sum(self._sent.copy().values())
        arrivals = Arrivals(self._log, self._request.buckets, sent, counting)
        return Commit(storage, arrivals, tuple(self._instances.values()), executor, threads, memory=memory)

    def suspend(self) -> None:
        """Close the log; it goes on after the next start."""
        self._log.close()

    def forget(self) -> None:
        """Remove all that has arrived."""
        self._log.remove()
