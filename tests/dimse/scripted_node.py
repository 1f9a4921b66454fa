"""A DICOM node written byte by byte, so that it can break every rule: the called title says how it behaves.

``OK``
    Answers.
``STATUS A700``, ``SECOND A700``
    The status of all responses, or of the second one.
``WORKLIST``
    Answers a C-FIND with one item of a worklist.
``FINDS``
    Answers C-FIND with three data sets, C-MOVE and C-GET with two sub-operations that are done.
``ONLY IE``, ``CLASS 2``, ``NOTHING``
    Accepts these transfer syntaxes alone (I, E, B, D, J), SOP classes whose UID ends so, none.
``CLOSE``, ``SILENT``, ``GARBAGE``, ``REJECT 117``, ``ABORT``
    In place of an association.
``MUTE``, ``GONE``, ``ABORTING``, ``RELEASING``, ``RUBBISH``, ``OTHERID``, ``OTHERTYPE``
    In place of a response.
``x CUT``, ``x NORELEASE``
    Closes at the first data; never answers a release.
"""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

from orthanc_lab.dicom.files.data_set import DataSet, Element, encode
from orthanc_lab.dicom.files.read import read_data_set
from orthanc_lab.dimse.command_set import Command, Field, Operation, Value
from orthanc_lab.dimse.message import Assembler, Message, fragments

_SYNTAXES = {
    "I": "1.2.840.10008.1.2",
    "E": "1.2.840.10008.1.2.1",
    "B": "1.2.840.10008.1.2.2",
    "D": "1.2.840.10008.1.2.1.99",
    "J": "1.2.840.10008.1.2.4.70",
}
_RQ, _AC, _RJ, _DATA, _RELEASE, _RELEASED, _ABORT = range(1, 8)
_PENDING = 0xFF00
_COUNTS = {
    Field.REMAINING_SUBOPERATIONS: 0,
    Field.COMPLETED_SUBOPERATIONS: 2,
    Field.FAILED_SUBOPERATIONS: 0,
    Field.WARNING_SUBOPERATIONS: 0,
}
_QUERIES = (Operation.C_FIND, Operation.C_MOVE, Operation.C_GET)
_PDU_HEAD = struct.Struct(">BxL")


_WORKLIST_ITEM = b"".join(
    encode(
        {
            0x00080005: Element("CS", b"ISO_IR 100"),
            0x00080050: Element("SH", b"7 "),
            0x00081110: Element("SQ", []),
            0x00100010: Element("PN", "Müller^A".encode("latin-1")),
            0x00100020: Element("LO", b"P1"),
            0x00101030: Element("DS", b""),
            0x00280010: Element("US", b"\3\0"),
            0x00400100: Element("SQ", [{0x00080060: Element("CS", b"CT"), 0x00400002: Element("DA", b"20260102")}]),
        }
    )
)


class ScriptedNode:
    """Listens on a free port of the loopback interface for the duration of a ``with`` block.

    Attributes
    ----------
    port
        Its port.
    seen
        What came: associations, messages, and how each association ended.
    """

    def __init__(self) -> None:
        self.seen: list[str] = []
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._ended = threading.Condition()
        self._stopping = threading.Event()

    def __enter__(self) -> ScriptedNode:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in tuple(self._open):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def wait_until_idle(self) -> None:
        """Wait until no connection is open."""
        with self._ended:
            assert self._ended.wait_for(lambda: not self._open, 20)

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.add(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with suppress(EOFError, OSError):
                _Association(self, connection).run()
        with self._ended:
            self._open.discard(connection)
            self._ended.notify_all()


class _Association:
    def __init__(self, node: ScriptedNode, connection: socket.socket) -> None:
        self._node = node
        self._connection = connection
        self._contexts: dict[int, tuple[str, str]] = {}  # accepted ones: SOP class and transfer syntax
        self._count = 0

    def run(self) -> None:
        kind, request = self._read()
        if kind != _RQ:
            return
        called, calling = (request[start : start + 16].decode("latin-1").strip() for start in (4, 20))
        self._words = called.split() or ["OK"]
        self._node.seen.append(f"association {calling} > {called}")
        if not self._negotiate(request):
            return
        assembler = Assembler()
        while True:
            kind, pdu = self._read()
            if kind == _RELEASE:
                if self._contexts:  # without any, Orthanc releases the association, and pynetdicom aborts it
                    self._node.seen.append("release")
                if "NORELEASE" in self._words:
                    self._be_silent()
                self._write(_RELEASED, bytes(4))
            if kind != _DATA:
                return
            if "CUT" in self._words:
                return
            for message in assembler.take(memoryview(pdu)):
                if not self._answer(message):
                    return

    def _negotiate(self, request: bytes) -> bool:
        word = self._words[0]
        if word == "CLOSE":
            return False
        if word == "SILENT":
            self._be_silent()
        if word == "GARBAGE":
            self._connection.sendall(b"HTTP/1.0 400 Bad Request\r\n\r\n")
            return False
        if word == "REJECT":
            self._write(_RJ, bytes([0, *(int(digit) for digit in self._words[1])]))
            return False
        if word == "ABORT":
            self._write(_ABORT, bytes([0, 0, 2, 0]))
            return False
        items = b""
        for id, sop_class, syntaxes in _proposed(request):
            chosen = self._chosen(sop_class, syntaxes)
            if chosen:
                self._contexts[id] = (sop_class, chosen)
            syntax = _item(0x40, (chosen or syntaxes[0]).encode())
            items += _item(0x21, bytes([id, 0, 0 if chosen else 4, 0]) + syntax)
        application = _item(0x10, b"1.2.840.10008.3.1.1.1")
        user = _item(0x50, _item(0x51, struct.pack(">L", 16384)) + _item(0x52, b"1.2.3"))
        self._write(_AC, struct.pack(">HH", 1, 0) + request[4:68] + application + items + user)
        return True

    def _chosen(self, sop_class: str, syntaxes: list[str]) -> str:
        word = self._words[0]
        if word == "NOTHING" or (word == "CLASS" and not sop_class.endswith(f".{self._words[1]}")):
            return ""
        wanted = [_SYNTAXES[letter] for letter in self._words[1]] if word == "ONLY" else syntaxes
        return next((syntax for syntax in syntaxes if syntax in wanted), "")

    def _answer(self, message: Message) -> bool:
        """Answer a request; False ends the association."""
        self._node.seen.append(self._described(message))
        word = self._words[0]
        if word == "MUTE":
            self._be_silent()
        if word in ("GONE", "ABORTING", "RELEASING", "RUBBISH"):
            answer = {
                "GONE": b"",
                "ABORTING": bytes.fromhex("07 00 00 00 00 04 00 00 00 00"),
                "RELEASING": bytes.fromhex("05 00 00 00 00 04 00 00 00 00"),
                "RUBBISH": bytes.fromhex("09 00 00 00 00 04 61 62 63 64"),
            }[word]
            self._connection.sendall(answer)
            return False
        self._count += 1
        status = 0
        if word == "FINDS":
            self._send_pending(message)
        if word == "STATUS" or (word == "SECOND" and self._count == 2):
            status = int(self._words[1], 16)
        response = _response(message, status)
        if word == "OTHERID":
            response = {**response, Field.MESSAGE_ID_BEING_RESPONDED_TO: 99}
        if word == "OTHERTYPE":
            response = {**response, Field.COMMAND_FIELD: Operation.N_GET.response}
        if word == "WORKLIST":
            self._send(message, {**response, Field.STATUS: _PENDING}, _WORKLIST_ITEM)
        if word == "FINDS" and message.field in (Operation.C_MOVE, Operation.C_GET):
            response = {**response, **_COUNTS}
        self._send(message, response)
        return True

    def _send_pending(self, message: Message) -> None:
        if message.field == Operation.C_FIND:
            _, syntax = self._contexts[message.context_id]
            for answer in ANSWERS:
                self._send(message, _response(message, _PENDING), b"".join(encode(answer, syntax)))
        elif message.field in (Operation.C_MOVE, Operation.C_GET):
            self._send(message, _response(message, _PENDING) | _COUNTS)

    def _send(self, message: Message, response: Command, data: bytes | None = None) -> None:
        for pdu in fragments(message.context_id, response, data):
            self._connection.sendall(pdu)

    def _described(self, message: Message) -> str:
        """Return a message in words; without the data set of an instance, which Orthanc encodes anew."""
        _, syntax = self._contexts[message.context_id]
        parts = (
            f"{message.field:04x} {message.text(Field.AFFECTED_SOP_CLASS_UID)}",
            message.text(Field.AFFECTED_SOP_INSTANCE_UID),
            f"originator {message.text(Field.MOVE_ORIGINATOR_AET)} {message.number(Field.MOVE_ORIGINATOR_MESSAGE_ID)}",
            f"priority {message.number(Field.PRIORITY)}",
            syntax,
        )
        if message.field in _QUERIES:
            return " ".join([*parts, "to", message.text(Field.MOVE_DESTINATION), *_elements(message, syntax)])
        return " ".join(parts)

    def _read(self) -> tuple[int, bytes]:
        kind, length = _PDU_HEAD.unpack(self._exactly(_PDU_HEAD.size))
        return kind, self._exactly(length)

    def _exactly(self, size: int) -> bytes:
        data = self._connection.recv(size, socket.MSG_WAITALL)
        if len(data) < size:
            raise EOFError
        return data

    def _be_silent(self) -> None:
        """Say nothing until the peer closes the connection, or the node stops."""
        while self._connection.recv(1 << 16):
            pass
        raise EOFError

    def _write(self, kind: int, content: bytes) -> None:
        self._connection.sendall(_PDU_HEAD.pack(kind, len(content)) + content)


def _elements(message: Message, syntax: str) -> Iterator[str]:
    """Yield the elements of an identifier in words, without group 2: it is no part of a data set."""
    for tag, element in sorted(read_data_set(bytes(message.data), syntax).items()):
        if tag >> 16 != 2:
            yield f"{tag:08x}={element.vr} {element.value!r}"


def _texts(*texts: tuple[int, str, str]) -> DataSet:
    return {tag: Element(vr, value.encode("latin-1")) for tag, vr, value in texts}


ANSWERS = (
    _texts(
        (0x00080005, "CS", "ISO_IR 100"),
        (0x00080020, "DA", "20200101"),
        (0x00080050, "SH", "A1 "),
        (0x00080052, "CS", "STUDY"),
        (0x00080054, "AE", "NODE"),
        (0x00080061, "CS", "CT\\MR"),
        (0x00081030, "LO", ""),
        (0x00100010, "PN", "DOE^JANÉ"),
        (0x00100020, "LO", "P1"),
        (0x00101030, "DS", "70.5"),
        (0x0020000D, "UI", "1.2.3"),
        (0x0020000E, "UI", "1.2.3.4"),
        (0x00201208, "IS", "12"),
    )
    | {0x00280010: Element("US", b"\x05\x00")},
    _texts(
        (0x00080018, "UI", "1.2.5"),
        (0x00081030, "LO", "x" * 300),
        (0x00100020, "LO", "P2"),
        (0x0020000D, "UI", "1.2.4"),
    )
    | {0x00081110: Element("SQ", [_texts((0x00081155, "UI", "1.2"))])},
    _texts((0x00080052, "CS", "SERIES"), (0x00100020, "LO", "")),
)
"""What a node finds."""


def _response(message: Message, status: int) -> dict[Field, Value]:
    response: dict[Field, Value] = {
        Field.COMMAND_FIELD: 0x8000 | message.field,
        Field.MESSAGE_ID_BEING_RESPONDED_TO: message.message_id,
        Field.AFFECTED_SOP_CLASS_UID: message.text(Field.AFFECTED_SOP_CLASS_UID),
        Field.STATUS: status,
    }
    if message.field == Operation.C_STORE:
        response[Field.AFFECTED_SOP_INSTANCE_UID] = message.text(Field.AFFECTED_SOP_INSTANCE_UID)
    return response


def _item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def _items(data: bytes) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        kind, length = struct.unpack_from(">BxH", data, position)
        yield kind, data[position + 4 : position + 4 + length]
        position += 4 + length


def _proposed(request: bytes) -> Iterator[tuple[int, str, list[str]]]:
    """Yield the presentation contexts of an A-ASSOCIATE-RQ: id, SOP class, transfer syntaxes."""
    for kind, content in _items(request[68:]):
        if kind == 0x20:
            parts = [(part, uid.decode("ascii").strip("\0")) for part, uid in _items(content[4:])]
            yield content[0], parts[0][1], [uid for part, uid in parts if part == 0x40]
