"""A DICOM client that sends bytes as they are, and writes down every response: the same one for both servers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from orthanc_lab.dimse.association import Proposal, RequestedAssociation, open_association
from orthanc_lab.dimse.command_set import Field, Operation, Value
from orthanc_lab.dimse.message import Message, fragments
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from tests.network.identifiers import elements

__all__ = ["COMMITMENT", "FIND", "GET", "MOVE", "Wire"]

FIND, MOVE, GET = (
    {"patient": f"1.2.840.10008.5.1.4.1.2.1.{number}", "study": f"1.2.840.10008.5.1.4.1.2.2.{number}"}
    for number in (1, 2, 3)
)
COMMITMENT = "1.2.840.10008.1.20.1"
_PENDING = 0xFF00
_CANCELLED = 77  # message ID
_NOT_SHOWN = {
    Field.MESSAGE_ID,
    Field.MESSAGE_ID_BEING_RESPONDED_TO,
    Field.COMMAND_DATA_SET_TYPE,
    Field.AFFECTED_SOP_CLASS_UID,
}

Stored = Callable[[int], int]
"""Returns the status for the n-th instance that is sent to us."""


class Wire:
    """One association; every answer becomes lines of text."""

    def __init__(self, association: RequestedAssociation) -> None:
        self.association = association

    @classmethod
    @contextmanager
    def open(
        cls,
        port: int,
        *proposals: Proposal,
        aet: str = "PROBE",
        called: str = "ORTHANC",
        scp_roles: Sequence[str] = (),
    ) -> Iterator[Wire]:
        """Request an association."""
        modality, options = Modality(called, "127.0.0.1", port), DicomOptions(aet=aet)
        with open_association(modality, options, proposals, scp_roles=scp_roles) as association:
            yield cls(association)

    def ask(
        self,
        operation: Operation,
        sop_class: str,
        data: bytes,
        fields: Mapping[Field, Value] | None = None,
        *,
        status: Stored = lambda number: 0,
        cancelled: bool = False,
    ) -> list[str]:
        """Send a request; return all that comes until its final response.

        Parameters
        ----------
        status
            Of our responses to instances.
        cancelled
            Send a C-CANCEL with it.
        """
        context = self.association.context(sop_class)
        assert context is not None
        assert context.context_id is not None
        usual = {Field.AFFECTED_SOP_CLASS_UID: sop_class, Field.PRIORITY: 0}
        if cancelled:
            self._send_cancelled(context.context_id, {Field.COMMAND_FIELD: operation, **usual}, data)
        else:
            self.association.send(context, operation, usual | dict(fields or {}), data)
        lines: list[str] = []
        received = 0
        while True:
            try:
                message = self.association.receive(operation.name)
            except OrthancError:
                return [*lines, "the association has ended"]
            lines += _shown(message, str(context.transfer_syntax[0]))
            if message.field == Operation.C_STORE:
                received += 1
                self._respond(message, status(received))
            elif message.status != _PENDING:
                return lines

    def _send_cancelled(self, context: int, command: Mapping[Field, Value], data: bytes) -> None:
        """Send a request and its C-CANCEL at once, so that nothing comes between them."""
        cancel = {Field.COMMAND_FIELD: Operation.C_CANCEL, Field.MESSAGE_ID_BEING_RESPONDED_TO: _CANCELLED}
        request = fragments(context, {**command, Field.MESSAGE_ID: _CANCELLED}, data)
        self.association.dul.send_message([*request, *fragments(context, cancel)])

    def _respond(self, stored: Message, status: int) -> None:
        command: dict[Field, Value] = {
            Field.COMMAND_FIELD: Operation.C_STORE.response,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: stored.message_id,
            Field.STATUS: status,
            Field.AFFECTED_SOP_CLASS_UID: stored.text(Field.AFFECTED_SOP_CLASS_UID),
            Field.AFFECTED_SOP_INSTANCE_UID: stored.text(Field.AFFECTED_SOP_INSTANCE_UID),
        }
        self.association.dimse.send(stored.context_id, command)


def _shown(message: Message, transfer_syntax: str) -> list[str]:
    fields = [
        f"{field.name}={value:04X}" if field is Field.STATUS else f"{field.name}={value}"
        for field, value in sorted(message.command.items())
        if field not in _NOT_SHOWN
    ]
    line = " ".join(fields)
    if message.field == Operation.C_STORE:
        return [f"{line} {len(message.data)} bytes"]
    data = bytes(message.data)
    return [line, *(elements(data) if transfer_syntax == IMPLICIT_LE else [data.hex()] if data else [])]
