"""What a `DicomNode` records: associations, messages, and the instances it was sent."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from io import BytesIO
from typing import TYPE_CHECKING, Literal, overload

from orthanc_lab.testing.dicom_diagram import svg

if TYPE_CHECKING:
    from pydicom import Dataset

__all__ = ["AssociationEnd", "AssociationRecord", "Message", "MessageLog", "ReceivedInstance"]

AssociationEnd = Literal["open", "rejected", "released", "aborted", "lost"]


@dataclass(frozen=True, slots=True)
class AssociationRecord:
    """One association, or one attempt at it."""

    number: int  # from 1, in order of arrival
    calling_aet: str
    called_aet: str
    host: str  # address of the caller
    proposed: tuple[tuple[str, tuple[str, ...]], ...]  # abstract syntaxes with their transfer syntaxes
    accepted: tuple[tuple[str, str], ...]  # abstract syntaxes with the transfer syntax that was agreed
    end: AssociationEnd  # "lost": the connection was closed without a word


@dataclass(frozen=True, slots=True)
class Message:
    """One message of an association: an A-ASSOCIATE, A-RELEASE or A-ABORT, or a DIMSE command with its data set."""

    association: int  # number of the association
    is_received: bool  # by the node; False if it sent it
    name: str  # "A-ASSOCIATE-RQ", "C-STORE-RQ", "C-STORE-RSP" …
    message_id: int | None = None  # of a request, or the request that is responded to
    status: int | None = None  # of a response
    size: int = 0  # bytes of the data set
    dataset: Dataset | None = None  # the data set of a query, a retrieval or an answer; None for instances
    words: str = ""  # what else there is to say: the reason of a rejection, the SOP instance …

    @property
    def category(self) -> str:
        """What the status means: ``Success``, ``Pending``, ``Warning``, ``Failure``, ``Cancel``; "" for requests."""
        if self.status is None:
            return ""
        from pynetdicom.status import code_to_category  # noqa: PLC0415 - slow to import

        return code_to_category(self.status)

    def __str__(self) -> str:
        status = "" if self.status is None else f"{self.status:04X} {self.category}"
        return " ".join(part for part in (self.name, status, self.words) if part)


@dataclass(frozen=True)
class ReceivedInstance:
    """An instance that a C-STORE brought, with every byte of its data set as it came."""

    association: int  # number of the association
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    move_originator: tuple[str, int] | None  # AE title and message ID of the C-MOVE that it belongs to
    file: bytes = field(repr=False)  # as a DICOM file: the data set behind a new header

    @cached_property
    def dataset(self) -> Dataset:
        """The data set."""
        import pydicom  # noqa: PLC0415 - slow to import

        return pydicom.dcmread(BytesIO(self.file))


class MessageLog(Sequence[Message]):
    """The messages of a node, in order; a notebook shows them as a sequence diagram.

    Examples
    --------
    >>> log = MessageLog([Message(1, True, "C-ECHO-RQ"), Message(2, True, "C-STORE-RQ")], "SCU", "NODE")
    >>> log.of(2)
    <1 message: C-STORE-RQ>
    """

    def __init__(self, messages: Sequence[Message], caller: str, node: str) -> None:
        self._messages = tuple(messages)
        self._caller = caller
        self._node = node

    def of(self, association: int) -> MessageLog:
        """Return the messages of one association."""
        chosen = [message for message in self._messages if message.association == association]
        return MessageLog(chosen, self._caller, self._node)

    @property
    def names(self) -> list[str]:
        """The names alone: ``["A-ASSOCIATE-RQ", "A-ASSOCIATE-AC", …]``."""
        return [message.name for message in self._messages]

    @overload
    def __getitem__(self, index: int) -> Message: ...

    @overload
    def __getitem__(self, index: slice) -> MessageLog: ...

    def __getitem__(self, index: int | slice) -> Message | MessageLog:
        if isinstance(index, slice):
            return MessageLog(self._messages[index], self._caller, self._node)
        return self._messages[index]

    def __len__(self) -> int:
        return len(self._messages)

    def __iter__(self) -> Iterator[Message]:
        return iter(self._messages)

    def __repr__(self) -> str:
        noun = "message" if len(self) == 1 else "messages"
        return f"<{len(self)} {noun}: {', '.join(map(str, self._messages))}>"

    def _repr_svg_(self) -> str:
        arrows = [(str(message), message.is_received) for message in self._messages]
        return svg(arrows, self._caller, self._node)
