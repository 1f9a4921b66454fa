"""Sending instances to another server in buckets: the job ``PushTransfer``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.transfers.calls import LONGEST_LOOKUP, RefusedError
from orthanc_lab.jobs.kinds.transfers.request import TransferRequest
from orthanc_lab.jobs.kinds.transfers.transfer_job import Answer, TransferJob
from orthanc_lab.jobs.ports import Checkpoint, NotReady
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.json_text import dumps
from orthanc_lab.transfers.chunks import read_chunk
from orthanc_lab.transfers.compression import compressed
from orthanc_lab.transfers.documents import PushRequest, push_document
from orthanc_lab.transfers.instances import instances_of

if TYPE_CHECKING:
    from orthanc_lab.peers.client import PeerAnswer

__all__ = ["PushTransferJob"]

_JSON = {"Content-Type": "application/json"}
_BYTES = {"Content-Type": "application/octet-stream"}
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class PushTransferJob(TransferJob):
    """Opens a transaction at the peer, sends the buckets, and lets the peer commit."""

    type = "PushTransfer"
    first_stage = "plan"
    size_field = "UploadedSizeMB"

    def __init__(self, tools: JobTools, request: TransferRequest) -> None:
        super().__init__(tools, request)
        self._was_committing = False  # in a run before: the peer may have done it

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> PushTransferJob:
        """Make a job again from what `serialize` returned."""
        job = cls(tools, TransferRequest.decode(saved["request"]))
        job._go_on(saved)
        job._path, job._cookies = saved["path"], saved["cookies"]
        job._was_committing = job._stage == "commit"
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request, the plan, what is done of it, and the transaction."""
        return {**super().serialize(), "path": self._path, "cookies": self._cookies}

    def _begin_again(self) -> None:
        super()._begin_again()
        self._path = self._cookies = ""
        self._was_committing = False

    def _stages(self) -> Mapping[str, Callable[[], Answer]]:
        return {"plan": self._prepare, "open": self._open, "buckets": self._send, "commit": self._commit}

    def _prepare(self) -> Answer:
        instances = instances_of(self._tools.storage, self._request.resources)
        self._content.update(self._request.content())
        self._plan(instances)
        self._stage = "open"
        return True

    def _open(self) -> Answer:
        request = PushRequest(self._request.compression, tuple(self._instances), tuple(self._buckets))
        body = dumps(push_document(request)).encode()
        answer = self._attempt(lambda: self._call("POST", "transfers/push", body, {**_JSON, **self._sender}))
        if isinstance(answer, NotReady):
            return answer
        document = lenient_json.loads(answer.body)
        path = document.get("Path") if isinstance(document, dict) else None
        if not isinstance(path, str):
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The peer did not tell where to send to")
        self._path, self._cookies = path, answer.cookies
        self._stage = "buckets"
        self._show_traffic()
        return Checkpoint()  # another transaction would begin with the first bucket again

    def _send(self) -> Answer:
        waiting = self._let_buckets_travel()
        if waiting is not False:
            return waiting
        self._stage = "commit"
        return Checkpoint()

    def _commit(self) -> Answer:
        answer = self._attempt(self._ask_to_commit)
        if isinstance(answer, NotReady):
            return answer
        if answer is not None:
            lenient_json.loads(answer.body)
        return False

    def _ask_to_commit(self) -> PeerAnswer | None:
        """Return the answer, None if the peer must have committed at an earlier attempt whose answer was lost."""
        was_committing, self._was_committing = self._was_committing, True
        try:
            return self._call("POST", f"{self._path}/commit", b"", {**_FORM, **self._headers})
        except RefusedError as error:
            if error.answered == 404 and was_committing and self._peer_has_all():
                return None
            raise

    def _peer_has_all(self) -> bool:
        body = dumps([{"Level": "Instance", "ID": instance.id} for instance in self._instances]).encode()
        try:
            self._calls.call("POST", "transfers/lookup", body, {**_JSON, **self._sender}, longest=LONGEST_LOOKUP)
        except OrthancError:
            return False
        return True

    def _transfer(self, number: int) -> tuple[int, bytes]:
        chunks = self._buckets[number].chunks
        content = b"".join(read_chunk(self._tools.storage, chunk) for chunk in chunks)
        body = compressed(content, self._request.compression)
        self._calls.call("PUT", f"{self._path}/{number}", body, {**_BYTES, **self._headers})
        return len(body), b""

    def _give_up(self) -> None:
        """Let the peer forget the transaction; whether it does makes no difference."""
        try:
            self._calls.call("DELETE", self._path, headers=self._headers)
        except OrthancError:
            return

    @property
    def _headers(self) -> dict[str, str]:
        return {**self._sender, "Cookie": self._cookies} if self._cookies else self._sender

    def _call(self, verb: str, path: str, body: bytes, headers: Mapping[str, str]) -> PeerAnswer:
        return self._calls.call(verb, path, body, headers, timeout=self._options.peer_commit_timeout)
