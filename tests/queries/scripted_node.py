"""A DICOM node that does what a test says, on the bytes of PS3.7 and PS3.8, as no library would let it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from types import TracebackType

__all__ = [
    "C_CANCEL_RQ",
    "C_ECHO_RQ",
    "C_FIND_RQ",
    "C_GET_RQ",
    "C_MOVE_RQ",
    "C_STORE_RQ",
    "PENDING",
    "Conversation",
    "Message",
    "Proposal",
    "ScriptedNode",
    "element",
]

C_STORE_RQ, C_GET_RQ, C_FIND_RQ, C_MOVE_RQ, C_ECHO_RQ, C_CANCEL_RQ = 0x0001, 0x0010, 0x0020, 0x0021, 0x0030, 0x0FFF
PENDING = 0xFF00
_NO_DATA_SET = 0x0101
_UIDS = frozenset({0x0002, 0x1000})  # elements of group 0000 that are UIDs
_IMPLICIT = "1.2.840.10008.1.2"


@dataclass(frozen=True)
class Proposal:
    """What an A-ASSOCIATE-RQ asks for."""

    called: str
    calling: str
    contexts: Mapping[int, tuple[str, tuple[str, ...]]]  # id -> abstract syntax, transfer syntaxes
    roles: Mapping[str, tuple[bool, bool]]  # SOP class -> SCU, SCP
    maximum_length: int


@dataclass(frozen=True)
class Message:
    """A DIMSE message."""

    command: Mapping[int, int | str]  # element of group 0000 -> number or text
    data: bytes
    context: int

    @property
    def kind(self) -> int:
        """The command field."""
        return int(self.command[0x0100])

    @property
    def id(self) -> int:
        """The message ID."""
        return int(self.command.get(0x0110, 0))


@dataclass
class Conversation:
    """One association, as its script sees it."""

    socket: socket.socket
    proposal: Proposal
    _commands: dict[int, bytes] = field(default_factory=dict)

    def messages(self) -> Iterator[Message]:
        """Yield what the peer sends, until it releases or aborts the association."""
        while (message := self.receive()) is not None:
            yield message

    def receive(self) -> Message | None:
        """Return the next message, None at the end; a request to release is answered."""
        command, data, context = b"", b"", 0
        is_command_whole = False
        while True:
            kind, body = _read_pdu(self.socket)
            if kind == 0x05:
                self.socket.sendall(_pdu(0x06, bytes(4)))
            if kind != 0x04:
                return None
            while body:
                (length,) = struct.unpack_from(">I", body)
                context, flags, value = body[4], body[5], body[6 : 4 + length]
                body = body[4 + length :]
                if flags & 1:
                    command += value
                    is_command_whole = bool(flags & 2)
                else:
                    data += value
                if is_command_whole:
                    read = _read_command(command)
                    if read[0x0800] == _NO_DATA_SET or (flags & 2 and not flags & 1):
                        return Message(read, data, context)

    def answer(self, request: Message, status: int, data: bytes = b"", **counts: int) -> None:
        """Answer a request; `counts` are remaining, completed, failed and warning sub-operations."""
        command: dict[int, int | str] = {
            0x0002: request.command[0x0002],
            0x0100: request.kind | 0x8000,
            0x0120: request.id,
            0x0900: status,
        }
        names = {"remaining": 0x1020, "completed": 0x1021, "failed": 0x1022, "warning": 0x1023}
        command |= {names[name]: count for name, count in counts.items()}
        self.send(command, data, request.context)

    def store(self, context: int, sop_class: str, sop_instance: str, data: bytes, message_id: int = 1) -> None:
        """Send a C-STORE request."""
        command: dict[int, int | str] = {
            0x0002: sop_class,
            0x0100: C_STORE_RQ,
            0x0110: message_id,
            0x0700: 0,
            0x1000: sop_instance,
        }
        self.send(command, data, context)

    def send(self, command: Mapping[int, int | str], data: bytes, context: int) -> None:
        """Send a message; the element that says whether a data set follows is added."""
        whole = {**command, 0x0800: 0 if data else _NO_DATA_SET}
        self.socket.sendall(_pdv(context, 3, _write_command(whole)))
        for start in range(0, len(data), 16000):
            end = start + 16000
            self.socket.sendall(_pdv(context, 2 if end >= len(data) else 0, data[start:end]))

    def abort(self) -> None:
        """Abort the association."""
        self.socket.sendall(_pdu(0x07, bytes(4)))

    def context_of(self, abstract_syntax: str) -> int:
        """Return the presentation context of an abstract syntax."""
        return next(id for id, (syntax, _) in self.proposal.contexts.items() if syntax == abstract_syntax)


Script = Callable[[Conversation], None]


class ScriptedNode:
    """Accepts every association and every context, with its first transfer syntax, and runs the script on each.

    Parameters
    ----------
    script
        Called with each association; the connection is closed when it returns.
    syntax
        Transfer syntax to accept in the place of the first one, where it was proposed.
    forced
        The same, where it was not proposed; empty for an acceptance without any.
    """

    def __init__(self, script: Script, *, syntax: str = "", roles: bool = True, forced: str | None = None) -> None:
        self.script = script
        self.proposals: list[Proposal] = []
        self.received: list[Message] = []
        self._syntax = syntax
        self._roles = roles
        self._forced = forced
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._open: list[socket.socket] = []

    def __enter__(self) -> ScriptedNode:
        threading.Thread(target=self._serve, daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self._open.append(connection)
            threading.Thread(target=self._converse, args=(connection,), daemon=True).start()

    def _converse(self, connection: socket.socket) -> None:
        with connection, contextlib.suppress(OSError, EOFError):
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            kind, body = _read_pdu(connection)
            if kind != 0x01:
                return
            proposal = _read_proposal(body)
            self.proposals.append(proposal)
            connection.sendall(_acceptance(body, proposal, self._syntax, self._roles, self._forced))
            self.script(_Noting(connection, proposal, self.received))


class _Noting(Conversation):
    """Keeps what it receives."""

    def __init__(self, connection: socket.socket, proposal: Proposal, received: list[Message]) -> None:
        super().__init__(connection, proposal)
        self._received = received

    def receive(self) -> Message | None:
        message = super().receive()
        if message is not None:
            self._received.append(message)
        return message


def element(tag: int, value: str | bytes, vr: str = "LO") -> bytes:
    """Return an element in Implicit VR Little Endian."""
    content = value.encode() if isinstance(value, str) else value
    if len(content) & 1:
        content += b"\0" if vr == "UI" else b" "
    return struct.pack("<HHI", tag >> 16, tag & 0xFFFF, len(content)) + content


def _pdu(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxI", kind, len(body)) + body


def _pdv(context: int, flags: int, value: bytes) -> bytes:
    return _pdu(0x04, struct.pack(">IBB", len(value) + 2, context, flags) + value)


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body


def _items(body: bytes) -> Iterator[tuple[int, bytes]]:
    while body:
        kind, length = struct.unpack_from(">BxH", body)
        yield kind, body[4 : 4 + length]
        body = body[4 + length :]


def _read_pdu(connection: socket.socket) -> tuple[int, bytes]:
    kind, length = struct.unpack(">BxI", _read(connection, 6))
    return kind, _read(connection, length)


def _read(connection: socket.socket, count: int) -> bytes:
    found = b""
    while len(found) < count:
        piece = connection.recv(count - len(found))
        if not piece:
            raise EOFError
        found += piece
    return found


def _read_proposal(body: bytes) -> Proposal:
    contexts: dict[int, tuple[str, tuple[str, ...]]] = {}
    roles: dict[str, tuple[bool, bool]] = {}
    maximum = 0
    for kind, value in _items(body[68:]):
        if kind == 0x20:
            texts = [(part, text.rstrip(b"\0").decode()) for part, text in _items(value[4:])]
            abstract = next(text for part, text in texts if part == 0x30)
            contexts[value[0]] = (abstract, tuple(text for part, text in texts if part == 0x40))
        elif kind == 0x50:
            for part, text in _items(value):
                if part == 0x51:
                    (maximum,) = struct.unpack(">I", text)
                elif part == 0x54:
                    (length,) = struct.unpack_from(">H", text)
                    roles[text[2 : 2 + length].decode()] = (bool(text[2 + length]), bool(text[3 + length]))
    called, calling = (body[start : start + 16].decode("latin-1").strip() for start in (4, 20))
    return Proposal(called, calling, contexts, roles, maximum)


def _acceptance(request: bytes, proposal: Proposal, syntax: str, with_roles: bool, forced: str | None) -> bytes:
    items = _item(0x10, b"1.2.840.10008.3.1.1.1")
    for id, (_, syntaxes) in proposal.contexts.items():
        chosen = forced if forced is not None else syntax if syntax in syntaxes else syntaxes[0]
        items += _item(0x21, bytes((id, 0, 0, 0)) + (_item(0x40, chosen.encode()) if chosen else b""))
    user = _item(0x51, struct.pack(">I", 16384)) + _item(0x52, b"1.2.3.4")
    if with_roles:
        for uid, (scu, scp) in proposal.roles.items():
            user += _item(0x54, struct.pack(">H", len(uid)) + uid.encode() + bytes((scu, scp)))
    return _pdu(0x02, request[:68] + items + _item(0x50, user))


def _read_command(data: bytes) -> dict[int, int | str]:
    found: dict[int, int | str] = {}
    while data:
        group, number, length = struct.unpack_from("<HHI", data)
        value = data[8 : 8 + length]
        data = data[8 + length :]
        assert group == 0
        if number in (0x0002, 0x0003, 0x0600, 0x1000, 0x1001, 0x1030):
            found[number] = value.rstrip(b"\0 ").decode()
        elif length in (2, 4):
            found[number] = int.from_bytes(value, "little")
    return found


def _write_command(command: Mapping[int, int | str]) -> bytes:
    body = b""
    for number in sorted(command):
        value = command[number]
        if isinstance(value, int):
            body += struct.pack("<HHIH", 0, number, 2, value)
        else:
            body += element(number, value, "UI" if number in _UIDS else "AE")
    return struct.pack("<HHII", 0, 0, 4, len(body)) + body
