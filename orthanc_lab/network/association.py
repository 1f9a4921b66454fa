"""One association with a DICOM client, from the connection to its end; it loads pynetdicom."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from pydicom.uid import UID
from pynetdicom import AE, build_role
from pynetdicom._globals import MODE_ACCEPTOR
from pynetdicom.pdu_primitives import A_ASSOCIATE
from pynetdicom.presentation import PresentationContext
from pynetdicom.transport import AddressInformation

from orthanc_lab.dicom.files.data_set import IMPLEMENTATION_CLASS_UID, IMPLEMENTATION_VERSION_NAME
from orthanc_lab.dimse.message import Message
from orthanc_lab.dimse.upper_layer import QuickAssociation
from orthanc_lab.network.acceptance import Acceptance, Answered, Proposed, Result
from orthanc_lab.network.request import Peer, Request

if TYPE_CHECKING:
    from orthanc_lab.network.dispatch import Dispatch

__all__ = ["IncomingAssociation"]

_log = logging.getLogger("orthanc_lab.dicom")
_APPLICATION_CONTEXT = "1.2.840.10008.3.1.1.1"
_APPLICATION_CONTEXT_REFUSED = (1, 1, 2)  # permanently, by the user: application context name not supported
_CALLING_AET_REFUSED = (1, 1, 3)  # permanently, by the user: calling AE title not recognized
_CALLED_AET_REFUSED = (1, 1, 7)  # permanently, by the user: called AE title not recognized


class IncomingAssociation:
    """An association that a client requests.

    Parameters
    ----------
    dispatch
        Returns what answers the requests; it changes when the server is given another assembly.
    """

    def __init__(
        self,
        connected: socket.socket,
        address: tuple[str, int],
        dispatch: Callable[[], Dispatch],
    ) -> None:
        self._dispatch = dispatch
        self._is_busy = self._is_ending = False
        self.silent_since: float | None = time.monotonic()
        """Since when the client is waited for; None while a request is answered."""
        settings = dispatch().services.settings
        self._timeout: float | None = settings["DicomScpTimeout"] or None
        ae = AE(settings["DicomAet"])
        ae.acse_timeout = ae.dimse_timeout = ae.network_timeout = self._timeout
        longest = settings["MaximumPduLength"]
        self._association = QuickAssociation(ae, MODE_ACCEPTOR, longest_pdu=longest, patience=self._timeout)
        self._address = address
        acceptor = self._association.acceptor
        acceptor.maximum_length = longest
        acceptor.ae_title = ae.ae_title
        acceptor.implementation_class_uid = UID(IMPLEMENTATION_CLASS_UID)
        acceptor.implementation_version_name = IMPLEMENTATION_VERSION_NAME
        acceptor.address_info = AddressInformation(*connected.getsockname()[:2])
        self._association.requestor.address_info = AddressInformation(*address)
        self._association.attach(connected)

    def serve(self) -> None:
        """Negotiate, and answer requests until the client, or a time-out, ends the association."""
        try:
            requested = self._association.dul.receive_pdu(wait=True, timeout=self._timeout)
            if isinstance(requested, A_ASSOCIATE):
                peer = Peer(requested.calling_ae_title, requested.called_ae_title, self._address[0])
                if self._negotiate(requested, peer):
                    self._answer_requests(peer)
            elif requested is None and not self._association.dul.fault:
                _log.warning("%s connected, and requested no association in time", self._address[0])
        finally:
            self._association.dul.finish()

    def _negotiate(self, requested: A_ASSOCIATE, peer: Peer) -> bool:
        association = self._association
        association.requestor.primitive = requested
        dispatch = self._dispatch()
        if requested.application_context_name != _APPLICATION_CONTEXT:
            _log.warning("AET %s on IP %s requests an unknown application context", peer.aet, peer.host)
            association.acse.send_reject(*_APPLICATION_CONTEXT_REFUSED)
            return False
        if not dispatch.permissions.is_called(peer.called_aet):
            _log.warning("AET %s on IP %s calls another title: %s", peer.aet, peer.host, peer.called_aet)
            association.acse.send_reject(*_CALLED_AET_REFUSED)
            return False
        if not dispatch.permissions.may_connect(peer):
            _log.warning("An unknown AET %s on IP %s is refused", peer.aet, peer.host)
            association.acse.send_reject(*_CALLING_AET_REFUSED)
            return False
        acceptance = Acceptance(dispatch.services.settings, dispatch.handlers)
        answered = acceptance.answer(
            Proposed(context.context_id or 0, str(context.abstract_syntax), [str(s) for s in context.transfer_syntax])
            for context in requested.presentation_context_definition_list
        )
        self._agree(answered)
        association.acse.send_accept()
        association.is_established = True
        _log.info("Association with %s at %s, %d contexts", peer.aet, peer.host, len(association._accepted_cx))
        return True

    def _agree(self, answered: list[Answered]) -> None:
        association = self._association
        roles = association.requestor.role_selection
        changed: set[UID] = set()
        for answer in answered:
            context = PresentationContext()
            context.context_id, context.abstract_syntax = answer.id, UID(answer.sop_class)
            context.transfer_syntax = [UID(answer.transfer_syntax)]
            context.result = answer.result
            if answer.result != Result.ACCEPTED:
                association._rejected_cx.append(context)
                continue
            role = roles.get(context.abstract_syntax) if answer.roles_may_change else None
            context._as_scp = role is None or bool(role.scu_role)
            context._as_scu = role is not None and bool(role.scp_role)
            association._accepted_cx[answer.id] = context
            if role is not None:
                changed.add(context.abstract_syntax)
        for sop_class in changed:
            role = roles[sop_class]
            association.acceptor.add_negotiation_item(
                build_role(sop_class, scu_role=bool(role.scu_role), scp_role=bool(role.scp_role))
            )

    def _answer_requests(self, peer: Peer) -> None:
        association = self._association
        while True:
            message = association.dimse.receive(self._timeout)
            if message is not None:
                if not self._answer(message, peer):
                    association.abort()
                    return
                association.dimse.forget_cancelled(message.message_id)
            elif association.dimse.is_arriving:
                continue
            elif association.acse.is_release_requested():
                association.acse.send_release(is_response=True)
                association.is_released = True
                return
            elif association.acse.is_aborted():
                _log.info("%s aborted the association, or its connection was lost", peer.aet)
                return
            else:
                _log.warning("%s was silent for too long: the association is aborted", peer.aet)
                association.abort()
                return

    def _answer(self, message: Message, peer: Peer) -> bool:
        """Answer a request; False if it is refused."""
        context = self._association._accepted_cx.get(message.context_id)
        if context is None:
            _log.warning("%s used a presentation context that was not accepted", peer.aet)
            return False
        dispatch = self._dispatch()
        sop_class, syntax = str(context.abstract_syntax), str(context.transfer_syntax[0])
        request = Request(message, sop_class, syntax, peer, self._association, dispatch.turn_of(message, self))
        self._is_busy, self.silent_since = True, None
        try:
            return dispatch.answer(request) and not self._is_ending
        finally:
            self._is_busy, self.silent_since = False, time.monotonic()

    @property
    def sending_since(self) -> float | None:
        """Since when the client should take the next part of what it is sent; None if it is sent nothing."""
        return self._association.dul.sending_since

    def end(self) -> None:
        """Answer the request in progress and no other; from another thread."""
        self._is_ending = True
        if not self._is_busy:
            self.cut()

    def cut(self) -> None:
        """End the connection at once; from another thread."""
        connection = self._association.dul.socket
        sock = None if connection is None else connection.socket
        if sock is not None:
            with suppress(OSError):  # not the method of a TLS socket, which would let the other thread read in clear
                socket.socket.shutdown(sock, socket.SHUT_RDWR)
