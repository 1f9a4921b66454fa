"""A DICOM client on bare bytes: it may say what no library would, and costs a hundredth of one."""

from __future__ import annotations

import socket
import struct
from collections.abc import Sequence
from types import TracebackType

from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.message import Assembler, Message, fragments
from tests.rest.files import CT_IMAGE

ECHO = "1.2.840.10008.1.1"
IMPLICIT, EXPLICIT = "1.2.840.10008.1.2", "1.2.840.10008.1.2.1"
P_DATA, RELEASE, ABORT = 4, 5, 7
STORING = ((1, CT_IMAGE, (EXPLICIT,)),)
ECHOING = ((1, ECHO, (IMPLICIT,)),)

Contexts = Sequence[tuple[int, str, Sequence[str]]]


def pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def association_request(
    contexts: Contexts = ECHOING,
    aet: str = "RAW",
    called: str = "ORTHANC",
    items: bytes = b"",
    application: str = "1.2.840.10008.3.1.1.1",
) -> bytes:
    """Return an A-ASSOCIATE-RQ; `items` are further ones of the user information."""
    proposed = b"".join(
        item(
            0x20,
            bytes((number, 0, 0, 0))
            + item(0x30, sop_class.encode())
            + b"".join(item(0x40, syntax.encode()) for syntax in syntaxes),
        )
        for number, sop_class, syntaxes in contexts
    )
    titles = called.encode("latin-1").ljust(16) + aet.encode("latin-1").ljust(16)
    user = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3") + items)
    return pdu(1, b"\0\1\0\0" + titles + bytes(32) + item(0x10, application.encode()) + proposed + user)


def role(sop_class: str, scu: bool, scp: bool) -> bytes:
    """Return a user item for the choice of roles."""
    return item(0x54, struct.pack(">H", len(sop_class)) + sop_class.encode() + bytes((scu, scp)))


def answered_contexts(accepted: bytes) -> dict[int, tuple[int, str]]:
    """Return result and transfer syntax of each context of an A-ASSOCIATE-AC."""
    found: dict[int, tuple[int, str]] = {}
    position = 74
    while position < len(accepted):
        kind, length = struct.unpack_from(">BxH", accepted, position)
        body = accepted[position + 4 : position + 4 + length]
        if kind == 0x21:
            found[body[0]] = (body[2], body[8:].decode())
        position += 4 + length
    return found


def echo_message(number: int = 1) -> bytes:
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: ECHO,
        Field.COMMAND_FIELD: Operation.C_ECHO,
        Field.MESSAGE_ID: number,
    }
    return b"".join(fragments(1, command))


def store_message(instance: str, data: bytes, sop_class: str = CT_IMAGE, number: int = 1) -> bytes:
    """Return a C-STORE of an encoded data set."""
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: sop_class,
        Field.COMMAND_FIELD: Operation.C_STORE,
        Field.MESSAGE_ID: number,
        Field.PRIORITY: 0,
        Field.AFFECTED_SOP_INSTANCE_UID: instance,
    }
    return b"".join(fragments(1, command, data, 16384))


class RawClient:
    """A connection to a DICOM server; with `contexts`, an association. It buffers so many bytes that it `receives`."""

    def __init__(
        self,
        port: int,
        contexts: Contexts | None = ECHOING,
        *,
        timeout: float = 20,
        aet: str = "RAW",
        receives: int = 0,
    ) -> None:
        self.socket = socket.socket()
        self.socket.settimeout(timeout)
        if receives:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receives)
        self.socket.connect(("127.0.0.1", port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._assembler = Assembler()
        self.accepted: dict[int, tuple[int, str]] = {}
        if contexts is not None:
            self.send(association_request(contexts, aet))
            kind, accepted = self.read()
            assert kind == 2, accepted
            self.accepted = answered_contexts(accepted)

    def __enter__(self) -> RawClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    def send(self, content: bytes) -> None:
        self.socket.sendall(content)

    def read(self) -> tuple[int, bytes]:
        """Return type and bytes of the next PDU; (0, b"") at the end of the connection."""
        head = self._read(6)
        if len(head) < 6:
            return 0, b""
        (length,) = struct.unpack(">I", head[2:])
        return head[0], head + self._read(length)

    def response(self) -> Message:
        """Return the next message."""
        while True:
            kind, content = self.read()
            assert kind == P_DATA, (kind, content)
            for message in self._assembler.take(memoryview(content)[6:]):
                return message

    def ask(self, request: bytes) -> Message:
        """Send a message and return the response."""
        self.send(request)
        return self.response()

    def release(self) -> int:
        """Release the association; return the type of the PDU that answers."""
        self.send(pdu(RELEASE, bytes(4)))
        return self.read()[0]

    def wait_for_end(self) -> list[int]:
        """Return the types of the PDUs that come before the connection ends."""
        kinds = []
        while kind := self._kind_or_end():
            kinds.append(kind)
        return kinds

    def _kind_or_end(self) -> int:
        try:
            return self.read()[0]
        except ConnectionError:
            return 0

    def _read(self, size: int) -> bytes:
        content = b""
        while len(content) < size and (piece := self.socket.recv(size - len(content))):
            content += piece
        return content
