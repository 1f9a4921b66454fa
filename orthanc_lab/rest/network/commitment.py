"""Storage commitment: asking a node, and what it has answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from orthanc_lab.dimse.commitment_data import CommitmentRequest, Reference
from orthanc_lab.dimse.commitment_reports import CommitmentReport
from orthanc_lab.dimse.optional import needs_pynetdicom
from orthanc_lab.protocol import house_json, lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.http.answers import answer_empty_object, answer_json
from orthanc_lab.rest.http.bodies import read_object
from orthanc_lab.rest.jobs.store_request import instances_of
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES"]

_REASONS = {
    0x0000: "Success",
    0x0110: "A general failure in processing the operation was encountered",
    0x0112: "One or more of the elements in the Referenced SOP Instance Sequence was not available",
    0x0119: (
        "The SOP Class of an element in the Referenced SOP Instance Sequence did not correspond to the SOP class "
        "registered for this SOP Instance at the SCP"
    ),
    0x0122: (
        "Storage Commitment has been requested for a SOP Instance with a SOP Class that is not supported by the SCP"
    ),
    0x0131: "The Transaction UID of the Storage Commitment Request is already in use",
    0x0213: "The SCP does not currently have enough resources to store the requested SOP Instance(s)",
}


class ModalityCommitment:
    """Asking a node to commit to instances."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, name: str) -> None:
        """Send the request; the report comes later."""
        services = self._services
        body = read_object(req, details="Must provide a JSON object with a list of resources")
        if "Resources" not in body and "DicomInstances" not in body:
            raise _bad(
                'Empty storage commitment request, one of these fields is mandatory: "Resources" or "DicomInstances"'
            )
        references = [*self._resources(body.get("Resources", [])), *_instances(body.get("DicomInstances", []))]
        modality = services.modalities.get(name)
        timeout = _timeout(body)
        # It loads pynetdicom, which most servers never need.
        with needs_pynetdicom():
            from orthanc_lab.dimse.commitment import request_commitment  # noqa: PLC0415

        transaction = services.identifiers.uid()
        reports = services.job_tools.commitments
        reports.add(transaction, modality.aet)
        request_commitment(CommitmentRequest(transaction, references), modality, services.dicom, timeout=timeout)
        answer_json(req, resp, {"ID": transaction, "Path": f"/storage-commitment/{transaction}"})

    def _resources(self, resources: Any) -> list[Reference]:
        if not isinstance(resources, list):
            raise _bad('The "Resources" field must provide an array of Orthanc resources')
        for resource in resources:
            if not isinstance(resource, str):
                details = f'The "Resources" field must provide an array of strings, found: {_styled(resource)}'
                raise _bad(details)
        storage = self._services.storage
        instances = instances_of(resources, storage)
        found = {instance.id: instance for instance in storage.get_many(instances)}
        return [
            Reference(found[id].metadata.get("SopClassUid", ""), found[id].tags.get("0008,0018", ""))
            for id in instances
            if id in found
        ]


class CommitmentTransaction:
    """A transaction, and the report on it."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_get(self, req: falcon.Request, resp: falcon.Response, uid: str) -> None:
        """Answer what is known."""
        report = _report(self._services, uid)
        answer: dict[str, Any] = {"RemoteAET": report.aet, "Status": report.status}
        if not report.is_pending:
            answer["Success"] = [_shown(*reference) for reference in report.success]
            answer["Failures"] = [
                {
                    **_shown(sop_class, sop_instance),
                    "FailureReason": reason,
                    "Description": _REASONS.get(reason, "Unknown failure reason"),
                }
                for sop_class, sop_instance, reason in report.failures
            ]
        answer_json(req, resp, answer)


class CommitmentRemoval:
    """Deleting the instances that a node has committed to."""

    def __init__(self, services: Services) -> None:
        self._services = services

    def on_post(self, req: falcon.Request, resp: falcon.Response, uid: str) -> None:
        """Delete them here."""
        report = _report(self._services, uid)
        if report.status != "Success":
            details = f"Cannot remove DICOM instances after failure in storage commitment transaction: {uid}"
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, details)
        storage = self._services.storage
        storage.delete_all(
            [
                id
                for reference in report.success
                for level, id in storage.lookup_identifier(reference.sop_instance)
                if level is Level.INSTANCE
            ]
        )
        answer_empty_object(req, resp)


def _report(services: Services, uid: str) -> CommitmentReport:
    report = services.job_tools.commitments.get(uid)
    if report is None:
        raise OrthancError(ErrorCode.INEXISTENT_ITEM, f"No storage commitment transaction with UID: {uid}")
    return report


def _shown(sop_class: str, sop_instance: str) -> dict[str, str]:
    return {"SOPClassUID": sop_class, "SOPInstanceUID": sop_instance}


def _instances(values: Any) -> list[Reference]:
    if not isinstance(values, list):
        raise _bad('The "DicomInstances" field must provide an array of DICOM instances')
    return [_instance(value) for value in values]


def _instance(value: Any) -> Reference:
    if isinstance(value, list):
        if len(value) != 2 or not all(isinstance(uid, str) for uid in value):
            details = "An instance entry must provide an array with 2 strings: SOP Class UID and SOP Instance UID"
            raise _bad(details)
        return Reference(*value)
    if isinstance(value, dict):
        uids = [value.get("SOPClassUID"), value.get("SOPInstanceUID")]
        if not all(isinstance(uid, str) for uid in uids):
            details = 'An instance entry must provide an object with 2 string fiels: "SOPClassUID" and "SOPInstanceUID'
            raise _bad(details)
        return Reference(*map(str, uids))
    details = f"JSON array or object is expected to specify one instance to be queried, found: {_styled(value)}"
    raise _bad(details)


def _timeout(body: dict[str, Any]) -> int | None:
    if "Timeout" not in body:
        return None
    value = body["Timeout"]
    if type(value) is not int:
        raise _bad("Integer value expected in field: Timeout")
    lenient_json.require_int32(value)
    if value < 0:
        raise _bad("Unsigned integer value expected in field: Timeout")
    return value


def _styled(value: Any) -> str:
    return house_json.dumps(value, indent="\t") + "\n"


def _bad(details: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, details)


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (
    ("/modalities/{name}/storage-commitment", ModalityCommitment),
    ("/storage-commitment/{uid}", CommitmentTransaction),
    ("/storage-commitment/{uid}/remove", CommitmentRemoval),
)
