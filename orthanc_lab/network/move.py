"""C-MOVE: instances are sent to another node (PS3.4 section C.4.2)."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from itertools import repeat

from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.dimse.query_models import MOVE_MODELS
from orthanc_lab.jobs.kinds.sending.modality_store import ModalityStoreJob, ModalityStoreRequest
from orthanc_lab.jobs.ports import StopReason
from orthanc_lab.network.identifier import IdentifierReader
from orthanc_lab.network.measuring import measured
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.retrieved import named_resources, retrieved_instances
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.network.sub_operations import SubOperations
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Move"]

_log = logging.getLogger("orthanc_lab.dicom")


class Move:
    """Sends instances to a known node, while the client waits or by a job (``SynchronousCMove``)."""

    OPERATION = Operation.C_MOVE
    SOP_CLASSES = frozenset(MOVE_MODELS)
    PERMISSION = "Move"

    def __init__(self, services: NetworkServices) -> None:
        self._services = services
        self._reader = IdentifierReader(services.dictionary, services.settings)

    def handle(self, request: Request) -> None:
        """Send the instances, or start the job, and respond."""
        counts = SubOperations()
        status = self._moved(request, counts)
        if status == Status.UNABLE_TO_PROCESS:
            counts = SubOperations()  # as Orthanc, which tells nothing of what was sent
        request.respond(status, fields=counts.fields(with_remaining=status == Status.CANCELLED))

    def _moved(self, request: Request, counts: SubOperations) -> int:
        """Send all; return the status of the final response."""
        try:
            with measured(self._services, "orthanc_move_scp_duration_ms"):
                asked = self._request(request)
                job = ModalityStoreJob(self._services.job_tools, asked)
                if not self._services.settings["SynchronousCMove"]:
                    self._services.engine.submit(job)
            counts.total = len(asked.instances)
            for _ in self._steps(job, counts.total):
                counts.completed += 1
                if not counts.remaining:
                    break
                if request.is_cancelled():
                    return Status.CANCELLED
                request.respond(Status.PENDING, fields=counts.fields(with_remaining=True))
        except OrthancError as error:
            _log.error("C-MOVE of %s failed: %s", request.peer.aet, error)
            return Status.UNABLE_TO_PROCESS
        except Exception as error:
            self._services.report(error)
            return Status.UNABLE_TO_PROCESS
        return Status.SUCCESS

    def _request(self, request: Request) -> ModalityStoreRequest:
        services = self._services
        target = request.message.text(Field.MOVE_DESTINATION)
        known = services.modalities.by_aet(target)
        if not known:
            raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"Unknown modality for AET: {target}")
        named = named_resources(self._reader.read(request), services.storage)
        instances = retrieved_instances([id for ids in named for id in ids], services.storage)
        if not instances:
            raise OrthancError(ErrorCode.BAD_REQUEST, "C-MOVE request matching no resource stored in Orthanc")
        return ModalityStoreRequest(
            modality=known[0][1],
            local_aet=services.dicom.aet,
            instances=instances,
            description="C-MOVE",
            move_originator_aet=request.peer.aet,
            move_originator_id=request.message.message_id,
        )

    def _steps(self, job: ModalityStoreJob, instances: int) -> Iterator[None]:
        """Yield after each instance that was sent; a job of its own sends them all later."""
        if not self._services.settings["SynchronousCMove"]:
            yield from repeat(None, instances)
            return
        reason = StopReason.FAILURE
        job.start()
        try:
            for _ in range(instances):
                job.step()
                yield
            reason = StopReason.SUCCESS
        finally:
            job.stop(reason)
