"""C-ECHO, which asks a node whether it is there."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.tags import (
    ACCESSION_NUMBER,
    PATIENT_ID,
    QUERY_RETRIEVE_LEVEL,
    SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID,
)
from orthanc_lab.dicom.files.data_set import Element, encode, padded
from orthanc_lab.dimse import failures
from orthanc_lab.dimse.association import Proposal, RequestedAssociation, open_association
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.query_models import FIND_MODELS, WORKLIST_FIND
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import SystemIdentifiers

__all__ = ["EchoRefused", "echo"]

_VERIFICATION = "1.2.840.10008.1.1"
_FIND = (*FIND_MODELS, WORKLIST_FIND)
_FIND_STUDY_ROOT = _FIND[1]
_NO_FIND = 2016
_PENDING = (0xFF00, 0xFF01)
_MOST_ANSWERS = 100


class EchoRefused(Exception):
    """The node has answered with a status of failure."""


def echo(modality: Modality, options: DicomOptions, *, timeout: int | None = None, check_find: bool = False) -> None:
    """Ask a node whether it is there.

    Parameters
    ----------
    check_find
        Ask also whether it answers C-FIND.

    Raises
    ------
    EchoRefused
        If it says that it is not.
    OrthancError
        9 or 2015 if it does not answer, 2016 if it knows no C-FIND.
    """
    proposals = [Proposal(uid) for uid in (_VERIFICATION, *(_FIND if check_find else ()))]
    with open_association(modality, options, proposals, timeout=timeout) as association:
        context = association.context(_VERIFICATION)
        if context is None:
            raise failures.association_error("C-ECHO", modality.aet, failures.no_context(_VERIFICATION))
        response = association.ask(context, Operation.C_ECHO, {Field.AFFECTED_SOP_CLASS_UID: _VERIFICATION})
        if response.status != 0:
            raise EchoRefused
        if check_find:
            _check_find(association)


def _check_find(association: RequestedAssociation) -> None:
    """Ask for a study that nobody has."""
    aet = association.modality.aet
    context = association.context(_FIND_STUDY_ROOT)
    if context is None:
        raise OrthancError(_NO_FIND, f"Remote AET is {aet}")
    query = {
        SPECIFIC_CHARACTER_SET: Element("CS", b"ISO_IR 100"),
        ACCESSION_NUMBER: Element("SH", b""),
        QUERY_RETRIEVE_LEVEL: Element("CS", b"STUDY "),
        PATIENT_ID: Element("LO", b""),
        STUDY_INSTANCE_UID: Element("UI", padded(SystemIdentifiers().uid().encode("ascii"))),
    }
    fields: Command = {Field.AFFECTED_SOP_CLASS_UID: _FIND_STUDY_ROOT, Field.PRIORITY: 0}
    identifier = b"".join(encode(query, context.transfer_syntax[0]))
    message_id = association.send(context, Operation.C_FIND, fields, identifier)
    for _ in range(_MOST_ANSWERS):
        response = association.receive("C-FIND")
        association.check_response(response, Operation.C_FIND, message_id)
        if response.status == 0:
            return
        if response.status not in _PENDING:
            raise failures.status_error("C-FIND", aet, response.status)
