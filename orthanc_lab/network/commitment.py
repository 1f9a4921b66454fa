"""Storage commitment: N-ACTION starts a job, N-EVENT-REPORT brings the report on a request of ours (PS3.4 annex J)."""

from __future__ import annotations

import logging

from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.dimse.commitment_data import PUSH_MODEL, PUSH_MODEL_INSTANCE, CommitmentRequest, CommitmentResult
from orthanc_lab.jobs.kinds.commitment import CommitmentJob, CommitmentJobRequest
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Commitment", "CommitmentReported"]

_log = logging.getLogger("orthanc_lab.dicom")
_REQUEST_STORAGE_COMMITMENT = 1


class _Answered:
    """What both operations share: what is wrong is answered by an abort, as in Orthanc."""

    SOP_CLASSES = frozenset({PUSH_MODEL})

    def handle(self, request: Request) -> None:
        """Do it, and respond when it is on disk."""
        try:
            self._handle(request)
        except OrthancError as error:
            _log.error("Storage commitment with %s failed: %s", request.peer.aet, error)
            request.association.abort()
        else:
            request.respond(Status.SUCCESS, fields={Field.AFFECTED_SOP_INSTANCE_UID: PUSH_MODEL_INSTANCE})

    def _handle(self, request: Request) -> None:
        raise NotImplementedError


def _check(sop_class: str, sop_instance: str) -> None:
    if (sop_class, sop_instance) != (PUSH_MODEL, PUSH_MODEL_INSTANCE):
        details = "Unexpected incoming SOP class or instance UID for storage commitment"
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)


class Commitment(_Answered):
    """Takes the request of a node to commit to instances."""

    OPERATION = Operation.N_ACTION
    PERMISSION = "NAction"

    def __init__(self, services: NetworkServices) -> None:
        self._services = services

    def _handle(self, request: Request) -> None:
        message = request.message
        if message.number(Field.ACTION_TYPE_ID) != _REQUEST_STORAGE_COMMITMENT:
            details = "Only storage commitment is implemented for DICOM N-ACTION SCP"
            raise OrthancError(ErrorCode.NOT_IMPLEMENTED, details)
        _check(message.text(Field.REQUESTED_SOP_CLASS_UID), message.text(Field.REQUESTED_SOP_INSTANCE_UID))
        asked = CommitmentRequest.read(bytes(message.data), request.transfer_syntax)
        job = CommitmentJob(
            self._services.job_tools, CommitmentJobRequest(asked, request.peer.aet, request.peer.called_aet)
        )
        self._services.engine.submit(job)


class CommitmentReported(_Answered):
    """Takes the report of a node."""

    OPERATION = Operation.N_EVENT_REPORT
    PERMISSION = "EventReport"

    def __init__(self, services: NetworkServices) -> None:
        self._reports = services.job_tools.commitments

    def _handle(self, request: Request) -> None:
        message = request.message
        _check(message.text(Field.AFFECTED_SOP_CLASS_UID), message.text(Field.AFFECTED_SOP_INSTANCE_UID))
        result = CommitmentResult.read(
            bytes(message.data), request.transfer_syntax, message.number(Field.EVENT_TYPE_ID)
        )
        if not self._reports.take(result):
            _log.warning("%s reports on an unknown storage commitment: %s", request.peer.aet, result.transaction)
