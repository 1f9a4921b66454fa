"""The upper layer of an association (PS3.8 section 9.2): pynetdicom's state machine in the thread of its user.

pynetdicom runs two threads for each association that look for work a thousand times a second: an idle one costs
processor time, each message some milliseconds, and a read has no deadline. Here the user's own thread waits in the
system call, a PDU is bounded in length and time, and the fragments of messages pass the state machine by: they are
put together as bytes. Association control, and whatever comes out of turn, is pynetdicom's.

This module and `connection` are the ones that know the inner parts of pynetdicom, which
`tests/dimse/test_pynetdicom_contract.py` names.
It loads pynetdicom, so it is loaded with the first association.
"""

from __future__ import annotations

import logging
import socket
import time
from collections import deque
from collections.abc import Iterable
from typing import cast

from pynetdicom import AE, evt
from pynetdicom.association import Association
from pynetdicom.dimse import DIMSEServiceProvider
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dimse_primitives import DimseServiceType
from pynetdicom.dul import DULServiceProvider
from pynetdicom.pdu_primitives import A_P_ABORT, P_DATA, _PDUPrimitiveType

from orthanc_lab.dimse.association_items import ASSOCIATION_PDUS, with_sound_items
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.connection import CLOSED, Connection
from orthanc_lab.dimse.message import Assembler, Message, MessageError, fragments
from orthanc_lab.dimse.pdu_reader import P_DATA as P_DATA_PDU
from orthanc_lab.dimse.pdu_reader import PduError, PduReader

__all__ = ["Messages", "QuickAssociation", "UpperLayer"]

_log = logging.getLogger("orthanc_lab.dicom")
_ESTABLISHED = "Sta6"  # the state in which messages are received …
_RELEASING = "Sta7"  # … and the one in which nobody wants them any more
_OVER = ("Sta1", "Sta13")  # those in which the association has ended
_INVALID = "Evt19"
_LINGER_S = 2.0  # for a peer to close its side
_LEAST_RATE = 1000  # bytes a second of a message that takes longer than the time-out

_MOST_LOOKED_AT = 16  # PDUs, in one look for a C-CANCEL
_MOST_CANCELLED = 16


class UpperLayer(DULServiceProvider):
    """Sends and receives PDUs in the thread of its user.

    Parameters
    ----------
    association
        That it belongs to.
    longest_pdu
        The longest P-DATA-TF PDU that we announce.
    patience
        Seconds for a PDU from its first to its last byte; None for no limit.
    """

    def __init__(self, association: Association, longest_pdu: int, patience: float | None) -> None:
        super().__init__(association)
        self._reader = PduReader(longest_pdu)
        self._assembler = Assembler()
        self._patience = patience
        self.messages: deque[Message] = deque()
        """What was received and not taken yet."""
        self.fault = ""
        """What was wrong with the last PDU, in DCMTK's words."""
        self.sending_since: float | None = None
        """Since when, by the monotonic clock, the peer should take the next part of a message."""

    # -- what pynetdicom expects of a thread -------------------------------------------

    def start(self) -> None:
        """Be ready: there is no thread."""
        self.assoc._dul_ready.set()

    def is_alive(self) -> bool:
        """Return False: there is no thread to wait for."""
        return False

    def stop_dul(self) -> bool:
        """Return True: there is nothing to stop."""
        return True

    # -- sending and receiving ---------------------------------------------------------

    def send_pdu(self, primitive: _PDUPrimitiveType) -> None:
        """Send a PDU at once."""
        super().send_pdu(primitive)
        self.settle()

    def receive_pdu(self, wait: bool = False, timeout: float | None = None) -> _PDUPrimitiveType | None:
        """Return what the peer, or the state machine, says about the association; None if that is nothing."""
        deadline = None if timeout is None else time.monotonic() + timeout
        while wait and self.to_user_queue.empty():
            left = None if deadline is None else deadline - time.monotonic()
            if (left is not None and left <= 0) or not self.receive(left):
                break
        return None if self.to_user_queue.empty() else self.to_user_queue.get_nowait()

    def send_message(self, pdus: list[bytes]) -> None:
        """Send the PDUs of a message."""
        assert self.socket is not None
        if self.state_machine.current_state in ("Sta6", "Sta8"):
            self.sending_since = time.monotonic()
            self.socket.send(pdus[0] if len(pdus) == 1 else b"".join(pdus))
            self.sending_since = None
            if self.event_queue.queue:
                self.settle()

    def receive(self, wait: float | None) -> bool:
        """Take the next PDU, or the end of the connection; False if there is none in time, or no connection.

        Parameters
        ----------
        wait
            Seconds for the first byte of it; None for no limit.
        """
        connected = self._connected
        if connected is None:
            return False
        try:
            pdu = self._reader.read(connected, wait, self._patience)
        except (EOFError, OSError) as error:
            if self._reader.has_some() or isinstance(error, OSError):
                _log.warning("The connection to a DICOM peer failed: %s", error)
            event = CLOSED
        except PduError as error:
            event = self._refused(error)
        else:
            if pdu is None:
                return False
            event = self._take(*pdu)
        if event:
            self.event_queue.put(event)
            self.settle()
        return True

    @property
    def arrived(self) -> int:
        """Bytes of messages, also of one that is not complete."""
        return self._assembler.taken

    @property
    def is_open(self) -> bool:
        """Whether something may still be received."""
        return self._connected is not None

    @property
    def _connected(self) -> socket.socket | None:
        connection = self.socket
        if connection is None or self.state_machine.current_state in _OVER:
            return None
        return connection.socket

    def look(self) -> None:
        """Take what has come already, without waiting."""
        for _ in range(_MOST_LOOKED_AT):
            connection = self.socket
            if not isinstance(connection, Connection) or not (self._reader.has_some() or connection.has_some()):
                return
            if not self.receive(0):
                return

    def settle(self) -> None:
        """Let the state machine do what there is to do."""
        try:
            while not self._kill_thread:
                if not self.event_queue.empty():
                    self.state_machine.do_action(self.event_queue.get_nowait())
                elif not self._process_recv_primitive():
                    break
        except Exception as error:  # whatever pynetdicom makes of what a peer sent
            _log.warning("An association was given up: %s", error or type(error).__name__)
            self._give_up()

    def finish(self, patience: float = _LINGER_S) -> None:
        """Close the connection such that what was sent arrives."""
        self._kill_thread = True
        if isinstance(self.socket, Connection):
            self.socket.linger(patience)
        self._reader.forget()  # the circles inside an association are collected late
        self._assembler.forget()
        self.messages.clear()

    def _take(self, kind: int, pdu: memoryview) -> str:
        """Take a PDU; return the event that it is for the state machine, or none."""
        try:
            if kind == P_DATA_PDU and self.state_machine.current_state == _ESTABLISHED:
                self.messages.extend(self._assembler.take(pdu[6:]))
                return ""
            if kind == P_DATA_PDU and self.state_machine.current_state == _RELEASING:
                return ""
            sound = with_sound_items(pdu) if kind in ASSOCIATION_PDUS else bytearray(pdu)
            decoded, event = self._decode_pdu(sound)
        except PduError as error:
            return self._refused(error)
        except MessageError as error:
            _log.warning("A DICOM peer sent what is no message: %s", error)
            return _INVALID
        except Exception as error:  # pynetdicom's, of any kind
            _log.warning("A DICOM peer sent a PDU that cannot be read: %s", error or type(error).__name__)
            return _INVALID
        self._recv_pdu.put(decoded)
        return event

    def _refused(self, error: PduError) -> str:
        _log.warning("A DICOM peer sent %s", error)
        self.fault = error.words
        return _INVALID

    def _give_up(self) -> None:
        self._kill_thread = True
        self.to_user_queue.put(A_P_ABORT())
        if self.socket is not None and self.socket.socket is not None:
            self.socket.send(_ABORT)
            self.socket.linger(0) if isinstance(self.socket, Connection) else self.socket.close()


_ABORT = bytes.fromhex("07 00 00 00 00 04 00 00 02 00")


class Messages(DIMSEServiceProvider):
    """Sends and receives messages as they are, and as pynetdicom's primitives."""

    _layer: UpperLayer

    def __init__(self, association: Association, layer: UpperLayer) -> None:
        super().__init__(association)
        self._layer = layer
        self._cancelled: set[int] = set()
        self.is_arriving = False
        """Whether enough of the next message came when it was last waited for, though not all of it."""

    def receive(self, timeout: float | None) -> Message | None:
        """Return the next message; None if it is not there in time, or the association is to end.

        A long one may come in its own time, see `is_arriving`: then it is asked for again. A C-CANCEL is not
        returned: `is_cancelled` tells of it.
        """
        self.is_arriving = False
        before = self._layer.arrived
        deadline = None if timeout is None else time.monotonic() + timeout
        while True:
            while self._layer.messages:
                message = self._layer.messages.popleft()
                if message.field != Operation.C_CANCEL:
                    return message
                self._note(message)
                before += message.size  # nothing that is waited for
            left = None if deadline is None else deadline - time.monotonic()
            ending = not self._layer.to_user_queue.empty()
            is_late = left is not None and left <= 0
            if is_late and not ending:
                self.is_arriving = self._layer.arrived - before >= max(1, _LEAST_RATE * (timeout or 0))
            if ending or is_late or not (self._layer.receive(left) or self._layer.is_open):
                return None

    def send(self, context_id: int, command: Command, data: bytes | memoryview | None = None) -> None:
        """Send a message.

        Parameters
        ----------
        data
            The encoded data set.
        """
        self.send_all(context_id, command, (data,))

    def send_all(self, context_id: int, command: Command, data: Iterable[bytes | memoryview | None]) -> None:
        """Send messages with the same command set, many of them with one system call.

        Parameters
        ----------
        data
            Their encoded data sets.
        """
        batch: list[bytes] = []
        size = 0
        for one in data:
            for pdu in fragments(context_id, command, one, self.maximum_pdu_size):
                batch.append(pdu)
                size += len(pdu)
                if size >= _BATCH:
                    self._layer.send_message(batch)
                    batch, size = [], 0
        if batch:
            self._layer.send_message(batch)

    def is_cancelled(self, message_id: int) -> bool:
        """Whether the peer has cancelled a request."""
        self._layer.look()
        for message in [one for one in self._layer.messages if one.field == Operation.C_CANCEL]:
            self._layer.messages.remove(message)
            self._note(message)
        return message_id in self._cancelled

    def forget_cancelled(self, message_id: int) -> None:
        """Forget the C-CANCEL of a request that was answered to its end."""
        self._cancelled.discard(message_id)

    def get_msg(self, block: bool = False) -> tuple[None, None] | tuple[int, DimseServiceType]:
        """Return the next message as a primitive of pynetdicom."""
        message = self.receive(self.dimse_timeout) if block or self._layer.messages else None
        if message is None:
            return None, None
        whole = P_DATA()
        whole.presentation_data_value_list = [(message.context_id, b"\x03" + message.raw_command)]
        if message.has_data:
            whole.presentation_data_value_list += [(message.context_id, b"\x02" + message.data)]
        decoded = DIMSEMessage()
        decoded.decode_msg(whole, self.assoc)
        return message.context_id, cast(DimseServiceType, decoded.message_to_primitive())

    def _note(self, cancel: Message) -> None:
        if len(self._cancelled) < _MOST_CANCELLED:
            self._cancelled.add(cancel.number(Field.MESSAGE_ID_BEING_RESPONDED_TO))


_BATCH = 128 << 10  # bytes that are sent with one system call


class QuickAssociation(Association):
    """An association without threads of its own: it receives when its user waits for something.

    Parameters
    ----------
    ae
        With the time-outs.
    mode
        ``requestor`` or ``acceptor``.
    longest_pdu
        The longest P-DATA-TF PDU that we announce.
    patience
        Seconds for each PDU that is received or sent; None for no limit.
    """

    dul: UpperLayer
    dimse: Messages

    def __init__(self, ae: AE, mode: str, *, longest_pdu: int, patience: float | None) -> None:
        super().__init__(ae, mode)
        self.patience = patience
        self.dul = UpperLayer(self, longest_pdu, patience)
        self.dimse = Messages(self, self.dul)
        self._is_paused = True  # there is no reactor that would have to be stopped before a message is sent

    def _bind_defaults(self) -> None:
        """Bind what is asked; pynetdicom's handlers of notifications write each message into its log."""
        for event in evt._INTERVENTION_EVENTS:
            self.bind(event, evt.get_default_handler(event))

    def attach(self, connected: socket.socket) -> None:
        """Use a connection that stands already."""
        self.set_socket(Connection(self, connected, self.patience))
        self.dul.start()
        self._started_dul = True
        self.dul.settle()

    def abort(self, block: bool = True) -> None:
        """Abort the association and close its connection."""
        if not self._sent_abort and not self.is_released:
            self._sent_abort = True
            self.acse.send_abort(0)
        self.kill()

    def kill(self) -> None:
        """Close the connection."""
        self._kill = True
        self.is_established = False
        self.dul.finish()
