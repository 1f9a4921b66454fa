"""Storage commitment with another node: asking it, and telling it. It loads pynetdicom."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.dimse.association import Proposal, open_association
from orthanc_lab.dimse.command_set import Field, Operation, Value
from orthanc_lab.dimse.commitment_data import PUSH_MODEL, PUSH_MODEL_INSTANCE, CommitmentRequest, CommitmentResult
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, IMPLICIT_LE

__all__ = ["report_commitment", "request_commitment"]


def request_commitment(
    request: CommitmentRequest,
    modality: Modality,
    options: DicomOptions,
    *,
    timeout: int | None = None,
    interruption: Interruption | None = None,
) -> None:
    """Ask a node to commit to instances; its report comes later.

    Parameters
    ----------
    timeout
        Seconds, if they are to be others than those of the modality and of the options.
    interruption
        Cuts the connection.

    Raises
    ------
    OrthancError
        9 if the node cannot be reached, or refuses.
    """
    fields: dict[Field, Value] = {
        Field.REQUESTED_SOP_CLASS_UID: PUSH_MODEL,
        Field.REQUESTED_SOP_INSTANCE_UID: PUSH_MODEL_INSTANCE,
        Field.ACTION_TYPE_ID: 1,
    }
    _ask(Operation.N_ACTION, fields, request, modality, options, timeout=timeout, interruption=interruption)


def report_commitment(
    result: CommitmentResult,
    modality: Modality,
    options: DicomOptions,
    *,
    local_aet: str,
    interruption: Interruption | None = None,
) -> None:
    """Tell a node what became of its request.

    Parameters
    ----------
    local_aet
        Our title, as the node has called us; that of the modality comes first.
    interruption
        Cuts the connection.

    Raises
    ------
    OrthancError
        9 if the node cannot be reached, or refuses.
    """
    fields: dict[Field, Value] = {
        Field.AFFECTED_SOP_CLASS_UID: PUSH_MODEL,
        Field.AFFECTED_SOP_INSTANCE_UID: PUSH_MODEL_INSTANCE,
        Field.EVENT_TYPE_ID: result.event_type,
    }
    _ask(
        Operation.N_EVENT_REPORT,
        fields,
        result,
        modality,
        options,
        local_aet=local_aet,
        as_provider=True,
        interruption=interruption,
    )


def _ask(
    operation: Operation,
    fields: Mapping[Field, Value],
    content: CommitmentRequest | CommitmentResult,
    modality: Modality,
    options: DicomOptions,
    *,
    local_aet: str | None = None,
    timeout: int | None = None,
    as_provider: bool = False,
    interruption: Interruption | None,
) -> None:
    proposals = [Proposal(PUSH_MODEL, (EXPLICIT_LE, IMPLICIT_LE))]
    roles = (PUSH_MODEL,) if as_provider else ()
    with open_association(
        modality,
        options,
        proposals,
        local_aet=local_aet,
        timeout=timeout,
        scp_roles=roles,
        interruption=interruption,
    ) as association:
        context = association.context(PUSH_MODEL)
        assert context is not None
        response = association.ask(context, operation, fields, content.encoded(str(context.transfer_syntax[0])))
    if response.status:
        raise OrthancError(
            ErrorCode.NETWORK_PROTOCOL,
            f"Storage commitment - The request cannot be handled by remote AET: {modality.aet}",
        )
