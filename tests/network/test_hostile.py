"""Clients that break off, dawdle, lie or talk nonsense: the server lives, and frees what they held.

With ``--long``: 300 silent associations, 10,000 fuzzed PDUs and command sets.
"""

from __future__ import annotations

import random
import resource
import select
import socket
import struct
import threading
import time
from collections.abc import Iterator
from contextlib import suppress

import psutil
import pytest

import orthanc_lab
from orthanc_lab.dimse.command_set import Command, Field, Operation
from orthanc_lab.dimse.message import fragments
from tests.memory.test_memory import memory
from tests.network.data_sets import data_set
from tests.network.raw_client import (
    ABORT,
    ECHOING,
    EXPLICIT,
    IMPLICIT,
    STORING,
    RawClient,
    association_request,
    echo_message,
    pdu,
    role,
    store_message,
)
from tests.rest.files import CT_IMAGE
from tests.waiting import until

pytestmark = pytest.mark.timeout(900)
TIMEOUT = 1  # seconds, DicomScpTimeout
GROWTH = 40  # MiB
FIND, GET = "1.2.840.10008.5.1.4.1.2.2.1", "1.2.840.10008.5.1.4.1.2.2.3"
STORE = store_message("1.2.5", data_set("1.2.5", size=60_000))


@pytest.fixture(scope="module")
def child() -> Iterator[orthanc_lab.ChildServer]:
    options = {"DicomScpTimeout": TIMEOUT, "MaximumStorageCacheSize": 0, "DicomAlwaysAllowFind": True}
    with orthanc_lab.serve(process=True, **options) as server:
        with RawClient(server.dicom_port, STORING) as client:  # what is imported stays
            assert client.ask(STORE).status == 0
        yield server


@pytest.fixture
def server(child: orthanc_lab.ChildServer) -> Iterator[orthanc_lab.ChildServer]:
    """A server that is alive at the end, serves DICOM and HTTP, and has freed all threads and descriptors."""
    process = psutil.Process(child.pid)
    child.session.close()  # a connection that is kept open is no rest
    at_rest = until(lambda: _at_rest(process), what="the server does not come to rest")
    yield child
    with RawClient(child.dicom_port) as client:
        assert client.ask(echo_message()).status == 0
        client.release()
    until(lambda: _held(process) <= at_rest, what=lambda: f"held: {_held(process)}, before: {at_rest}")
    assert [line for line in child.errors if "Internal error" in line] == []


def _at_rest(process: psutil.Process) -> int:
    connections = [one for one in process.net_connections("tcp") if one.status != psutil.CONN_LISTEN]
    return 0 if connections else _held(process)


def _held(process: psutil.Process) -> int:
    """Return how many descriptors a process has, without those of HTTP that its client keeps open."""
    return process.num_fds() - len([one for one in process.net_connections("tcp") if one.status == "ESTABLISHED"])


def http_answers(server: orthanc_lab.ChildServer) -> None:
    started = time.monotonic()
    assert server.session.get(f"{server.url}/system", timeout=10).status_code == 200
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("share", [0.001, 0.3, 0.7, 0.999])
def test_broken_off_in_the_middle(server: orthanc_lab.ChildServer, share: float):
    before = server.session.get(f"{server.url}/statistics").json()["CountInstances"]
    message = store_message("1.9.5", data_set("1.9.5", size=60_000))
    for how in ("close", "reset", "abort"):
        with RawClient(server.dicom_port, STORING) as client:
            client.send(message[: int(share * len(message))])
            if how == "reset":
                client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            if how == "abort":
                client.send(pdu(ABORT, bytes(4)))
    assert server.session.get(f"{server.url}/statistics").json()["CountInstances"] == before


def test_a_client_that_stops_in_the_middle_is_given_up(server: orthanc_lab.ChildServer):
    with RawClient(server.dicom_port, STORING) as client:
        client.send(STORE[:30_000])
        assert client.wait_for_end() in ([], [ABORT])


def test_a_client_that_trickles_is_given_up(server: orthanc_lab.ChildServer):
    """A byte from time to time is no progress: a PDU has to be there in time."""
    with RawClient(server.dicom_port, STORING) as client:
        stopped = threading.Event()

        def trickle() -> None:
            for byte in STORE:
                if stopped.wait(TIMEOUT / 4):
                    return
                try:
                    client.send(bytes((byte,)))
                except OSError:
                    return

        thread = threading.Thread(target=trickle)
        thread.start()
        assert client.wait_for_end() in ([], [ABORT])
        stopped.set()
        thread.join()


def send_until_it_fails(client: RawClient, content: bytes, most: int) -> None:
    for _ in range(most):
        client.send(content)


def test_a_client_that_does_not_read(server: orthanc_lab.ChildServer):
    """Requests without end, whose answers nobody takes: the connection is given up, not the server."""
    echoes = echo_message() * 500
    with RawClient(server.dicom_port, receives=4096) as client, pytest.raises(OSError):  # noqa: PT011 - any of them
        send_until_it_fails(client, echoes, 400)
    http_answers(server)


def test_other_protocols(server: orthanc_lab.ChildServer):
    for content in (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", bytes(5000)):
        with RawClient(server.dicom_port, None) as client:
            client.send(content)
            assert client.wait_for_end() in ([], [ABORT])


def test_silent_associations(server: orthanc_lab.ChildServer, request: pytest.FixtureRequest):
    """Half of them have connected only, the others were accepted: neither HTTP nor other associations wait."""
    most = 300 if request.config.getoption("--long") else 60
    silent = [RawClient(server.dicom_port, ECHOING if number % 2 else None) for number in range(most)]
    http_answers(server)
    with RawClient(server.dicom_port, STORING) as client:
        assert client.ask(STORE).status == 0
    for client in silent:
        assert client.wait_for_end() in ([], [ABORT])
        client.socket.close()
    for words in ("requested no association in time", "was silent for too long"):
        assert any(words in line for line in server.tail(2 * most))


def test_lies_about_lengths(server: orthanc_lab.ChildServer):
    """A data set that announces more than there is, in any element, is refused in words and leaves nothing."""
    data = bytearray(data_set("1.8.5", size=300))
    with RawClient(server.dicom_port, STORING) as client:
        for position in range(6, len(data) - 300, 7):
            lying = bytes(data[:position] + b"\xfe\xff\xff\x7f" + data[position + 4 :])
            assert client.ask(store_message("1.8.5", lying)).status in (0, 0xA700, 0xA900, 0xC000)
        client.release()
    for patient in server.session.get(f"{server.url}/patients").json():
        server.session.delete(f"{server.url}/patients/{patient}")


SEEDS = [
    association_request(ECHOING, items=role(CT_IMAGE, True, True)),
    association_request([(1, CT_IMAGE, ["1.2.840.10008.1.2", "1.2.840.10008.1.2.1"]), (3, "1.2.3", ["1.2"])]),
    echo_message(),
    store_message("1.7.5", data_set("1.7.5")),
    pdu(5, bytes(4)),
    pdu(7, bytes(4)),
]


def damaged(content: bytes, draw: random.Random) -> bytes:
    """Return a PDU with some of its bytes changed, cut out, repeated, or lengths that lie."""
    data = bytearray(content)
    for _ in range(draw.randint(1, 4)):
        position = draw.randrange(len(data))
        match draw.randrange(5):
            case 0:
                data[position] = draw.randrange(256)
            case 1:
                del data[position : position + draw.randint(1, 8)]
            case 2:
                data[position:position] = data[position : position + draw.randint(1, 40)]
            case 3:
                data[position : position + 2] = struct.pack(">H", draw.choice((0, 1, 0x7FFF, 0xFFFF)))
            case 4:
                data[position : position + 4] = struct.pack("<I", draw.choice((0, 0xFFFFFFFF, 0x80000000, 2)))
        if not data:
            return b"\0"
    if draw.random() < 0.8 and len(data) >= 6:  # most with the right length of the PDU: else nothing inside is read
        data[2:6] = struct.pack(">I", len(data) - 6)
    return bytes(data)


def test_fuzz(server: orthanc_lab.ChildServer, request: pytest.FixtureRequest):
    """Nothing that a client sends ends the server, keeps it busy, or makes it grow."""
    cases = 4 * request.config.option.cases  # 600, in the long run 10,000
    draw = random.Random(7)
    process = psutil.Process(server.pid)
    before = memory(server)
    busy = sum(process.cpu_times()[:2])
    for number in range(cases):
        seed = draw.choice(SEEDS)
        # The server may have cut it already.
        with RawClient(server.dicom_port, None) as client, suppress(OSError):
            if seed[0] != 1:
                client.send(association_request(STORING if b"1.7.5" in seed else ECHOING))
            client.send(damaged(seed, draw))
            client.socket.shutdown(socket.SHUT_WR)
            client.wait_for_end()
        if number % 100 == 0:
            http_answers(server)
    assert sum(process.cpu_times()[:2]) - busy < 5 + 0.01 * cases
    assert memory(server) - before < GROWTH
    for patient in server.session.get(f"{server.url}/patients").json():
        server.session.delete(f"{server.url}/patients/{patient}")


def test_uids_that_are_none(server: orthanc_lab.ChildServer):
    """Whatever others send in their place, nothing of it is kept, and little of it is in the log."""
    before = memory(server)
    for number in range(600):
        none = f"1.2.X{number}".ljust(60_000 if number % 2 else 64, "7")
        for request in (association_request([(1, none, [IMPLICIT])]), association_request(application=none)):
            with RawClient(server.dicom_port, None) as client:
                client.send(request)
                client.read()
    assert memory(server) - before < GROWTH
    assert all(len(line) < 1000 for line in server.tail())


def test_fragments_without_end(server: orthanc_lab.ChildServer):
    """A command set that does not end is cut off at a limit, and what follows is not kept."""
    before = memory(server)
    with RawClient(server.dicom_port) as client:
        with suppress(OSError):  # the connection may be closed already
            send_until_it_fails(client, pdu(4, struct.pack(">IBB", 16002, 1, 1) + bytes(16000)), 1000)
        assert client.wait_for_end() in ([], [ABORT])
    assert memory(server) - before < GROWTH


def test_nothing_is_kept_of_an_instance_that_was_not_sent_to_its_end(server: orthanc_lab.ChildServer):
    before = memory(server)
    with RawClient(server.dicom_port, STORING) as client:
        message = store_message("1.9.6", data_set("1.9.6", size=100 << 20))
        client.send(message[: 90 << 20])
    until(lambda: memory(server) - before < GROWTH, what=lambda: f"{memory(server) - before} MiB are kept")


def test_a_query_of_more_keys_than_any_real_one(server: orthanc_lab.ChildServer):
    keys = b"".join(struct.pack("<HHI", 0x41, tag, 0) for tag in range(0x1000, 0x1000 + 20_000))
    level = struct.pack("<HHI6s", 8, 0x52, 6, b"STUDY ")
    with RawClient(server.dicom_port, ((1, FIND, (IMPLICIT,)),)) as client:
        assert client.ask(query(Operation.C_FIND, FIND, level + keys)).status == 0xC000
        client.release()


def test_a_large_instance_over_a_slow_line(server: orthanc_lab.ChildServer):
    """The whole of it takes longer than the time-out, but each part of it is in time."""
    message = store_message("1.9.6", data_set("1.9.6", size=160_000))
    with RawClient(server.dicom_port, STORING) as client:
        for start in range(0, len(message), 16_384):
            client.send(message[start : start + 16_384])
            threading.Event().wait(TIMEOUT / 4)
        assert client.response().status == 0
        client.release()
    server.session.delete(f"{server.url}/patients/{server.session.get(f'{server.url}/patients').json()[0]}")


def test_clients_that_do_not_take_what_they_get_hold_nobody_up():
    """One turn, and two clients that owe an answer to the instance that they have asked for."""
    level = struct.pack("<HHI6s", 8, 0x52, 6, b"STUDY ") + struct.pack("<HHI4s", 0x20, 0xD, 4, b"1.2\0")
    contexts = ((1, GET, (IMPLICIT,)), (3, CT_IMAGE, (EXPLICIT,)))
    with orthanc_lab.serve(DicomThreadsCount=1, DicomScpTimeout=0, DicomAlwaysAllowGet=True) as server:
        with RawClient(server.dicom_port, STORING) as client:
            assert client.ask(STORE).status == 0
        with RawClient(server.dicom_port, contexts) as first, RawClient(server.dicom_port, contexts) as second:
            for one in (first, second):
                assert one.ask(query(Operation.C_GET, GET, level)).field == Operation.C_STORE
            with RawClient(server.dicom_port) as client:
                assert client.ask(echo_message()).status == 0


def test_a_client_that_takes_its_instances_too_slowly_loses_its_turn_to_one_that_waits():
    """It takes a little, again and again, so that no time-out is over."""
    level = struct.pack("<HHI6s", 8, 0x52, 6, b"STUDY ") + struct.pack("<HHI4s", 0x20, 0xD, 4, b"1.2\0")
    contexts = ((1, GET, (IMPLICIT,)), (3, CT_IMAGE, (EXPLICIT,)))
    large = store_message("1.2.5", data_set("1.2.5", size=8_000_000))
    with orthanc_lab.serve(DicomThreadsCount=1, DicomScpTimeout=0, DicomAlwaysAllowGet=True) as server:
        with RawClient(server.dicom_port, STORING) as client:
            assert client.ask(large).status == 0
        get = query(Operation.C_GET, GET, level)
        with RawClient(server.dicom_port, contexts, receives=4096) as slow:
            slow.send(get)
            assert slow.read()[0] == 4  # it has the turn
            with RawClient(server.dicom_port, contexts, timeout=300) as other:
                other.send(get)
                while not select.select([other.socket], [], [], 0.1)[0]:
                    with suppress(ConnectionError):
                        slow.socket.recv(512)
                assert other.response().field == Operation.C_STORE


def query(operation: Operation, sop_class: str, identifier: bytes) -> bytes:
    command: Command = {
        Field.AFFECTED_SOP_CLASS_UID: sop_class,
        Field.COMMAND_FIELD: operation,
        Field.MESSAGE_ID: 1,
        Field.PRIORITY: 0,
    }
    return b"".join(fragments(1, command, identifier))


def test_a_silent_association_loses_its_place():
    """A process of few descriptors has few places: those who are silent do not keep the others out."""
    with orthanc_lab.serve(process=True, DicomScpTimeout=0) as server:
        limits = resource.prlimit(server.pid, resource.RLIMIT_NOFILE)
        resource.prlimit(server.pid, resource.RLIMIT_NOFILE, (256, limits[1]))
        server.session.post(f"{server.url}/tools/reset", data="")
        until(lambda: sum("has started" in line for line in server.tail()) == 2, what="the reset is not done")
        silent = [RawClient(server.dicom_port, None) for _ in range(70)]
        with RawClient(server.dicom_port) as client:
            assert client.ask(echo_message()).status == 0
            client.release()
        for one in silent:
            one.socket.close()
