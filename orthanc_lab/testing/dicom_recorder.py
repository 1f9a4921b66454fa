"""Listens to the events of a `DicomNode`: records associations and messages, and breaks off where a fault says so."""

from __future__ import annotations

import socket
import threading
from dataclasses import dataclass, field, replace
from io import BytesIO
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from pydicom import Dataset
from pynetdicom import evt
from pynetdicom.dsutils import decode
from pynetdicom.events import Event, EventHandlerType
from pynetdicom.pdu import (
    A_ABORT_RQ,
    A_ASSOCIATE_AC,
    A_ASSOCIATE_RJ,
    A_ASSOCIATE_RQ,
    A_RELEASE_RP,
    A_RELEASE_RQ,
    P_DATA_TF,
)

from orthanc_lab.testing.dicom_connections import prepare_connection
from orthanc_lab.testing.dicom_faults import Fault, Faults
from orthanc_lab.testing.dicom_records import AssociationRecord, Message

if TYPE_CHECKING:
    from pynetdicom.association import Association

__all__ = ["Recorder", "cut"]

_NAMES: dict[type, str] = {
    A_ASSOCIATE_RQ: "A-ASSOCIATE-RQ",
    A_ASSOCIATE_AC: "A-ASSOCIATE-AC",
    A_ASSOCIATE_RJ: "A-ASSOCIATE-RJ",
    A_RELEASE_RQ: "A-RELEASE-RQ",
    A_RELEASE_RP: "A-RELEASE-RP",
    A_ABORT_RQ: "A-ABORT",
}
_COMMANDS = {
    0x0001: "C-STORE",
    0x0010: "C-GET",
    0x0020: "C-FIND",
    0x0021: "C-MOVE",
    0x0030: "C-ECHO",
    0x0130: "N-ACTION",
}
_RESPONSE = 0x8000
_PENDING = (0xFF00, 0xFF01)
_IS_COMMAND, _IS_LAST = 1, 2  # bits of a message control header


@dataclass
class _State:
    """One association while it is open."""

    record: AssociationRecord
    abstract_syntaxes: dict[int | None, str]  # by the number of their context
    command: bytearray = field(default_factory=bytearray)  # fragments of the command that is arriving
    service: str = ""  # of the message that is arriving
    faults: tuple[Fault, ...] = ()  # that hit the latest message
    status: int | None = None  # to put in place of the one that is about to be sent
    ends_with: Fault | None = None  # after the response that is about to be sent


class Recorder:
    """Records what happens on all associations of a node.

    Parameters
    ----------
    faults
        Asked for each message that begins to arrive.
    """

    def __init__(self, faults: Faults) -> None:
        self._faults = faults
        self._lock = threading.Condition()
        self._states: WeakKeyDictionary[Association, _State] = WeakKeyDictionary()
        self._records: list[AssociationRecord] = []
        self._messages: list[Message] = []
        self.handlers: list[EventHandlerType] = [
            (evt.EVT_PDU_RECV, self._receive_pdu),
            (evt.EVT_PDU_SENT, self._send_pdu),
            (evt.EVT_DIMSE_RECV, self._receive_message),
            (evt.EVT_DIMSE_SENT, self._send_message),
            (evt.EVT_CONN_OPEN, prepare_connection),
            (evt.EVT_CONN_CLOSE, self._close),
        ]

    @property
    def associations(self) -> list[AssociationRecord]:
        """All associations so far, in order of arrival."""
        with self._lock:
            return list(self._records)

    @property
    def messages(self) -> list[Message]:
        """All messages so far."""
        with self._lock:
            return list(self._messages)

    def clear(self) -> None:
        """Forget the messages, and the associations that have ended."""
        with self._lock:
            self._messages.clear()
            self._records = [record for record in self._records if record.end == "open"]

    def wait_until_idle(self, seconds: float) -> bool:
        """Wait until no association is open; return whether that has come true in time."""
        with self._lock:
            return self._lock.wait_for(lambda: all(record.end != "open" for record in self._records), seconds)

    def number(self, association: Association) -> int:
        """Return the number of an association."""
        return self._states[association].record.number

    def faults_of(self, association: Association) -> tuple[Fault, ...]:
        """Return the faults that hit the latest message of an association."""
        return self._states[association].faults

    def replace_status(self, association: Association, status: int) -> None:
        """Send this status in place of the next one."""
        self._states[association].status = status

    def end_after_response(self, association: Association, fault: Fault) -> None:
        """Break off as soon as the next response has been sent."""
        self._states[association].ends_with = fault

    # -- PDUs: in the order of the wire, on one thread an association ---------------------------------

    def _receive_pdu(self, event: Event) -> None:
        if isinstance(event.pdu, A_ASSOCIATE_RQ):
            self._begin(event.assoc, event.pdu)
        state = self._states.get(event.assoc)
        if state is None:
            return  # something else than a request came first
        if isinstance(event.pdu, P_DATA_TF):
            for item in event.pdu.presentation_data_value_items:
                self._receive_fragment(event.assoc, state, item.presentation_data_value or b"\0")
            return
        self._note(state, event.pdu, is_received=True)

    def _begin(self, association: Association, request: A_ASSOCIATE_RQ) -> None:
        proposed = tuple(
            (str(context.abstract_syntax), tuple(str(syntax) for syntax in context.transfer_syntax))
            for context in request.presentation_context
        )
        with self._lock:
            number = self._records[-1].number + 1 if self._records else 1
            callers = request.calling_ae_title.strip(), request.called_ae_title.strip()
            record = AssociationRecord(number, *callers, association.requestor.address, proposed, (), "open")
            self._records.append(record)
            names = {context.context_id: str(context.abstract_syntax) for context in request.presentation_context}
            self._states[association] = _State(record, names)

    def _note(self, state: _State, pdu: Any, *, is_received: bool) -> None:
        name = _NAMES[type(pdu)]
        words, end = "", None
        if isinstance(pdu, A_ASSOCIATE_RQ):
            words = f"{state.record.calling_aet} → {state.record.called_aet}"
        elif isinstance(pdu, A_ASSOCIATE_AC):
            self._accept(state, pdu)
            words = f"{len(state.record.accepted)} of {len(state.record.proposed)} contexts"
        elif isinstance(pdu, A_ASSOCIATE_RJ):
            words, end = f"{pdu.result_str}, {pdu.reason_str}", "rejected"
        elif isinstance(pdu, A_RELEASE_RP):
            end = "released"
        elif isinstance(pdu, A_ABORT_RQ):
            end = "aborted"
        self._add(state, Message(state.record.number, is_received, name, words=words), end)

    def _accept(self, state: _State, answer: A_ASSOCIATE_AC) -> None:
        agreed = tuple(
            (state.abstract_syntaxes[context.context_id], str(context.transfer_syntax))
            for context in answer.presentation_context
            if context.result == 0
        )
        with self._lock:
            self._update(state, accepted=agreed)

    def _receive_fragment(self, association: Association, state: _State, fragment: bytes) -> None:
        header = fragment[0]
        if header & _IS_COMMAND:
            state.command += fragment[1:]
            if header & _IS_LAST:
                command = _decoded(bytes(state.command))
                state.command.clear()
                state.service = _COMMANDS.get(command.get("CommandField", 0), "")  # "" for responses
                if state.service:
                    state.faults = self._faults.next(state.service)
        elif state.service == "C-STORE":
            for fault in state.faults:
                if fault.when == "during":
                    cut(association, fault)

    def _send_pdu(self, event: Event) -> None:
        state = self._states.get(event.assoc)
        if state is None:
            return
        if not isinstance(event.pdu, P_DATA_TF):
            self._note(state, event.pdu, is_received=False)
        elif state.ends_with is not None and _is_final_response(event.pdu):
            fault, state.ends_with = state.ends_with, None
            cut(event.assoc, fault)

    # -- messages -------------------------------------------------------------------------------------

    def _receive_message(self, event: Event) -> None:
        self._note_message(event, is_received=True)

    def _send_message(self, event: Event) -> None:
        state = self._states.get(event.assoc)
        command = event.message.command_set
        if state is not None and state.status is not None and command.get("Status") not in _PENDING:
            command.Status, state.status = state.status, None
        self._note_message(event, is_received=False)

    def _note_message(self, event: Event, *, is_received: bool) -> None:
        state = self._states.get(event.assoc)
        if state is None:
            return
        command, body = event.message.command_set, event.message.data_set
        size = body.getbuffer().nbytes if body is not None else 0
        name = type(event.message).__name__.replace("_", "-")
        message = Message(
            state.record.number,
            is_received,
            name,
            message_id=command.get("MessageIDBeingRespondedTo", command.get("MessageID")),
            status=command.get("Status"),
            size=size,
            dataset=_data_set(event, body) if body and size and not name.startswith("C-STORE") else None,
            words=f"{size:,} bytes" if name == "C-STORE-RQ" else "",
        )
        self._add(state, message, None)

    # -- associations ---------------------------------------------------------------------------------

    def _close(self, event: Event) -> None:
        with self._lock:
            state = self._states.get(event.assoc)
            if state is not None and state.record.end == "open":
                self._update(state, end="lost")

    def _add(self, state: _State, message: Message, end: Any) -> None:
        with self._lock:
            self._messages.append(message)
            if end is not None:
                self._update(state, end=end)

    def _update(self, state: _State, **changes: Any) -> None:
        new = replace(state.record, **changes)
        self._records = [new if record.number == new.number else record for record in self._records]
        state.record = new
        self._lock.notify_all()


def cut(association: Association, fault: Fault) -> None:
    """End an association in the way that a fault says: with an A-ABORT, or by closing the connection without a word."""
    if fault.action == "abort":
        association.abort()
    elif fault.action == "disconnect":
        association.is_established = False  # so that no response is sent
        connection = association.dul.socket
        if connection is not None and connection.socket is not None:
            connection.socket.shutdown(socket.SHUT_RDWR)


def _decoded(command: bytes) -> Dataset:
    return decode(BytesIO(command), is_implicit_vr=True, is_little_endian=True)


def _is_final_response(pdu: P_DATA_TF) -> bool:
    fragment = pdu.presentation_data_value_items[-1].presentation_data_value or b"\0"
    if fragment[0] & (_IS_COMMAND | _IS_LAST) != _IS_COMMAND | _IS_LAST:
        return False
    command = _decoded(fragment[1:])
    return bool(command.get("CommandField", 0) & _RESPONSE) and command.get("Status") not in _PENDING


def _data_set(event: Event, body: BytesIO) -> Dataset | None:
    contexts = {context.context_id: context for context in event.assoc.accepted_contexts}
    context = contexts.get(event.message.context_id)
    if context is None:
        return None
    syntax = context.transfer_syntax[0]
    copy = BytesIO(body.getvalue())
    return decode(copy, syntax.is_implicit_VR, syntax.is_little_endian, syntax.is_deflated)
