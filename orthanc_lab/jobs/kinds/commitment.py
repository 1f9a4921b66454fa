"""Answering a request of storage commitment: the job ``StorageCommitmentScp``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from orthanc_lab.dimse.commitment_data import (
    CommitmentRequest,
    CommitmentResult,
    Failure,
    FailureReason,
    Reference,
)
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level

__all__ = ["CommitmentJob", "CommitmentJobRequest"]


@dataclass(frozen=True, slots=True)
class CommitmentJobRequest:
    """What a node asks for."""

    request: CommitmentRequest
    remote_aet: str
    called_aet: str


class CommitmentJob:
    """Looks for one instance a step, and tells the node at the end.

    An instance is committed if its file can be read.
    """

    type = "StorageCommitmentScp"

    def __init__(self, tools: JobTools, request: CommitmentJobRequest) -> None:
        self._tools = tools
        self._request = request
        self._interruption = Interruption()
        self.reset()

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> CommitmentJob:
        """Make a job again from what `serialize` returned."""
        references = [Reference(*item) for item in saved["references"]]
        request = CommitmentRequest(saved["transaction"], references)
        job = cls(tools, CommitmentJobRequest(request, saved["remote_aet"], saved["called_aet"]))
        job._position, job._failures = saved["position"], [Failure(*item) for item in saved["failures"]]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request and how much of it is done."""
        request = self._request
        return {
            "transaction": request.request.transaction,
            "references": [list(reference) for reference in request.request.references],
            "remote_aet": request.remote_aet,
            "called_aet": request.called_aet,
            "position": self._position,
            "failures": [list(failure) for failure in self._failures],
        }

    def start(self) -> None:
        """Do nothing: each step opens what it needs."""

    def step(self) -> bool:
        """Begin, look for the next instance, or report."""
        references = self._request.request.references
        if 0 < self._position <= len(references):
            reference = references[self._position - 1]
            reason = self._reason_of_failure(reference)
            if reason:
                self._failures.append(Failure(*reference, reason))
        elif self._position > len(references):
            self._report()
        self._position += 1
        return self._position < self._total()

    def stop(self, reason: StopReason) -> None:
        """Do nothing."""

    def interrupt(self) -> None:
        """Cut the connection that the report waits on."""
        self._interruption.cut()

    def reset(self) -> None:
        """Look for all from the first one again."""
        self._position = 0  # steps that are done: the beginning, an instance each, the report
        self._failures: list[Failure] = []

    def progress(self) -> float:
        """Return the share of steps that are done."""
        return self._position / self._total()

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        request = self._request
        return {
            "CalledAet": request.called_aet,
            "Description": "",
            "RemoteAet": request.remote_aet,
            "TransactionUid": request.request.transaction,
        }

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return nothing: the node has the report."""
        return {}

    def _total(self) -> int:
        return len(self._request.request.references) + 2

    def _reason_of_failure(self, reference: Reference) -> int:
        """Return why an instance is not committed, 0 if it is."""
        storage = self._tools.storage
        ids = [id for level, id in storage.lookup_identifier(reference.sop_instance) if level is Level.INSTANCE]
        found = storage.get_many(ids)
        if not found:
            return FailureReason.NO_SUCH_OBJECT_INSTANCE
        stored = [one.id for one in found if one.metadata.get("SopClassUid") == reference.sop_class]
        if not stored:
            return FailureReason.CLASS_INSTANCE_CONFLICT
        try:
            storage.read_dicom(stored[0], keep=False)
        except OrthancError as error:
            if error.code not in VANISHED:
                raise
            return FailureReason.NO_SUCH_OBJECT_INSTANCE
        return 0

    def _report(self) -> None:
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.commitment import report_commitment  # noqa: PLC0415

        request = self._request
        known = self._tools.modalities.by_aet(request.remote_aet)
        if not known:
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"Unknown modality for AET: {request.remote_aet}")
        failed = {failure[:2] for failure in self._failures}
        success = [reference for reference in request.request.references if tuple(reference) not in failed]
        result = CommitmentResult(request.request.transaction, success, self._failures)
        report_commitment(
            result,
            known[0][1],
            self._tools.dicom,
            local_aet=request.called_aet,
            interruption=self._interruption,
        )
