"""The real Orthanc and ours as servers of associations and of C-STORE: the same bytes get the same answers."""

from __future__ import annotations

import zlib

import pytest
import requests

from orthanc_lab.dimse.command_set import Field
from tests.network.conftest import Server
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
    pdu,
    role,
    store_message,
)
from tests.rest.files import CT_IMAGE, orthanc_id

pytestmark = pytest.mark.real
BIG_ENDIAN, DEFLATED, RLE = "1.2.840.10008.1.2.2", "1.2.840.10008.1.2.1.99", "1.2.840.10008.1.2.5"
JPEG = [f"1.2.840.10008.1.2.4.{number}" for number in (50, 58, 70, 81, 90, 94, 95, 100, 107, 110, 201, 203)]
MAIL = "1.2.840.10008.1.2.6.1"
FIND, MOVE, GET = (f"1.2.840.10008.5.1.4.1.2.2.{number}" for number in (1, 2, 3))
PROPOSALS = [
    [IMPLICIT, EXPLICIT],
    [EXPLICIT, IMPLICIT],
    [BIG_ENDIAN, IMPLICIT],
    [BIG_ENDIAN, IMPLICIT, EXPLICIT],
    [BIG_ENDIAN],
    [DEFLATED, IMPLICIT],
    [RLE, JPEG[0], EXPLICIT],
    [EXPLICIT, RLE],
    ["1.2.3.4", EXPLICIT],
    ["1.2.3.4"],
    [MAIL],
    *[[uid] for uid in JPEG],
]
CLASSES = [
    CT_IMAGE,
    ECHO,
    FIND,
    MOVE,
    GET,
    "1.2.840.10008.5.1.4.1.2.1.1",
    "1.2.840.10008.5.1.4.1.2.3.1",
    "1.2.840.10008.5.1.4.1.1.88.77",
    "1.2.840.10008.5.1.4.31",
    "1.2.840.10008.1.20.1",
    "1.2.840.10008.1.3.10",
    "1.2.3.4",
]


@pytest.mark.parametrize("sop_class", CLASSES)
def test_contexts(ours: Server, real: Server, sop_class: str):
    """Each proposal in a context of its own, all in one association."""
    contexts = [(2 * number + 1, sop_class, proposal) for number, proposal in enumerate(PROPOSALS)]
    answers = []
    for server in (ours, real):
        with RawClient(server.dicom_port, contexts) as client:
            client.release()
            # The transfer syntax of a refused context says nothing.
            answers.append(
                {number: chosen if chosen[0] == 0 else chosen[0] for number, chosen in client.accepted.items()}
            )
    assert answers[0] == answers[1]


@pytest.mark.parametrize("sop_class", [CT_IMAGE, ECHO, FIND, GET, "1.2.840.10008.1.20.1"])
@pytest.mark.parametrize(("scu", "scp"), [(True, True), (False, True), (True, False)])
def test_roles(ours: Server, real: Server, sop_class: str, scu: bool, scp: bool):
    request = association_request([(1, sop_class, [EXPLICIT])], items=role(sop_class, scu, scp))
    answers = []
    for server in (ours, real):
        with RawClient(server.dicom_port, None) as client:
            client.send(request)
            kind, accepted = client.read()
            answers.append((kind, answered_contexts(accepted), role(sop_class, scu, scp) in accepted))
            client.release()
    assert answers[0] == answers[1]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(pdu(4, bytes(20000)), id="longer than agreed"),
        pytest.param(pdu(9, b""), id="unknown PDU"),
        pytest.param(pdu(4, b"\0\0\0\2\3\3"), id="context that was not accepted"),
        pytest.param(pdu(6, bytes(4)), id="release response"),
    ],
)
def test_out_of_turn(ours: Server, real: Server, content: bytes):
    answers = []
    for server in (ours, real):
        with RawClient(server.dicom_port) as client:
            client.send(content)
            answers.append(client.read()[0])
    assert answers == [ABORT, ABORT]


def stored(server: Server, instance: str, data: bytes, sop_class: str, syntax: str) -> list[object]:
    with RawClient(server.dicom_port, [(1, CT_IMAGE, [syntax])]) as client:
        response = client.ask(store_message(instance, data, sop_class, number=9))
        client.release()
        command = {int(field): value for field, value in response.command.items()}
        return [command, len(response.data)]


def packed_raw(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


NO_STUDY = data_set("1.2.7").replace(b"\x20\x00\x0d\x00UI", b"\x20\x00\x0f\x00UI")
NO_INSTANCE = data_set("1.2.7").replace(b"\x08\x00\x18\x00UI", b"\x08\x00\x19\x00UI")


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(("1.2.5", data_set("1.2.5"), CT_IMAGE, EXPLICIT), id="good"),
        pytest.param(("1.2.5", data_set("1.2.5"), CT_IMAGE, EXPLICIT), id="again"),
        pytest.param(("1.2.8", data_set("1.2.8", size=70_000), CT_IMAGE, EXPLICIT), id="large"),
        pytest.param(("1.2.9", data_set("1.2.9"), CT_IMAGE, JPEG[4]), id="JPEG 2000 without pixels"),
        pytest.param(("1.2.6", data_set("1.2.5"), CT_IMAGE, EXPLICIT), id="other instance"),
        pytest.param(("1.2.5", data_set("1.2.5"), "1.2.840.10008.5.1.4.1.1.4", EXPLICIT), id="other class"),
        pytest.param(("1.2.7", NO_STUDY, CT_IMAGE, EXPLICIT), id="no study"),
        pytest.param(("1.2.7", NO_INSTANCE, CT_IMAGE, EXPLICIT), id="no instance"),
    ],
)
def test_store(ours: Server, real: Server, sent: tuple[str, bytes, str, str]):
    answers = [stored(server, *sent) for server in (ours, real)]
    assert answers[0] == answers[1]


def test_what_was_stored(ours: Server, real: Server):
    data = data_set("1.2.11", patient="TWIN", study="1.22", series="1.22.3", size=30_000)
    instance = orthanc_id("TWIN", "1.22", "1.22.3", "1.2.11")
    found = []
    for server in (ours, real):
        with RawClient(server.dicom_port, STORING) as client:
            assert client.ask(store_message("1.2.11", data)).status == 0
            client.release()
        url = f"{server.url}/instances/{instance}"
        metadata = requests.get(f"{url}/metadata?expand", timeout=30).json()
        assert len(metadata.pop("ReceptionDate")) == 15
        parent = requests.get(url, timeout=30).json()["ParentSeries"]
        series = requests.get(f"{server.url}/series/{parent}/metadata?expand", timeout=30)
        found.append((requests.get(f"{url}/file", timeout=30).content, metadata, series.json()["RemoteAET"]))
    assert found[0] == found[1]


@pytest.mark.parametrize("padding", [b"", b"\0"])
def test_a_deflated_data_set_is_stored_without_its_padding(ours: Server, real: Server, padding: bytes):
    uid = f"1.2.12.{len(padding)}"
    packed = next(
        data
        for size in range(2, 100, 2)
        if len(data := packed_raw(data_set(uid, patient="TWIN", study="1.22", size=size))) % 2 == len(padding)
    )
    files = []
    for server in (ours, real):
        assert stored(server, uid, packed + padding, CT_IMAGE, DEFLATED)[0][int(Field.STATUS)] == 0
        instance = requests.post(f"{server.url}/tools/lookup", uid, timeout=30).json()[0]["ID"]
        files.append(requests.get(f"{server.url}/instances/{instance}/file", timeout=30).content)
    assert files[0] == files[1]
    assert files[0].endswith(packed)


def test_echo(ours: Server, real: Server):
    answers = []
    for server in (ours, real):
        with RawClient(server.dicom_port, ECHOING) as client:
            answers.append((dict(client.ask(echo_message(5)).command), client.release()))
    assert answers[0] == answers[1]
