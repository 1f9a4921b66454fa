"""A request of a DICOM client, and what answers it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.message import Message
from orthanc_lab.network.turns import Turn

if TYPE_CHECKING:  # pynetdicom is loaded with the first association
    from orthanc_lab.dimse.upper_layer import QuickAssociation
    from orthanc_lab.network.services import NetworkServices

__all__ = ["Handler", "Peer", "Request", "Status"]


class Status:
    """Statuses of responses (PS3.4 and PS3.7 annex C)."""

    SUCCESS = 0x0000
    PENDING = 0xFF00
    CANCELLED = 0xFE00
    OUT_OF_RESOURCES = 0xA700
    UNABLE_TO_PERFORM_SUBOPERATIONS = 0xA702
    DATA_SET_DOES_NOT_MATCH = 0xA900
    SUBOPERATIONS_FAILED = 0xB000  # or ended with a warning
    UNABLE_TO_PROCESS = 0xC000


@dataclass(frozen=True, slots=True)
class Peer:
    """Who has requested an association."""

    aet: str  # the calling title
    called_aet: str
    host: str  # its IP address


@dataclass(frozen=True, slots=True)
class Request:
    """A request that came over an association."""

    message: Message
    sop_class: str  # of its presentation context
    transfer_syntax: str  # of its data set
    peer: Peer
    association: QuickAssociation  # for sub-operations
    turn: Turn  # that is taken for it

    def respond(self, status: int, data: bytes | None = None, fields: Command | None = None) -> None:
        """Send a response.

        Parameters
        ----------
        data
            The encoded data set of the response.
        fields
            Further elements of its command set.
        """
        self.respond_all(status, (data,), fields)

    def respond_all(self, status: int, data: Sequence[bytes | None], fields: Command | None = None) -> None:
        """Send several responses, which differ by their data sets alone."""
        command: dict[Field, Any] = {
            Field.COMMAND_FIELD: 0x8000 | self.message.field,
            Field.MESSAGE_ID_BEING_RESPONDED_TO: self.message.message_id,
            Field.STATUS: status,
        }
        sop_class = self.message.text(Field.AFFECTED_SOP_CLASS_UID) or self.message.text(Field.REQUESTED_SOP_CLASS_UID)
        if sop_class:
            command[Field.AFFECTED_SOP_CLASS_UID] = sop_class
        with self.turn.released():
            self.association.dimse.send_all(self.message.context_id, {**command, **(fields or {})}, data)

    def is_cancelled(self) -> bool:
        """Whether the client has cancelled the request."""
        return self.association.dimse.is_cancelled(self.message.message_id)


class Handler(Protocol):
    """Answers the requests of one operation; there is one for all associations."""

    OPERATION: Operation
    SOP_CLASSES: frozenset[str]
    """The abstract syntaxes of its presentation contexts; empty for those of storage, which are configured."""

    PERMISSION: str
    """Who may ask for it: the end of ``DicomAlwaysAllow…`` and of ``Allow…`` of a modality; empty for nobody else."""

    def __init__(self, services: NetworkServices) -> None: ...

    def handle(self, request: Request) -> None:
        """Answer a request, with one or more responses."""
        ...
