"""C-ECHO, which asks a node whether it is there."""

from __future__ import annotations

from pynetdicom.dimse_primitives import C_ECHO

from orthanc_lab.dimse.association import Proposal, open_association
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, IMPLICIT_LE

__all__ = ["echo"]

_VERIFICATION = "1.2.840.10008.1.1"


def echo(modality: Modality, options: DicomOptions, *, timeout: int | None = None) -> None:
    """Ask a node whether it is there.

    Raises
    ------
    OrthancError
        9 if it is not, or says so.
    """
    proposal = Proposal(_VERIFICATION, [EXPLICIT_LE, IMPLICIT_LE])
    with open_association(modality, options, [proposal], timeout=timeout) as association:
        request = C_ECHO()
        request.MessageID = 1
        request.AffectedSOPClassUID = _VERIFICATION
        context = association.context(_VERIFICATION)
        assert context is not None
        response = association.ask(request, context, "DicomControlUserConnection - C-ECHO")
        if response.Status != 0:
            text = f'C-ECHO SCU to AET "{modality.aet}" has failed with DIMSE status 0x{response.Status:04X}'
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, text)
