"""Sending instances to a DICOM node: the job ``DicomModalityStore``."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from orthanc_lab.dimse.commitment_data import CommitmentRequest, Reference
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.modality import Modality, read_modality
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.jobs.kinds.job_tools import JobTools
from orthanc_lab.jobs.ports import JobOutput, StopReason
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.dimse.store import InstanceSender

__all__ = ["ModalityStoreJob", "ModalityStoreRequest"]

_log = logging.getLogger("orthanc_lab.jobs")
_LOOKED_AHEAD = 500  # instances whose kinds are proposed to the node when an association is opened


@dataclass(frozen=True, slots=True)
class ModalityStoreRequest:
    """What a call to ``/modalities/{name}/store``, or a C-MOVE, asks for."""

    modality: Modality
    local_aet: str
    instances: Sequence[str]  # Orthanc identifiers, in the order of sending
    parents: Sequence[str] = ()  # the resources as asked for, sorted, each once
    description: str = "REST API"
    permissive: bool = False  # go on after an instance that could not be sent
    timeout: int | None = None  # seconds; None for that of the modality and of the options
    move_originator_aet: str = ""
    move_originator_id: int = 0  # message ID of the C-MOVE; 0: there is none
    commitment: str = ""  # UID of a transaction of storage commitment that follows; "" for none


class ModalityStoreJob:
    """Sends one instance a step, over one association; then, if that is wanted, asks for storage commitment."""

    type = "DicomModalityStore"

    def __init__(self, tools: JobTools, request: ModalityStoreRequest) -> None:
        self._tools = tools
        self._request = request
        self._sender: InstanceSender | None = None
        self._interruption = Interruption()
        self.reset()

    @classmethod
    def restore(cls, tools: JobTools, saved: Mapping[str, Any]) -> ModalityStoreJob:
        """Make a job again from what `serialize` returned."""
        fields = dict(saved["request"])
        job = cls(tools, ModalityStoreRequest(modality=read_modality(fields.pop("modality")), **fields))
        job._position, job._failed = saved["position"], saved["failed"]
        return job

    def serialize(self) -> dict[str, Any]:
        """Return the request and how much of it is done."""
        request = self._request
        fields = {name: getattr(request, name) for name in ModalityStoreRequest.__slots__}
        fields |= {
            "modality": request.modality.configuration(),
            "instances": list(request.instances),
            "parents": list(request.parents),
        }
        return {"request": fields, "position": self._position, "failed": self._failed}

    def start(self) -> None:
        """Prepare the sender; the first instance opens the association."""
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.store import InstanceSender, MoveOriginator, StoreTarget  # noqa: PLC0415

        request = self._request
        originator = None
        if request.move_originator_id:
            originator = MoveOriginator(request.move_originator_aet, request.move_originator_id)
        target = StoreTarget(request.modality, request.local_aet, request.timeout, originator)
        self._sender = InstanceSender(target, self._tools.dicom, self._tools.transcode, self._interruption)

    def step(self) -> bool:
        """Send the next instance."""
        instances = self._request.instances
        if self._position < len(instances):
            self._send(instances[self._position])
        elif self._position < self._steps:
            self._ask_for_commitment()
        self._position += 1
        if self._position < len(instances):
            return True
        self._close()
        return self._position < self._steps

    def stop(self, reason: StopReason) -> None:
        """Release the association."""
        self._close()
        self._sender = None

    def interrupt(self) -> None:
        """Cut the connection that the step in progress waits on."""
        self._interruption.cut()

    def reset(self) -> None:
        """Send all from the first one again."""
        self._position = 0  # number of steps that are done
        self._failed = 0  # number of instances that had vanished

    def progress(self) -> float:
        """Return the share of the steps that are done."""
        return min(1.0, self._position / self._steps) if self._steps else 1.0

    def content(self) -> dict[str, Any]:
        """Return the public state of the job."""
        request = self._request
        content: dict[str, Any] = {
            "Description": request.description,
            "FailedInstancesCount": self._failed,
            "InstancesCount": len(request.instances),
            "LocalAet": request.local_aet,
            "RemoteAet": request.modality.aet,
        }
        if request.parents:
            content["ParentResources"] = list(request.parents)
        if request.move_originator_id:
            content["MoveOriginatorAET"] = request.move_originator_aet
            content["MoveOriginatorID"] = request.move_originator_id
        if request.commitment:
            content["StorageCommitmentTransactionUID"] = request.commitment
        return content

    def outputs(self) -> Mapping[str, JobOutput]:
        """Return nothing: the node has it."""
        return {}

    @property
    def _steps(self) -> int:
        return len(self._request.instances) + bool(self._request.commitment)

    def _ask_for_commitment(self) -> None:
        # It loads pynetdicom.
        with needs_pynetdicom():
            from orthanc_lab.dimse.commitment import request_commitment  # noqa: PLC0415

        request, tools = self._request, self._tools
        references = [
            Reference(resource.metadata.get("SopClassUid", ""), resource.tags.get("0008,0018", ""))
            for resource in tools.storage.get_many(request.instances)
        ]
        if tools.commitments.get(request.commitment) is None:  # the step may be done again
            tools.commitments.add(request.commitment, request.modality.aet)
        asked = CommitmentRequest(request.commitment, references)
        request_commitment(
            asked, request.modality, tools.dicom, timeout=request.timeout, interruption=self._interruption
        )

    def _send(self, instance: str) -> None:
        dicom = self._read(instance)
        if dicom is None:
            return
        assert self._sender is not None
        try:
            self._sender.send(dicom, self._upcoming)
        except OrthancError as error:
            if not self._request.permissive or self._interruption.is_cut:
                raise
            _log.warning("An instance was not sent to %s: %s", self._request.modality.aet, error)

    def _read(self, instance: str) -> bytes | None:
        """Return the file to send, None if it has vanished and that is permitted."""
        try:
            return self._tools.storage.read_dicom(instance)
        except OrthancError as error:
            if error.code not in VANISHED:
                raise
            self._failed += 1
            if self._request.permissive:
                return None
            raise OrthancError(ErrorCode.INTERNAL_ERROR) from error

    def _upcoming(self) -> Iterable[tuple[str, str]]:
        """Return the SOP classes and transfer syntaxes of the instances that follow."""
        following = self._request.instances[self._position + 1 : self._position + 1 + _LOOKED_AHEAD]
        for resource in self._tools.storage.get_many(following):
            sop_class = resource.metadata.get("SopClassUid", "")
            syntax = resource.metadata.get("TransferSyntax", "")
            if sop_class and syntax:
                yield sop_class, syntax

    def _close(self) -> None:
        if self._sender is not None:
            self._sender.close()
