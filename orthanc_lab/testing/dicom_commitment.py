"""Storage commitment, as a `DicomNode` does it: the result comes in an association of its own."""

from __future__ import annotations

from collections.abc import Iterable

from pydicom import Dataset
from pynetdicom import AE, build_context, build_role
from pynetdicom.sop_class import (  # type: ignore[attr-defined]
    StorageCommitmentPushModel,
    StorageCommitmentPushModelInstance,
)

from orthanc_lab.testing.dicom_records import ReceivedInstance

__all__ = ["results", "send_report"]

_NO_SUCH_INSTANCE = 0x0112
_ALL_THERE, _SOME_MISSING = 1, 2  # event types of PS3.4, table J.3-3


def results(request: Dataset, instances: Iterable[ReceivedInstance]) -> Dataset:
    """Return the result of a request: which of its instances were received, and which were not."""
    held = {(instance.sop_class, instance.sop_instance) for instance in instances}
    there, missing = [], []
    for item in request.get("ReferencedSOPSequence", []):
        copy = Dataset()
        copy.ReferencedSOPClassUID = item.ReferencedSOPClassUID
        copy.ReferencedSOPInstanceUID = item.ReferencedSOPInstanceUID
        if (item.ReferencedSOPClassUID, item.ReferencedSOPInstanceUID) in held:
            there.append(copy)
        else:
            copy.FailureReason = _NO_SUCH_INSTANCE
            missing.append(copy)
    report = Dataset()
    report.TransactionUID = request.TransactionUID
    if there:
        report.ReferencedSOPSequence = there
    if missing:
        report.FailedSOPSequence = missing
    return report


def send_report(ae: AE, address: tuple[str, int], aet: str, report: Dataset) -> None:
    """Send a result to the node that asked for it; if it does not answer, the result is lost."""
    model = StorageCommitmentPushModel
    association = ae.associate(
        *address,
        ae_title=aet,
        contexts=[build_context(model)],
        ext_neg=[build_role(model, scp_role=True)],
    )
    if association.is_established:
        kind = _SOME_MISSING if "FailedSOPSequence" in report else _ALL_THERE
        association.send_n_event_report(report, kind, model, StorageCommitmentPushModelInstance)
        association.release()
