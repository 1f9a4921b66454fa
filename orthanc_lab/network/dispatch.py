"""Requests find their handlers, if the client may make them."""

from __future__ import annotations

import logging

from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.dimse.message import Message
from orthanc_lab.network.handlers import HANDLERS
from orthanc_lab.network.permissions import Permissions
from orthanc_lab.network.request import Handler, Request
from orthanc_lab.network.services import NetworkServices
from orthanc_lab.network.turns import Client, Turn, Turns

__all__ = ["Dispatch"]

_log = logging.getLogger("orthanc_lab.dicom")
_SENDING = (Operation.C_GET, Operation.C_MOVE)  # they last as long as whoever is sent instances likes


class Dispatch:
    """The handlers of an assembled server, and who may use them."""

    def __init__(self, services: NetworkServices) -> None:
        self.services = services
        self.handlers = HANDLERS
        self.permissions = Permissions(services.settings, services.modalities)
        most = services.settings["DicomThreadsCount"]
        self._turns = Turns(most)
        self._turns_to_send = {operation: Turns(most) for operation in _SENDING}
        self._handlers: dict[int, Handler] = {handler.OPERATION: handler(services) for handler in HANDLERS}

    def turn_of(self, message: Message, client: Client) -> Turn:
        """Return what has to be taken while a request of a client is answered."""
        turns = self._turns_to_send[Operation(message.field)] if message.field in _SENDING else self._turns
        return Turn(turns, client)

    def answer(self, request: Request) -> bool:
        """Answer a request; False if it is refused."""
        handler = self._handlers.get(request.message.field)
        if handler is None:
            _log.warning("%s asked for the unknown operation 0x%04x", request.peer.aet, request.message.field)
            return False
        if not self.permissions.may(request.peer, handler.PERMISSION):
            return False
        with request.turn:
            handler.handle(request)
        return True
