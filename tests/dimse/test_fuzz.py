"""Nodes that answer with damaged bytes: each call ends in time, with an error in words, and leaves nothing behind."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

import orthanc_lab
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.dimse.message import fragments
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from tests.archives.files import dicom

TITLES = b"DAMAGED".ljust(16) + b"ORTHANC".ljust(16) + bytes(32)


def item(kind: int, content: bytes) -> bytes:
    return struct.pack(">BxH", kind, len(content)) + content


def acceptance(syntax: bytes = b"1.2.840.10008.1.2.1") -> bytes:
    application = item(0x10, b"1.2.840.10008.3.1.1.1")
    context = item(0x21, bytes([1, 0, 0, 0]) + item(0x40, syntax))
    user = item(0x50, item(0x51, struct.pack(">L", 16384)) + item(0x52, b"1.2.3"))
    content = struct.pack(">HH", 1, 0) + TITLES + application + context + user
    return struct.pack(">BxL", 2, len(content)) + content


def response(operation: Operation) -> bytes:
    command = {
        Field.COMMAND_FIELD: operation.response,
        Field.MESSAGE_ID_BEING_RESPONDED_TO: 1,
        Field.AFFECTED_SOP_CLASS_UID: "1.2.840.10008.1.1",
        Field.STATUS: 0,
    }
    return b"".join(fragments(1, command))


class DamagedNode:
    """Answers the first PDU with an acceptance and the second one with a response; one of both has been damaged."""

    def __init__(self) -> None:
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self.answers: list[bytes] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def stop(self) -> None:
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()

    def _serve(self) -> None:
        with suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                with connection, suppress(OSError):
                    connection.settimeout(0.1)  # it closes what waits for more
                    for answer in self.answers:
                        if not connection.recv(1 << 16):
                            break
                        connection.sendall(answer)


def damaged(chance: random.Random, data: bytes) -> bytes:
    """Return bytes with a few of them changed, left out, doubled, or with a piece of noise."""
    result = bytearray(data)
    for _ in range(chance.randrange(1, 4)):
        position = chance.randrange(len(result) or 1)
        match chance.randrange(5):
            case 0:
                result[position : position + 1] = bytes([chance.randrange(256)])
            case 1:
                del result[position : position + chance.randrange(1, 8)]
            case 2:
                result[position:position] = chance.randbytes(chance.randrange(1, 8))
            case 3:
                result[position : position + 4] = chance.choice((bytes(4), b"\xff" * 4, b"\0\0\0\1"))
            case _:
                result = result[:position]
    return bytes(result)


@pytest.fixture(scope="module")
def server() -> Iterator[EmbeddedServer]:
    with orthanc_lab.serve(DicomServerEnabled=False) as server:
        yield server


@pytest.fixture(scope="module")
def node() -> Iterator[DamagedNode]:
    node = DamagedNode()
    yield node
    node.stop()


@pytest.mark.parametrize("operation", [Operation.C_ECHO, Operation.C_STORE, Operation.C_FIND])
def test_damaged_answers(
    server: EmbeddedServer, node: DamagedNode, operation: Operation, pytestconfig: pytest.Config
) -> None:
    chance = random.Random(int(operation))
    modality = {"AET": "DAMAGED", "Host": "127.0.0.1", "Port": node.port, "Timeout": 1}
    assert server.session.put(f"{server.url}/modalities/node", json=modality).status_code == 200
    paths = {Operation.C_ECHO: "echo", Operation.C_STORE: "store-straight", Operation.C_FIND: "find-worklist"}
    bodies = {Operation.C_ECHO: b"", Operation.C_STORE: dicom(), Operation.C_FIND: b"{}"}
    whole = [acceptance(), response(operation)]
    node.answers = whole
    url = f"{server.url}/modalities/node/{paths[operation]}"
    assert server.session.post(url, data=bodies[operation]).status_code == 200
    before = len(psutil.Process().open_files()) + psutil.Process().num_fds()
    codes = set()
    for case in range(pytestconfig.option.cases // 10):
        answers = list(whole)
        which = chance.randrange(2)
        answers[which] = damaged(chance, answers[which])
        node.answers = answers
        answer = server.session.post(url, data=bodies[operation])
        code = 0 if answer.status_code == 200 else answer.json()["OrthancStatus"] if answer.content else 9
        assert code in (0, 9, 2015), (case, answers, answer.text)
        codes.add(code)
    assert 9 in codes
    after = len(psutil.Process().open_files()) + psutil.Process().num_fds()
    assert after <= before + 4
