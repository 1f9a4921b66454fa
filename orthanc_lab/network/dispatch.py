"""Requests find their handlers, if the client may make them."""

from __future__ import annotations

import logging
from threading import BoundedSemaphore

from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.dimse.message import Message
from orthanc_lab.network.handlers import HANDLERS
from orthanc_lab.network.permissions import Permissions
from orthanc_lab.network.request import Handler, Request
from orthanc_lab.network.services import NetworkServices

__all__ = ["Dispatch"]

_log = logging.getLogger("orthanc_lab.dicom")
_SENDING = (Operation.C_GET, Operation.C_MOVE)  # they last as long as whoever is sent instances likes


class Dispatch:
    """The handlers of an assembled server, and who may use them."""

    def __init__(self, services: NetworkServices) -> None:
        self.services = services
        self.handlers = HANDLERS
        self.permissions = Permissions(services.settings, services.modalities)
        self._turn, self._turn_to_send = (BoundedSemaphore(services.settings["DicomThreadsCount"]) for _ in range(2))
        self._handlers: dict[int, Handler] = {handler.OPERATION: handler(services) for handler in HANDLERS}

    def turn_of(self, message: Message) -> BoundedSemaphore:
        """Return what has to be taken while a request is answered."""
        return self._turn_to_send if message.field in _SENDING else self._turn

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
