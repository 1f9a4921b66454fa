"""Instances that are sent over the association of a C-GET, in a presentation context that the client has proposed."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.dimse.command_set import Field, Operation, Value
from orthanc_lab.dimse.sent_file import SentFile, read_sent_file
from orthanc_lab.network.request import Request
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

if TYPE_CHECKING:
    from pynetdicom.presentation import PresentationContext

__all__ = ["ReturnChannel", "is_warning"]

_COERCED = 0x0111
_PREFERRED = (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)


class ReturnChannel:
    """Sends instances to the client of a C-GET."""

    def __init__(self, request: Request, services: NetworkServices) -> None:
        self.aet = request.peer.aet
        self._turn = request.turn
        self._association = request.association
        self._transcode = services.job_tools.transcode
        self._transcodes = services.settings["TranscodeDicomProtocol"]
        self._timeout: float | None = services.settings["DicomScpTimeout"] or None
        self._contexts: dict[str, dict[str, PresentationContext]] = {}  # by SOP class and transfer syntax
        for context in request.association.accepted_contexts:
            known = self._contexts.setdefault(str(context.abstract_syntax), {})
            known.setdefault(str(context.transfer_syntax[0]), context)
        self._message_id = 0

    def send(self, file: SentFile) -> int:
        """Send a file; return the status with which the client responds.

        Raises
        ------
        OrthancError
            9 without a presentation context, or if the client does not respond; 2 if the file cannot be transcoded.
        """
        file, context = self._acceptable(file)
        assert context.context_id is not None
        self._message_id = self._message_id % 0xFFFF + 1
        command: dict[Field, Value] = {
            Field.COMMAND_FIELD: Operation.C_STORE,
            Field.MESSAGE_ID: self._message_id,
            Field.AFFECTED_SOP_CLASS_UID: file.sop_class,
            Field.AFFECTED_SOP_INSTANCE_UID: file.sop_instance,
            Field.PRIORITY: 0,
        }
        dimse = self._association.dimse
        dimse.send(context.context_id, command, file.data)
        with self._turn.released():
            response = dimse.receive(self._timeout)
        if (
            response is None
            or response.field != Operation.C_STORE.response
            or response.number(Field.MESSAGE_ID_BEING_RESPONDED_TO) != self._message_id
            or Field.STATUS not in response.command
        ):
            self._association.abort()
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, "The client of a C-GET did not respond to a C-STORE")
        return response.status

    def _acceptable(self, file: SentFile) -> tuple[SentFile, PresentationContext]:
        """Return the file in a transfer syntax that was accepted, with the context."""
        contexts = self._contexts.get(file.sop_class)
        if not contexts:
            details = f"C-GET SCP: storeSCU: No presentation context for: {file.sop_class}"
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)
        if file.transfer_syntax in contexts:
            return file, contexts[file.transfer_syntax]
        syntaxes = [syntax for syntax in _PREFERRED if syntax in contexts]
        syntaxes += [syntax for syntax in contexts if syntax not in _PREFERRED]
        for syntax in syntaxes if self._transcodes else ():
            made = self._transcode(file.dicom, syntax)
            if made is not None:
                return read_sent_file(made), contexts[syntax]
        details = f"C-GET SCP: Cannot transcode {file.sop_class} from transfer syntax {file.transfer_syntax}"
        raise OrthancError(ErrorCode.NOT_IMPLEMENTED, f"{details} to {', '.join(syntaxes)}")


def is_warning(status: int) -> bool:
    """Whether an instance has arrived with a warning (PS3.7 annex C)."""
    return status >> 12 == 0xB or status in (0x0001, 0x0107, 0x0111, 0x0116)
