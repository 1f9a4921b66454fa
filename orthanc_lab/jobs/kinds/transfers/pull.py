"""Fetching instances from another server in buckets: the job ``PullTransfer``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.transfers.calls import LONGEST_LOOKUP
from orthanc_lab.jobs.kinds.transfers.request import TransferRequest
from orthanc_lab.jobs.kinds.transfers.transfer_job import Answer, TransferJob
from orthanc_lab.jobs.ports import Checkpoint, NotReady, StopReason
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.json_text import dumps
from orthanc_lab.transfers.arrivals import Arrivals
from orthanc_lab.transfers.bucket_log import BucketLog
from orthanc_lab.transfers.buckets import chunks_uri
from orthanc_lab.transfers.commit import Commit
from orthanc_lab.transfers.compression import uncompressed
from orthanc_lab.transfers.documents import read_lookup

__all__ = ["PullTransferJob"]

_ENDED = frozenset({StopReason.CANCELED, StopReason.SUCCESS, StopReason.FAILURE})
_OVERHEAD = 1 << 16  # bytes by which a compressed bucket may be larger than its content, and a sixteenth of that


class PullTransferJob(TransferJob):
    """Asks the peer for the instances, fetches the buckets, and stores what they hold."""

    type = "PullTransfer"
    first_stage = "look up"
    size_field = "DownloadedSizeMB"

    _name: str  # of the file with the buckets that have arrived; "" for none

    def __init__(self, tools: JobTools, request: TransferRequest) -> None:
        super().__init__(tools, request)
        self._log: BucketLog | None = None
        self._storing: Commit | None = None

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> PullTransferJob:
        """Make a job again from what `serialize` returned."""
        job = cls(tools, TransferRequest.decode(saved["request"]))
        job._go_on(saved)
        job._name = saved["name"]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request, the plan, what is done of it, and the name of the file with the buckets."""
        return {**super().serialize(), "name": self._name}

    def start(self) -> None:
        """Look which buckets are there."""
        super().start()
        if self._name:
            self._open_log()
            if len(self._done) < len(self._buckets):
                self._stage = "buckets"

    def stop(self, reason: StopReason) -> None:
        """Close the file with the buckets, and remove it at the end."""
        super().stop(reason)
        storing, self._storing = self._storing, None
        if storing is not None:
            storing.close()
        log, self._log = self._log, None
        if log is not None:
            log.close()
        if self._name and reason in _ENDED:
            self._tools.outputs.remove(self._name)
            self._name = ""

    def _begin_again(self) -> None:
        super()._begin_again()
        self._name = ""

    def _pull_limits(self) -> tuple[str, str]:
        return self._request.peer.url, self._request.compression

    def _stages(self) -> Mapping[str, Callable[[], Answer]]:
        return {"look up": self._look_up, "buckets": self._fetch, "commit": self._commit}

    def _look_up(self) -> Answer:
        self._content.update(self._request.content())
        body = dumps(self._request.resources).encode()
        headers = {"Content-Type": "application/json", **self._sender}
        answer = self._attempt(
            lambda: self._calls.call("POST", "transfers/lookup", body, headers, longest=LONGEST_LOOKUP)
        )
        if isinstance(answer, NotReady):
            return answer
        instances, originator = read_lookup(answer.body)
        if self._request.originator not in (None, originator):
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The peer is another server than the one that asked")
        if not instances:
            return False
        self._plan(instances)
        self._name = self._new_name()
        self._open_log()
        self._stage = "buckets"
        self._show_traffic()
        return Checkpoint()  # what is fetched from now on is in this file

    def _new_name(self) -> str:
        try:
            return self._tools.outputs.new_name(".pull")
        except OSError as error:
            raise OrthancError(ErrorCode.CANNOT_WRITE_FILE, f"Cannot write the transfer: {error}") from error

    def _open_log(self) -> None:
        self._log = BucketLog(self._tools.outputs, self._name)
        self._done = set(self._log)
        self._arrived_before = self._log.size  # of which the traffic that was saved may know less

    def _fetch(self) -> Answer:
        waiting = self._let_buckets_travel()
        if waiting is not False:
            return waiting
        self._stage = "commit"
        return True

    def _transfer(self, number: int) -> tuple[int, bytes]:
        bucket = self._buckets[number]
        uri = chunks_uri(bucket, self._request.compression)
        longest = bucket.size + bucket.size // 16 + _OVERHEAD
        body = self._calls.call("GET", uri, longest=longest).body
        return len(body), uncompressed(body, self._request.compression, bucket.size)

    def _keep(self, number: int, content: bytes) -> None:
        assert self._log is not None
        self._log.add(number, content)

    def _commit(self) -> Answer:
        """Store the next group; after an interruption, from the first one on: what is stored is known."""
        if self._storing is None:
            assert self._log is not None
            arrivals = Arrivals(self._log, self._buckets, self._traffic.size + self._arrived_before)
            threads = self._options.commit_threads_count
            self._storing = Commit(self._tools.storage, arrivals, self._instances, self._tools.executor, threads)
        if self._storing.step():
            return True
        if self._storing.failure is not None:
            raise self._storing.failure
        return False
