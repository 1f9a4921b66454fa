"""Items of later editions of the standard, odd titles and contexts: they get what they get at the real server."""

from __future__ import annotations

import struct

import pytest

import orthanc_lab
from tests.network.conftest import Server
from tests.network.raw_client import (
    ABORT,
    ECHO,
    ECHOING,
    IMPLICIT,
    RawClient,
    answered_contexts,
    association_request,
    echo_message,
    item,
    pdu,
)
from tests.rest.files import CT_IMAGE

APPLICATION = item(0x10, b"1.2.840.10008.3.1.1.1")
USER = item(0x50, item(0x51, struct.pack(">I", 16384)) + item(0x52, b"1.2.3"))
USUAL = association_request()


def of_user(kind: int, value: bytes) -> bytes:
    return association_request(items=item(kind, value))


def with_version(version: bytes) -> bytes:
    return USUAL[:6] + version + USUAL[8:]


def with_titles(called: bytes, calling: bytes) -> bytes:
    return USUAL[:10] + called.ljust(16) + calling.ljust(16) + USUAL[42:]


def with_item_of_context(kind: int, value: bytes) -> bytes:
    inner = item(0x30, ECHO.encode()) + item(kind, value) + item(0x40, IMPLICIT.encode())
    return pdu(1, USUAL[6:74] + APPLICATION + item(0x20, b"\1\0\0\0" + inner) + USER)


ROLES_OF_ECHO = struct.pack(">H", len(ECHO)) + ECHO.encode()
ACCEPTED = {
    "an unknown item of the user": of_user(0x5A, b"abc"),
    "another one": of_user(0x60, b""),
    "an item of contexts among those of the user": of_user(0x40, b"1.2"),
    "an unknown item at the end": pdu(1, USUAL[6:] + item(0x99, b"abc")),
    "an unknown item at the beginning": pdu(1, USUAL[6:74] + item(0x99, b"abc") + USUAL[74:]),
    "an unknown item of a context": with_item_of_context(0x99, b"abc"),
    "protocol versions 1 and 2": with_version(b"\0\3"),
    "all protocol versions": with_version(b"\xff\xff"),
    "a user of an unknown kind": of_user(0x58, b"\x09\1\0\1a\0\0"),
    "a user who wants an answer": of_user(0x58, b"\1\1\0\1a\0\0"),
    "a user with a long name": of_user(0x58, b"\2\0" + struct.pack(">H", 60_000) + b"a" * 60_000 + b"\0\0"),
    "a window of one byte": of_user(0x53, b"\0"),
    "roles that are none": of_user(0x54, ROLES_OF_ECHO + b"\7\7"),
    "titles that end with NUL": with_titles(b"ORTHANC".ljust(16, b"\0"), b"RAW".ljust(16, b"\0")),
    "titles with something after NUL": with_titles(b"ORTHANC\0\xff\xff\xff", b"RAW\0\x01\x02"),
    "titles of Latin-1": with_titles(b"\xe9" * 16, b"M\xfcller"),
    "titles with control characters": with_titles(b"\x1b[31m\n", b"a\tb\\c"),
}
REFUSED = {
    "no version": with_version(b"\0\0"),
    "version 2": with_version(b"\0\2"),
}
CONTEXTS = {
    "an empty transfer syntax": ([(1, ECHO, [""]), (3, CT_IMAGE, [""]), (5, "1.2.3", [""])], {1: 4, 3: 3, 5: 3}),
    "an empty one among others": ([(1, ECHO, ["", IMPLICIT])], {1: 0}),
    "an empty SOP class": ([(1, "", [IMPLICIT]), (3, ECHO, [IMPLICIT])], {1: 3, 3: 0}),
}


def _is_answered(port: int, request: bytes) -> bool:
    """Whether an association is accepted, and its C-ECHO answered."""
    with RawClient(port, None) as client:
        client.send(request)
        return client.read()[0] == 2 and client.ask(echo_message()).status == 0


def _results(port: int, request: bytes) -> dict[int, int]:
    with RawClient(port, None) as client:
        client.send(request)
        kind, accepted = client.read()
        assert kind == 2
        return {number: result for number, (result, _) in answered_contexts(accepted).items()}


def _rejection(port: int, request: bytes) -> bytes:
    with RawClient(port, None) as client:
        client.send(request)
        kind, rejected = client.read()
        assert kind == 3
        return rejected[7:10]


@pytest.mark.parametrize("request_", ACCEPTED.values(), ids=ACCEPTED)
def test_accepted(server: orthanc_lab.EmbeddedServer, request_: bytes) -> None:
    assert _is_answered(server.dicom_port, request_)


@pytest.mark.parametrize("request_", REFUSED.values(), ids=REFUSED)
def test_refused(server: orthanc_lab.EmbeddedServer, request_: bytes) -> None:
    assert _rejection(server.dicom_port, request_) == b"\1\2\2"


@pytest.mark.parametrize(("contexts", "results"), CONTEXTS.values(), ids=CONTEXTS)
def test_contexts(
    server: orthanc_lab.EmbeddedServer, contexts: list[tuple[int, str, list[str]]], results: dict[int, int]
) -> None:
    assert _results(server.dicom_port, association_request(contexts)) == results


def test_a_context_without_any_transfer_syntax(server: orthanc_lab.EmbeddedServer) -> None:
    """It ends the association, as at the real server; and is no error of ours."""
    for contexts in ([(1, ECHO, ())], [*ECHOING, (3, CT_IMAGE, ())]):
        with RawClient(server.dicom_port, None) as client:
            client.send(association_request(contexts))
            assert client.wait_for_end() == [ABORT]


def test_a_title_that_ends_with_nul_is_the_one_before_it() -> None:
    with orthanc_lab.serve(
        DicomCheckCalledAet=True,
        DicomAet="LAB",
        DicomAlwaysAllowEcho=False,
        DicomModalities={"raw": ["RAW", "127.0.0.1", 1]},
    ) as server:
        assert _is_answered(server.dicom_port, with_titles(b"LAB".ljust(16, b"\0"), b"RAW".ljust(16, b"\0")))
        assert _rejection(server.dicom_port, with_titles(b"LA\0B", b"RAW")) == b"\1\1\7"


@pytest.mark.real
def test_as_the_real_server(ours: Server, real: Server) -> None:
    for name, request in ACCEPTED.items():
        assert _is_answered(ours.dicom_port, request), name
        assert _is_answered(real.dicom_port, request), name
    for name, request in REFUSED.items():
        assert _rejection(ours.dicom_port, request) == _rejection(real.dicom_port, request), name
    for name, (contexts, results) in CONTEXTS.items():
        assert _results(real.dicom_port, association_request(contexts)) == results, name
