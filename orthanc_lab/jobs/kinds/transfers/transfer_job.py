"""What push and pull have in common: buckets that travel at the same time, and what is shown of them.

After any step the job can be stopped and made again from what it serialized: it goes on with the buckets that are
missing. Orthanc 1.12.7 forgets these jobs at a restart.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import astuple
from functools import partial
from typing import Any, TypeVar

from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.kinds.transfers.calls import PeerCalls
from orthanc_lab.jobs.kinds.transfers.in_flight import RETRY_SECONDS, InFlight
from orthanc_lab.jobs.kinds.transfers.request import TransferRequest
from orthanc_lab.jobs.kinds.transfers.traffic import Traffic
from orthanc_lab.jobs.ports import Checkpoint, JobOutput, NotReady, StopReason
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.transfers.buckets import Bucket, plan_buckets
from orthanc_lab.transfers.instances import TransferInstance, megabytes, total_size

__all__ = ["Answer", "TransferJob"]

Answer = bool | NotReady | Checkpoint
Outcome = TypeVar("Outcome")

_PATIENCE = {StopReason.SHUTDOWN: 2.0}  # seconds for what is on its way
_LONGEST_PATIENCE = 30.0
_log = logging.getLogger("orthanc_lab.jobs")


class TransferJob:
    """A transfer; a subclass has its stages, which are methods."""

    type = ""
    first_stage = ""
    size_field = ""
    """Where ``Content`` has the megabytes on the wire."""

    def __init__(self, tools: JobTools, request: TransferRequest) -> None:
        self._tools = tools
        self._options = tools.transfers
        self._request = request
        self._calls = PeerCalls(request.peer, tools)
        self._in_flight: InFlight[tuple[int, bytes]] | None = None
        self._content: dict[str, Any] = {}
        self._traffic = Traffic(tools.clock)
        self._begin_again()

    def _begin_again(self) -> None:
        self._stage = self.first_stage
        self._full = self._options.bucket_bytes
        self._instances: list[TransferInstance] = []
        self._buckets: list[Bucket] = []
        self._done: set[int] = set()
        self._next = 0  # the bucket that is looked at next
        self._tries = 0  # of the call of this stage
        self._failure: BaseException | None = None
        self._reason: OrthancError | None = None  # for which a step has failed
        self._is_finished = False

    # -- what the subclass says ------------------------------------------------------

    def _stages(self) -> Mapping[str, Callable[[], Answer]]:
        """Return what is done in each stage, by name."""
        raise NotImplementedError

    def _transfer(self, number: int) -> tuple[int, bytes]:
        """Send or fetch a bucket, on any thread; return the bytes on the wire, and those to keep."""
        raise NotImplementedError

    def _keep(self, number: int, content: bytes) -> None:
        """Take what a bucket brought."""

    def _give_up(self) -> None:
        """Tidy up after a bucket that failed."""

    def _pull_limits(self) -> tuple[str, str] | None:
        """Return what limits the URL of a bucket, see `plan_buckets`."""
        return None

    # -- what the engine calls -------------------------------------------------------

    def start(self) -> None:
        """Get ready for requests."""
        self._next = 0
        self._failure = None  # of a bucket that was on its way when the job was paused: it travels again
        self._in_flight = InFlight(self._tools.executor, "transfer", self._options.max_http_retries)

    def step(self) -> Answer:
        """Do the next call, or let buckets travel.

        Raises
        ------
        OrthancError
            1, without details, whatever has failed, as in Orthanc; a line of the log has the reason.
        """
        try:
            more = self._stages()[self._stage]()
        except OrthancError as error:
            self._reason = error
            raise OrthancError(ErrorCode.PLUGIN) from error
        self._is_finished = more is False
        return more

    def stop(self, reason: StopReason) -> None:
        """Wait for what is on its way, and close the connections; log why the job has failed."""
        # Not where it is not written down: another server goes on with the job, as if this had not been.
        failure, self._reason = self._reason, None
        if reason is StopReason.FAILURE and failure is not None:
            _log.error("%s with %s has failed: %s", self.type, self._request.peer_name, failure)
        in_flight, self._in_flight = self._in_flight, None
        if in_flight is not None:
            in_flight.close(_PATIENCE.get(reason, _LONGEST_PATIENCE))
            self._collect(in_flight)
        self._calls.close()

    def interrupt(self) -> None:
        """Cut the connections that the step in progress waits on."""
        self._calls.cut()

    def reset(self) -> None:
        """Start anew; what is shown stays until it is known better."""
        self._begin_again()
        self._traffic = Traffic(self._tools.clock)

    def progress(self) -> float:
        """Return the part done: the first call, the buckets and the commit are steps of the same size."""
        if self._is_finished:
            return 1.0
        return 0.0 if not self._is_open else (1 + len(self._done)) / (2 + len(self._buckets))

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        return dict(self._content)

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return none: the outcome is in a storage."""
        return {}

    def serialize(self) -> dict[str, Any]:
        """Return the request, the plan and what is done of it."""
        return {
            "request": self._request.encode(),
            "stage": self._stage,
            "full": self._full,
            "instances": [astuple(instance) for instance in self._instances],
            "done": sorted(self._done),
            "traffic": self._traffic.encode(),
            "content": self._content,
        }

    def _go_on(self, saved: Mapping[str, Any]) -> None:
        """Take over what `serialize` returned."""
        self._stage, self._full = saved["stage"], saved["full"]
        self._instances = [TransferInstance(*fields) for fields in saved["instances"]]
        self._buckets = plan_buckets(self._instances, self._full, pull=self._pull_limits())
        self._done = set(saved["done"])
        self._traffic.decode(saved["traffic"])
        self._content = dict(saved["content"])

    # -- inside ----------------------------------------------------------------------

    @property
    def _is_open(self) -> bool:
        """Whether the first call was answered."""
        return self._stage in ("buckets", "commit")

    @property
    def _sender(self) -> dict[str, str]:
        return {"sender-transfer-id": self._request.sender_id}

    def _plan(self, instances: Sequence[TransferInstance]) -> None:
        self._instances = list(instances)
        self._buckets = plan_buckets(self._instances, self._full, pull=self._pull_limits())
        self._content["TotalInstances"] = len(self._instances)
        self._content["TotalSizeMB"] = megabytes(total_size(self._instances))

    def _attempt(self, call: Callable[[], Outcome]) -> Outcome | NotReady:
        """Return an answer, or what the step answers if the call is to be tried again."""
        try:
            answer = call()
        except OrthancError as error:
            self._tries += 1
            if self._tries > self._options.max_http_retries:
                raise
            _log.warning("%s with %s tries again: %s", self.type, self._request.peer_name, error)
            return NotReady(RETRY_SECONDS, lambda wake: None)
        self._tries = 0
        return answer

    def _let_buckets_travel(self) -> Answer:
        """Begin as many buckets as may travel at the same time; return False once all have arrived."""
        assert self._in_flight is not None
        self._collect(self._in_flight)
        if self._failure is not None:
            if self._in_flight:
                return self._in_flight.wait()
            self._give_up()
            raise self._failure
        self._begin_buckets(self._in_flight)
        if self._in_flight:
            return self._in_flight.wait()
        return False

    def _begin_buckets(self, in_flight: InFlight[tuple[int, bytes]]) -> None:
        if self._next == 0:
            self._traffic.restart()
        while self._next < len(self._buckets) and len(in_flight) < max(1, self._options.threads):
            number = self._next
            self._next += 1
            if number not in self._done:
                in_flight.begin(number, partial(self._transfer, number))

    def _collect(self, in_flight: InFlight[tuple[int, bytes]]) -> None:
        for number, outcome in in_flight.take():
            if isinstance(outcome, BaseException):
                self._failure = self._failure or outcome
                continue
            size, content = outcome
            try:
                self._keep(number, content)
            except OrthancError as error:
                self._failure = self._failure or error
                continue
            self._done.add(number)
            self._traffic.add(size)
        self._show_traffic()

    def _show_traffic(self) -> None:
        if self._stage == "buckets":
            self._content[self.size_field] = megabytes(self._traffic.size)
            self._content["CompletedHttpQueries"] = len(self._done)
            if self._next:
                self._content["NetworkSpeedKBs"] = self._traffic.speed
