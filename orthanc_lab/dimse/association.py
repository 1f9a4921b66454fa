"""An association with another DICOM node, requested by us. It loads pynetdicom, so it is loaded when it is needed."""

from __future__ import annotations

import re
import socket
import ssl
import time
from collections.abc import Collection, Sequence
from types import TracebackType
from typing import NamedTuple

from pydicom.uid import UID
from pynetdicom import AE, build_context, build_role
from pynetdicom._globals import MODE_REQUESTOR
from pynetdicom.pdu_primitives import A_ASSOCIATE, A_RELEASE
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation

from orthanc_lab.dicom.files.data_set import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from orthanc_lab.dimse import failures
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.interruption import Interruption
from orthanc_lab.dimse.message import Message
from orthanc_lab.dimse.modality import Modality
from orthanc_lab.dimse.options import DicomOptions
from orthanc_lab.dimse.tls import scu_context
from orthanc_lab.dimse.upper_layer import QuickAssociation
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

__all__ = ["UNCOMPRESSED", "Proposal", "RequestedAssociation", "open_association"]

UNCOMPRESSED = (EXPLICIT_LE, IMPLICIT_LE, EXPLICIT_BE)
"""The transfer syntaxes that are proposed for messages without pixels."""

_LONGEST_TITLE = 16
_TITLE = re.compile(r"(?!\s*\Z)[ -\[\]-~]+")  # printable, without a backslash, and not blank (PS3.5 section 6.2, AE)
_CONNECTING = "connecting"
_MOMENT = 1.0  # second, after which who waits may do something else
_LONGEST_RELEASE = 10.0  # seconds, also without a time-out: whoever waits has what it wanted


class Proposal(NamedTuple):
    """A presentation context that we propose."""

    sop_class: str
    transfer_syntaxes: Sequence[str] = UNCOMPRESSED


class RequestedAssociation(QuickAssociation):
    """An association that a node has accepted; it is released at the end of a ``with`` block.

    It is used by one thread, and receives nothing unless that thread waits for it.
    """

    def __init__(self, ae: AE, modality: Modality, longest_pdu: int, limit: float | None) -> None:
        super().__init__(ae, MODE_REQUESTOR, longest_pdu=longest_pdu, patience=limit)
        self.modality = modality
        self._message_id = 0
        self._quiet_since: float | None = None  # since when the node is waited for

    def __enter__(self) -> RequestedAssociation:
        return self

    def __exit__(
        self, type: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def context(self, sop_class: str, transfer_syntax: str = "") -> PresentationContext | None:
        """Return an accepted context of a SOP class, in a certain transfer syntax if it is given."""
        for context in self.accepted_contexts:
            if context.abstract_syntax == sop_class and transfer_syntax in ("", context.transfer_syntax[0]):
                return context
        return None

    def send(
        self,
        context: PresentationContext,
        operation: Operation,
        fields: Command,
        data: bytes | memoryview | None = None,
    ) -> int:
        """Send a request; return its message ID.

        Parameters
        ----------
        fields
            Those of the command set that are peculiar to the service.
        data
            The encoded data set.
        """
        assert context.context_id is not None
        self._message_id = self._message_id % 0xFFFF + 1
        command = {Field.COMMAND_FIELD: operation, Field.MESSAGE_ID: self._message_id, **fields}
        self.dimse.send(context.context_id, command, data)
        return self._message_id

    def receive(self, service: str) -> Message:
        """Return the next message; the arguments and errors are those of `receive_some`."""
        while (message := self.receive_some(service)) is None:
            pass
        return message

    def receive_some(self, service: str) -> Message | None:
        """Return the next message; None if it is not there after a moment, and the time-out has not passed yet.

        That counts from when enough of a message came last.

        Parameters
        ----------
        service
            For the error: ``C-ECHO`` …

        Raises
        ------
        OrthancError
            9 if none comes in time, or the association ends.
        """
        now = time.monotonic()
        since = self._quiet_since = self._quiet_since or now
        limit = self.dimse_timeout
        message = self.dimse.receive(_MOMENT if limit is None else max(0.0, min(_MOMENT, since + limit - now)))
        if message is not None or self.dimse.is_arriving:
            self._quiet_since = None
        elif not self.dul.is_open or self._is_ending or (limit is not None and time.monotonic() >= since + limit):
            words = self._why_silent()
            self.abort()
            raise failures.association_error(service, self.modality.aet, words)
        return message

    def ask(
        self,
        context: PresentationContext,
        operation: Operation,
        fields: Command,
        data: bytes | memoryview | None = None,
    ) -> Message:
        """Send a request and return its only response.

        Raises
        ------
        OrthancError
            9 if there is none, or one to something else.
        """
        service = operation.name.replace("_", "-")
        message_id = self.send(context, operation, fields, data)
        response = self.receive(service)
        self.check_response(response, operation, message_id)
        return response

    def check_response(self, response: Message, operation: Operation, message_id: int) -> None:
        """Refuse a message that is not a response to a request.

        Raises
        ------
        OrthancError
            9.
        """
        words = ""
        answered = response.number(Field.MESSAGE_ID_BEING_RESPONDED_TO)
        if response.field != operation.response:
            words = f"DIMSE: Unexpected Response Command Field: 0x{response.field:x}"
        elif answered != message_id:
            words = f"DIMSE: Unexpected Response MsgId: {answered} (expected: {message_id})"
        elif Field.STATUS not in response.command:
            words = "DIMSE: Missing mandatory element: Status"
        if words:
            raise failures.association_error(operation.name.replace("_", "-"), self.modality.aet, words)

    def close(self) -> None:
        """Release the association, and close its connection; nothing happens if it has ended."""
        if self.is_established and not self._is_ending:
            self.acse_timeout = min(self.acse_timeout or _LONGEST_RELEASE, _LONGEST_RELEASE)
            self.acse.negotiate_release()
        self.kill()

    def kill(self) -> None:
        """Close the connection at once: what was sent last is a release, or nobody waits for it."""
        self.is_established = False
        self.dul.finish(0)

    @property
    def _is_ending(self) -> bool:
        return not self.dul.to_user_queue.empty()

    def _why_silent(self) -> str:
        if self.dul.fault:
            return f"DIMSE Failed to receive message (0006:020c DIMSE Read PDV failed; 0006:0321 {self.dul.fault})"
        said = self.dul.peek_next_pdu()
        if said is None:
            return failures.NO_MESSAGE
        return failures.RELEASED if isinstance(said, A_RELEASE) else failures.ABORTED


def open_association(
    modality: Modality,
    options: DicomOptions,
    proposals: Sequence[Proposal],
    *,
    local_aet: str | None = None,
    timeout: int | None = None,
    scp_roles: Collection[str] = (),
    interruption: Interruption | None = None,
) -> RequestedAssociation:
    """Connect to a node and negotiate.

    Parameters
    ----------
    proposals
        At most 128.
    local_aet
        Our title, where the modality names none, if it is to be another one than that of the options.
    timeout
        Seconds, if they are to be others than those of the modality and of the options; 0 for no limit.
    scp_roles
        The SOP classes of which the node may send instances to us (C-GET).
    interruption
        Cuts the connection, also while the association is negotiated.

    Raises
    ------
    OrthancError
        9 if it does not come about, 2015 if the node accepts none of the contexts.
    """
    title = modality.local_aet or (options.aet if local_aet is None else local_aet)
    for side, given in (("Called", modality.aet), ("Calling", title)):
        if not _TITLE.fullmatch(given):
            raise failures.association_error(_CONNECTING, modality.aet, failures.illegal_title(side))
    seconds = (modality.timeout or options.scu_timeout) if timeout is None else timeout
    limit = float(seconds) if seconds else None
    ae = AE(title[:_LONGEST_TITLE])
    ae.acse_timeout = ae.connection_timeout = ae.dimse_timeout = ae.network_timeout = limit
    association = RequestedAssociation(ae, modality, options.maximum_pdu_length, limit)
    tls = scu_context(options.tls) if modality.use_tls else None
    connection = _dial(modality, limit, tls, interruption or Interruption())
    try:
        _propose(association, connection, options, proposals, scp_roles)
        association.attach(connection)
        association.request()
        _leave_out_unsound(association, proposals)
    except BaseException:
        connection.close()
        raise
    _check(association)
    return association


def _dial(
    modality: Modality, limit: float | None, tls: ssl.SSLContext | None, interruption: Interruption
) -> socket.socket:
    try:
        connection = socket.create_connection((modality.host, modality.port), limit)
    except (OSError, UnicodeError) as error:
        words = failures.connection_words(error, modality.host)
        raise failures.association_error(_CONNECTING, modality.aet, words) from error
    try:
        if tls is not None:
            connection = tls.wrap_socket(connection, do_handshake_on_connect=False)
        interruption.watch(connection)
        if isinstance(connection, ssl.SSLSocket):
            connection.do_handshake()
        return connection
    except OSError as error:
        connection.close()
        raise failures.association_error(_CONNECTING, modality.aet, failures.tls_words(error)) from error


def _propose(
    association: RequestedAssociation,
    connection: socket.socket,
    options: DicomOptions,
    proposals: Sequence[Proposal],
    scp_roles: Collection[str],
) -> None:
    requestor, acceptor = association.requestor, association.acceptor
    requestor.address_info = AddressInformation.from_tuple(connection.getsockname())
    acceptor.address_info = AddressInformation.from_tuple(connection.getpeername())
    requestor.ae_title = association.ae.ae_title
    acceptor.ae_title = association.modality.aet[:_LONGEST_TITLE]
    requestor.maximum_length = options.maximum_pdu_length
    requestor.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
    requestor.implementation_version_name = IMPLEMENTATION_VERSION_NAME
    for sop_class in scp_roles:
        requestor.add_negotiation_item(build_role(sop_class, scu_role=False, scp_role=True))
    contexts = [build_context(sop_class, list(syntaxes)) for sop_class, syntaxes in proposals]
    for number, context in enumerate(contexts):
        context.context_id = 2 * number + 1
    requestor.requested_contexts = contexts


def _leave_out_unsound(association: RequestedAssociation, proposals: Sequence[Proposal]) -> None:
    """Take no context that was accepted without a transfer syntax, or with one that was not proposed."""
    accepted = association._accepted_cx
    for id, context in tuple(accepted.items()):
        syntaxes = context.transfer_syntax
        if not syntaxes or str(syntaxes[0]) not in proposals[id // 2].transfer_syntaxes:
            association._rejected_cx.append(accepted.pop(id))
    if not accepted and association.is_established:
        association.close()


def _check(association: RequestedAssociation) -> None:
    """Raise if an association was not accepted."""
    if association.is_established:
        return
    aet = association.modality.aet
    answer = association.acceptor.primitive
    timed_out = association._sent_abort
    association.kill()
    if isinstance(answer, A_ASSOCIATE) and answer.result == 0:
        text = f'Unable to negotiate a presentation context with AET "{aet}"'
        raise OrthancError(ErrorCode.NO_PRESENTATION_CONTEXT, text)
    if association.dul.fault:
        words = association.dul.fault
    elif association.is_rejected:
        words = failures.REJECTED
    else:
        words = failures.NO_ANSWER if timed_out else failures.ABORTED
    raise failures.association_error(_CONNECTING, aet, words)
