"""What is accepted of an association, and how it ends."""

from __future__ import annotations

import socket
import sys
from typing import Any

import pytest

import orthanc_lab
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.server.api_document import openapi
from tests.network.data_sets import data_set
from tests.network.raw_client import (
    ABORT,
    ECHO,
    ECHOING,
    EXPLICIT,
    IMPLICIT,
    STORING,
    RawClient,
    answered_contexts,
    association_request,
    echo_message,
    item,
    pdu,
    role,
    store_message,
)
from tests.rest.files import CT_IMAGE
from tests.waiting import until

BIG_ENDIAN, DEFLATED = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99"
JPEG_2000, RLE, HTJ2K = "1.2.840.10008.1.2.4.90", "1.2.840.10008.1.2.5", "1.2.840.10008.1.2.4.201"
MR_IMAGE = "1.2.840.10008.5.1.4.1.1.4"


def answer(server: orthanc_lab.EmbeddedServer, request: bytes) -> tuple[int, bytes]:
    """Return what answers the first bytes of a connection."""
    with RawClient(server.dicom_port, None) as client:
        client.send(request)
        return client.read()


def may(server: orthanc_lab.EmbeddedServer, what: str, aet: str = "RAW") -> str:
    """Return what becomes of a request of somebody: "rejected" with the association, or "aborted", or "answered"."""
    contexts = ECHOING if what == "echo" else STORING
    message = echo_message() if what == "echo" else store_message("1.2.3.4", data_set("1.2.3.4"))
    with RawClient(server.dicom_port, None) as client:
        client.send(association_request(contexts, aet))
        kind, content = client.read()
        if kind == 3:
            assert content[7:10] == b"\1\1\3"
            return "rejected"
        client.send(message)
        return "aborted" if client.read()[0] == ABORT else "answered"


@pytest.mark.parametrize(
    ("sop_class", "proposed", "expected"),
    [
        (CT_IMAGE, [IMPLICIT, EXPLICIT], (0, IMPLICIT)),
        (CT_IMAGE, [JPEG_2000, EXPLICIT], (0, JPEG_2000)),
        (CT_IMAGE, [BIG_ENDIAN, IMPLICIT], (0, BIG_ENDIAN)),
        (CT_IMAGE, [HTJ2K, DEFLATED], (0, DEFLATED)),
        (CT_IMAGE, [HTJ2K], (3, HTJ2K)),
        (CT_IMAGE, ["1.2.840.10008.1.2.6.1"], (3, "1.2.840.10008.1.2.6.1")),
        (ECHO, [IMPLICIT, EXPLICIT], (0, EXPLICIT)),
        (ECHO, [JPEG_2000, IMPLICIT], (0, IMPLICIT)),
        (ECHO, [RLE], (4, RLE)),
        ("1.2.3.4", [IMPLICIT], (3, IMPLICIT)),
    ],
)
def test_contexts(server: orthanc_lab.EmbeddedServer, sop_class: str, proposed: list[str], expected: tuple[int, str]):
    with RawClient(server.dicom_port, [(1, sop_class, proposed)]) as client:
        assert client.accepted == {1: expected}


@pytest.mark.parametrize("none", ["1.2.X", "1.02", "1..2", ".", " ", "1.2 ", "é"])
def test_what_is_no_uid(server: orthanc_lab.EmbeddedServer, none: str):
    """As at Orthanc, a context with it is refused, a transfer syntax passed over, an application context unknown."""
    contexts = [(1, none, [IMPLICIT]), (3, ECHO, [none, IMPLICIT])]
    kind, accepted = answer(server, association_request(contexts, items=role(none, True, True)))
    assert kind == 2
    assert answered_contexts(accepted) == {1: (3, IMPLICIT), 3: (0, IMPLICIT)}
    assert answer(server, association_request(application=none)) == (3, b"\3\0\0\0\0\4\0\1\1\2")


def test_an_unknown_application_context(server: orthanc_lab.EmbeddedServer):
    assert answer(server, association_request(application="1.2.3")) == (3, b"\3\0\0\0\0\4\0\1\1\2")


@pytest.mark.parametrize("length", [65, 60_000])
def test_what_is_longer_than_any_uid(server: orthanc_lab.EmbeddedServer, length: int):
    longer = "1." + "2" * (length - 2)
    for request in (
        association_request([(1, longer, [IMPLICIT])]),
        association_request([(1, ECHO, [IMPLICIT, longer])]),
        association_request(application=longer),
        association_request(items=item(0x52, longer.encode())),
        association_request(items=item(0x55, longer.encode())),
    ):
        assert answer(server, request)[0] == ABORT


@pytest.mark.parametrize("name", [b"", b"A", b"x" * 17, b"x" * 64, b"\xff\0\n"])
def test_names_of_implementations(server: orthanc_lab.EmbeddedServer, name: bytes):
    assert answer(server, association_request(items=item(0x55, name)))[0] == 2


@pytest.mark.parametrize("kind", [0x20, 0x50])
def test_items_inside_items_without_end(server: orthanc_lab.EmbeddedServer, kind: int):
    inner = b""
    for _ in range(8000):
        inner = item(kind, bytes(4 if kind == 0x20 else 0) + inner)
    assert answer(server, association_request(items=inner))[0] in (2, ABORT)


def test_many_contexts(server: orthanc_lab.EmbeddedServer):
    contexts = [(number, CT_IMAGE if number % 4 == 1 else MR_IMAGE, [EXPLICIT, RLE]) for number in range(1, 257, 2)]
    with RawClient(server.dicom_port, contexts) as client:
        assert client.accepted == {number: (0, EXPLICIT) for number, _, _ in contexts}


@pytest.mark.parametrize(("scu", "scp"), [(True, True), (False, True), (True, False)])
def test_roles(server: orthanc_lab.EmbeddedServer, scu: bool, scp: bool):
    kind, accepted = answer(server, association_request(STORING, items=role(CT_IMAGE, scu, scp)))
    assert kind == 2
    assert role(CT_IMAGE, scu, scp) in accepted


def test_no_role_of_echo(server: orthanc_lab.EmbeddedServer):
    kind, accepted = answer(server, association_request(items=role(ECHO, True, True)))
    assert kind == 2
    assert b"\x54" not in accepted[74:75]
    assert role(ECHO, True, True)[:4] not in accepted


def test_release(server: orthanc_lab.EmbeddedServer):
    with RawClient(server.dicom_port) as client:
        assert client.ask(echo_message(7)).status == 0
        assert client.release() == 6
        assert client.wait_for_end() == []


def test_silence_ends_in_an_abort(server: orthanc_lab.EmbeddedServer):
    with RawClient(server.dicom_port) as client:
        assert client.wait_for_end() == [ABORT]


def test_silence_instead_of_a_request(server: orthanc_lab.EmbeddedServer):
    with RawClient(server.dicom_port, None) as client:
        assert client.wait_for_end() in ([], [ABORT])


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdu(9, b""), id="unknown PDU"),
        pytest.param(pdu(4, bytes(20000)), id="longer than agreed"),
        pytest.param(b"\4\0\xff\xff\xff\xff", id="4 GB"),
        pytest.param(pdu(4, b"\0\0\0\2\3\3"), id="context that was not accepted"),
        pytest.param(pdu(4, b"\0\0\0\2\1\2"), id="data set without command"),
        pytest.param(pdu(4, b"\0\0\0\x7f\1\3"), id="value longer than its PDU"),
        pytest.param(pdu(4, b"\0\0\0\3\1\3x"), id="no command set"),
        pytest.param(pdu(6, bytes(4)), id="release response"),
        pytest.param(association_request(), id="second request"),
        pytest.param(b"\1\0\0\0\0\x10" + bytes(16), id="damaged request"),
        pytest.param(
            echo_message().replace(b"\x00\x01\x02\x00\x00\x00\x30\x00", b"\x00\x01\x02\x00\x00\x00\x77\x00"),
            id="operation",
        ),
    ],
)
def test_what_is_out_of_turn_aborts(server: orthanc_lab.EmbeddedServer, content: bytes):
    with RawClient(server.dicom_port) as client:
        client.send(content)
        assert client.wait_for_end() == [ABORT]


def test_called_title():
    with orthanc_lab.serve(DicomCheckCalledAet=True, DicomAet="LAB") as server:
        assert server.aet == "LAB"
        assert answer(server, association_request(called="lab"))[0] == 2
        assert answer(server, association_request(called="OTHER"))[1][6:] == b"\0\1\1\7"
        server.restart({"DicomCheckCalledAet": True, "DicomAet": "LAB", "StrictAetComparison": True})
        assert answer(server, association_request(called="LAB"))[0] == 2
        assert answer(server, association_request(called="lab"))[0] == 3


def node(host: str = "127.0.0.1", **allowed: bool) -> dict[str, Any]:
    return {"AET": "RAW", "Host": host, "Port": 104, **allowed}


NOBODY = {"DicomAlwaysAllowEcho": False, "DicomAlwaysAllowStore": False}


def test_permissions():
    """The table of what is allowed to whom, as the real server has it."""
    with orthanc_lab.serve() as server:
        assert (may(server, "echo"), may(server, "store")) == ("answered", "answered")
        server.restart({"DicomAlwaysAllowEcho": False})
        assert (may(server, "echo"), may(server, "store")) == ("aborted", "answered")
        server.restart(NOBODY)
        assert (may(server, "echo"), may(server, "store")) == ("rejected", "rejected")
        server.session.put(f"{server.url}/modalities/raw", json=node())
        assert (may(server, "echo"), may(server, "store")) == ("answered", "answered")
        assert may(server, "echo", "raw") == "answered"
        assert may(server, "echo", "OTHER") == "rejected"
        server.session.put(f"{server.url}/modalities/raw", json=node(AllowEcho=False))
        assert (may(server, "echo"), may(server, "store")) == ("aborted", "answered")
        server.session.put(f"{server.url}/modalities/second", json=node(AllowStore=False))
        assert (may(server, "echo"), may(server, "store")) == ("aborted", "aborted")
        server.restart({**NOBODY, "DicomCheckModalityHost": True, "DicomModalities": {"raw": node("10.0.0.1")}})
        assert may(server, "echo") == "rejected"
        server.restart({"DicomModalities": {"raw": node(AllowEcho=False)}})
        assert may(server, "echo") == "answered"
        server.restart({**NOBODY, "StrictAetComparison": True, "DicomModalities": {"raw": node()}})
        assert (may(server, "echo"), may(server, "echo", "raw")) == ("answered", "rejected")


def accepted(server: orthanc_lab.EmbeddedServer, sop_class: str, syntax: str = EXPLICIT) -> bool:
    with RawClient(server.dicom_port, [(1, sop_class, [syntax])]) as client:
        return client.accepted[1][0] == 0


def test_sop_classes_and_transfer_syntaxes():
    with orthanc_lab.serve(AcceptedSopClasses=[CT_IMAGE, "1.2.3.4"]) as server:
        assert [accepted(server, uid) for uid in (CT_IMAGE, MR_IMAGE, "1.2.3.4", "1.2.3.5")] == [
            True,
            False,
            True,
            False,
        ]
        server.session.put(f"{server.url}/tools/unknown-sop-class-accepted", data="1")
        assert [accepted(server, uid) for uid in (MR_IMAGE, "1.2.3.5")] == [False, True]
        server.session.put(f"{server.url}/tools/accepted-transfer-syntaxes", json=["1.2.840.10008.1.2.4.*"])
        assert [accepted(server, CT_IMAGE, syntax) for syntax in (EXPLICIT, JPEG_2000)] == [False, True]
        assert accepted(server, ECHO)
        server.restart({"RejectedSopClasses": ["1.2.840.10008.5.1.4.1.1.2*"]})
        assert [accepted(server, uid) for uid in (CT_IMAGE, MR_IMAGE)] == [False, True]


def test_length_of_pdus():
    with orthanc_lab.serve(MaximumPduLength=4096) as server, RawClient(server.dicom_port) as client:
        client.send(pdu(4, bytes(4097)))
        assert client.wait_for_end() == [ABORT]


def test_port_and_title_are_shown(server: orthanc_lab.EmbeddedServer):
    system = server.session.get(f"{server.url}/system").json()
    assert (system["DicomPort"], system["DicomAet"]) == (server.dicom_port, server.aet)


def test_port_in_use(server: orthanc_lab.EmbeddedServer):
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.serve(DicomPort=server.dicom_port)
    assert caught.value.code == 2004


def test_a_server_without_dicom():
    with orthanc_lab.serve(DicomServerEnabled=False) as server:
        assert server.dicom_port == 0
    with orthanc_lab.in_process(executor="inline") as inline:
        assert inline.dicom_port == 0


def test_without_pynetdicom(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture):
    monkeypatch.setitem(sys.modules, "pynetdicom", None)
    with orthanc_lab.serve() as server:
        assert server.dicom_port == 0
        assert server.session.get(f"{server.url}/system").status_code == 200
    assert "pip install 'orthanc-lab[network]'" in caplog.text


@pytest.mark.parametrize("options", [{}, {"DicomServerEnabled": False}, {"DicomAet": "LAB"}], ids=str)
def test_a_server_without_sockets_does_not_listen(options: dict[str, Any], caplog: pytest.LogCaptureFixture):
    with orthanc_lab.in_process(options) as server:
        assert server.dicom_port == 0
        assert "listening" not in caplog.text


def test_the_description_of_the_rest_api_is_made_without_listening(caplog: pytest.LogCaptureFixture):
    assert "/system" in openapi()
    assert "listening" not in caplog.text


def test_a_server_without_http_sockets_has_dicom_if_asked():
    with orthanc_lab.in_process(DicomServerEnabled=True) as server:
        assert server.session.get(f"{server.url}/system").json()["DicomPort"] == server.dicom_port
        with RawClient(server.dicom_port, STORING) as client:
            assert client.ask(store_message("1.2.9", data_set("1.2.9"))).status == 0
        assert len(server.session.get(f"{server.url}/instances").json()) == 1


def test_port_stays_when_the_server_is_renewed_or_restarted():
    with orthanc_lab.serve() as server:
        port = server.dicom_port
        with RawClient(port, STORING) as client:
            assert client.ask(store_message("1.2.9", data_set("1.2.9"))).status == 0
            server.renew()
            assert server.session.get(f"{server.url}/instances").json() == []
            assert client.ask(store_message("1.2.8", data_set("1.2.8"))).status == 0
        assert len(server.session.get(f"{server.url}/instances").json()) == 1
        server.restart()
        assert server.dicom_port == port
        assert may(server, "echo") == "answered"


def test_the_end_of_the_server_ends_associations():
    with orthanc_lab.serve() as server:
        client = RawClient(server.dicom_port)
        assert client.ask(echo_message()).status == 0
        port = server.dicom_port
    with client:
        assert client.wait_for_end() in ([], [ABORT])

    def is_free() -> bool:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                return False
            return True

    until(is_free, what="the port is not released")


def test_addresses():
    with orthanc_lab.serve(DicomBindAddresses=["127.0.0.1", "::1"]) as server:
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, server.dicom_port), 10) as connection:
                connection.sendall(association_request(STORING) + store_message("1.2.9", data_set("1.2.9")))
                assert connection.recv(1) == b"\2"
                until(lambda: server.session.get(f"{server.url}/instances").json(), what="nothing was stored")
        (instance,) = server.session.get(f"{server.url}/instances").json()
        assert server.session.get(f"{server.url}/instances/{instance}/metadata/RemoteIP").text == "127.0.0.1"
    with pytest.raises(OrthancError) as caught:
        orthanc_lab.serve(DicomBindAddresses=["192.0.2.1"])
    assert caught.value.code == 2004
    assert "192.0.2.1 is not an IP address of this machine" in caught.value.details
