"""A DICOM client of prepared bytes: a message costs it two system calls, so that it is not what limits a server."""

from __future__ import annotations

import socket
import struct
import threading
from collections.abc import Sequence

from orthanc_lab.bench.wire import Wire
from orthanc_lab.dicom.files.sop_identity import sop_identity
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.message import Assembler, Message, fragments
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

__all__ = ["associate_and_send", "dicom_port", "echo_message", "store_message"]

_PATIENCE_S = 60.0
_LONGEST = 16384  # bytes of a PDU, Orthanc's usual limit
_VERIFICATION = "1.2.840.10008.1.1"
_QUICK_ACK: int | None = getattr(socket, "TCP_QUICKACK", None)


def dicom_port(port: int) -> int:
    """Return the DICOM port of the server whose REST API is at a port."""
    wire = Wire(port)
    found = int(wire.get_json("/system")["DicomPort"])
    wire.close()
    return found


def echo_message() -> tuple[str, bytes]:
    """Return the SOP class and the bytes of a C-ECHO."""
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: _VERIFICATION,
        Field.COMMAND_FIELD: Operation.C_ECHO,
        Field.MESSAGE_ID: 1,
    }
    return _VERIFICATION, b"".join(fragments(1, command))


def store_message(file: bytes) -> tuple[str, bytes]:
    """Return the SOP class and the bytes of a C-STORE of a file in Explicit VR Little Endian."""
    (length,) = struct.unpack_from("<I", file, 140)
    data = memoryview(file)[144 + length :]
    sop_class, instance = sop_identity(bytes(data[:4096]), EXPLICIT_LE)
    assert sop_class is not None
    assert instance is not None
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: sop_class,
        Field.COMMAND_FIELD: Operation.C_STORE,
        Field.MESSAGE_ID: 1,
        Field.PRIORITY: 0,
        Field.AFFECTED_SOP_INSTANCE_UID: instance,
    }
    return sop_class, b"".join(fragments(1, command, data, _LONGEST))


def associate_and_send(port: int, messages: Sequence[tuple[str, bytes]], associations: int = 1) -> None:
    """Send messages over one or several associations at the same time, each after the response to the last one.

    Raises
    ------
    RuntimeError
        If one is not answered by success.
    """
    failures: list[BaseException] = []

    def send(share: Sequence[tuple[str, bytes]]) -> None:
        try:
            with _Association(port, share[0][0]) as association:
                for _, message in share:
                    association.ask(message)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=send, args=(messages[first::associations],)) for first in range(associations)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise RuntimeError(f"C-STORE or C-ECHO failed: {failures[0]}") from failures[0]


class _Association:
    def __init__(self, port: int, sop_class: str) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), _PATIENCE_S)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._assembler = Assembler()
        self._socket.sendall(_association_request(sop_class))
        if self._read()[0] != 2:
            raise RuntimeError("The association was not accepted")

    def __enter__(self) -> _Association:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.sendall(b"\5\0\0\0\0\4\0\0\0\0")
        self._read()
        self._socket.close()

    def ask(self, message: bytes) -> None:
        self._socket.sendall(message)
        response: Message | None = None
        while response is None:
            pdu = self._read()
            if pdu[0] != 4:
                raise RuntimeError("The association was aborted")
            response = next(self._assembler.take(memoryview(pdu)[6:]), None)
        if response.status:
            raise RuntimeError(f"The status was {response.status:04x}")

    def _read(self) -> bytes:
        head = self._exactly(6)
        return head + self._exactly(int.from_bytes(head[2:], "big"))

    def _exactly(self, size: int) -> bytes:
        content = b""
        while len(content) < size:
            # The real server writes a response in two pieces, and waits for the acknowledgement of the first.
            if _QUICK_ACK is not None:
                self._socket.setsockopt(socket.IPPROTO_TCP, _QUICK_ACK, 1)
            piece = self._socket.recv(size - len(content))
            if not piece:
                raise RuntimeError("The connection was closed")
            content += piece
        return content


def _association_request(sop_class: str) -> bytes:
    context = b"\1\0\0\0" + _item(0x30, sop_class.encode()) + _item(0x40, EXPLICIT_LE.encode())
    user = _item(0x51, struct.pack(">I", _LONGEST)) + _item(0x52, b"2.25.1")
    body = b"".join(
        (
            b"\0\1\0\0",
            b"ORTHANC".ljust(16),
            b"BENCH".ljust(16),
            bytes(32),
            _item(0x10, b"1.2.840.10008.3.1.1.1"),
            _item(0x20, context),
            _item(0x50, user),
        )
    )
    return struct.pack(">BxI", 1, len(body)) + body


def _item(kind: int, body: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(body)) + body
