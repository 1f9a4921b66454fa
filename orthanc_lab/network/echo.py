"""C-ECHO."""

from __future__ import annotations

from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.network.request import Request, Status
from orthanc_lab.network.services import NetworkServices

__all__ = ["Echo"]


class Echo:
    """Answers that the server is there."""

    OPERATION = Operation.C_ECHO
    SOP_CLASSES = frozenset({"1.2.840.10008.1.1"})
    PERMISSION = "Echo"

    def __init__(self, services: NetworkServices) -> None:
        pass

    def handle(self, request: Request) -> None:
        """Answer with success."""
        request.respond(Status.SUCCESS)
