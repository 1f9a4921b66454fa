"""Sending to other DICOM nodes: ``/modalities/{name}/store`` and ``store-straight``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.jobs.kinds.sending.modality_store import ModalityStoreJob, ModalityStoreRequest
from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.http.bodies import job_fields, read_body
from orthanc_lab.rest.http.submission import submit_job
from orthanc_lab.rest.jobs.store_request import instances_of, read_store_request
from orthanc_lab.rest.network.modality_bodies import called_modality, text_field, timeout_field
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_MESSAGE_IDS = range(1 << 16)


class ModalityStore:
    """Sending resources, by a job."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send resources to the node."""
        services = self._services
        resources, body = read_store_request(req)
        instances = instances_of(resources, services.storage)
        local_aet = text_field(body, "LocalAet", services.dicom.aet)
        originator_aet = text_field(body, "MoveOriginatorAet", services.dicom.aet)
        originator_id = _integer(body, "MoveOriginatorID")
        modality = called_modality(services.modalities.get(name), body)
        if originator_id not in _MESSAGE_IDS:
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE)
        commitment = services.identifiers.uid() if _wants_commitment(body) else ""
        timeout = timeout_field(body)
        fields = job_fields(body)
        request = ModalityStoreRequest(
            modality=modality,
            local_aet=local_aet,
            instances=instances,
            parents=sorted(set(resources)),
            permissive=fields.permissive,
            timeout=timeout,
            move_originator_aet=originator_aet,
            move_originator_id=originator_id,
            commitment=commitment,
        )
        for resource in resources:
            services.storage.log_export(resource, name)
        submit_job(req, resp, services, fields, ModalityStoreJob(services.job_tools, request))


class ModalityStraightStore:
    """Sending one DICOM file that is not in the database."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send the body; answer what it was sent as."""
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.store import InstanceSender, StoreTarget  # noqa: PLC0415

        services = self._services
        target = StoreTarget(services.modalities.get(name))
        with InstanceSender(target, services.dicom) as sender:
            sent = sender.send(read_body(req))
        answer_json(req, resp, {"SOPClassUID": sent.sop_class, "SOPInstanceUID": sent.sop_instance})


def _integer(fields: dict[str, Any], name: str) -> int:
    value = fields.get(name, 0)
    if not lenient_json.is_integer(value):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    lenient_json.require_int32(value)
    return int(value)


def _wants_commitment(fields: dict[str, Any]) -> bool:
    value = fields.get("StorageCommitment", False)
    if not isinstance(value, bool):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    return value


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities/{name}/store", ModalityStore),
    ("/modalities/{name}/store-straight", ModalityStraightStore),
)
