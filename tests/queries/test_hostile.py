"""Nodes that do not keep to the rules: every wait ends, memory is bounded, and the failure has words."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from orthanc_lab.dimse import retrieve
from tests.queries.answering import STUDY, finding
from tests.queries.conftest import Asked
from tests.queries.scripted_node import C_CANCEL_RQ, C_ECHO_RQ, PENDING, Conversation, Message, ScriptedNode, element
from tests.queries.sending import instance
from tests.queries.test_queries import PLAIN, QUERY
from tests.queries.test_retrieving import STUDY_BODY
from tests.waiting import until

CALLS = {"C-FIND": ("/modalities/hasty/query", PLAIN), "C-MOVE": ("/modalities/hasty/move", STUDY_BODY)}
ALL_CALLS = {**CALLS, "C-GET": ("/modalities/hasty/get", STUDY_BODY)}
SILENT = "DIMSE No data available (timeout in non-blocking mode)"
GONE = "Peer aborted Association (or never connected)"


def after(act: Callable[[Conversation, Message], object]) -> Callable[[Conversation], None]:
    """Do something when the request has come, and then hold the connection."""

    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        act(conversation, request)
        conversation.receive()

    return script


def leave(conversation: Conversation, request: Message) -> None:
    conversation.socket.shutdown(2)


def echo(conversation: Conversation, request: Message) -> None:
    conversation.send({0x0002: "1.2.840.10008.1.1", 0x0100: C_ECHO_RQ, 0x0110: 7}, b"", request.context)


def store(conversation: Conversation, request: Message) -> None:
    sent = instance()
    conversation.store(request.context, sent.sop_class, sent.uid, sent.data)


def answer_another(conversation: Conversation, request: Message) -> None:
    other = Message({**request.command, 0x0110: 77}, b"", request.context)
    conversation.answer(other, 0)


BEHAVIOURS: list[tuple[Callable[[Conversation, Message], object], str]] = [
    (lambda conversation, request: None, SILENT),
    (leave, GONE),
    (lambda conversation, request: conversation.abort(), GONE),
    (echo, "DIMSE: Unexpected Response Command Field: 0x30"),
    (store, "DIMSE: Unexpected Response Command Field: 0x1"),
    (answer_another, "DIMSE: Unexpected Response MsgId: 77 (expected: 1)"),
]


@pytest.mark.parametrize("service", CALLS)
@pytest.mark.parametrize(("act", "words"), BEHAVIOURS, ids=["silent", "gone", "abort", "echo", "store", "another"])
def test_failures_have_words(asked: Asked, service: str, act: Any, words: str) -> None:
    asked.script(after(act))
    path, body = CALLS[service]
    assert asked.refused(path, body) == (500, 9, f'DicomAssociation - {service} to AET "NODE": {words}')


@pytest.mark.parametrize(("act", "words"), BEHAVIOURS[:4], ids=["silent", "gone", "abort", "echo"])
def test_a_get_that_breaks_off_is_a_failure(ours: Asked, act: Any, words: str) -> None:
    # The real one says that all is well.
    ours.script(after(act))
    assert ours.refused(*ALL_CALLS["C-GET"]) == (500, 9, f'DicomAssociation - C-GET to AET "NODE": {words}')


@pytest.mark.parametrize("service", ALL_CALLS)
@pytest.mark.parametrize(
    "garbage",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        bytes(200),
        b"\x04\x00\xff\xff\xff\xff" + bytes(100),
        b"\x04\x00\x00\x00\x00\x08\x00\x00\x00\x04\x01\x03ab",
        b"\x02\x00\x00\x00\x00\x04abcd",
        b"\x04\x00\x00\x00\x40\x00half",
    ],
)
def test_garbage_is_a_failure(ours: Asked, service: str, garbage: bytes) -> None:
    ours.script(after(lambda conversation, request: conversation.socket.sendall(garbage)))
    status, code, details = ours.refused(*ALL_CALLS[service])
    assert (status, code) == (500, 9)
    assert details.startswith(f'DicomAssociation - {service} to AET "NODE": ')


def test_answers_that_are_no_dicom(asked: Asked) -> None:
    asked.script(finding(b"\x01\x02\x03abc this is not DICOM at all....."))
    status, code, details = asked.refused(QUERY, PLAIN)
    assert (status, code) == (500, 9)
    assert details.startswith('DicomAssociation - C-FIND to AET "NODE": DIMSE Failed to receive message')


def test_answers_without_a_data_set(asked: Asked) -> None:
    asked.script(finding(b""))
    words = 'DicomAssociation - C-FIND to AET "NODE": DIMSE Unexpected PDV type'
    assert asked.refused(QUERY, PLAIN) == (500, 9, words)


def test_answers_without_end(ours: Asked) -> None:
    large = STUDY + element(0x00204000, "x" * (4 << 20))

    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        while True:  # until the connection is gone
            conversation.answer(request, PENDING, large)

    ours.script(script)
    words = 'DicomAssociation - C-FIND to AET "NODE": The node sends answers without end'
    assert ours.refused(QUERY, PLAIN) == (500, 9, words)


@pytest.mark.parametrize("what", ["C-CANCEL", "empty PDUs", "empty fragments"])
@pytest.mark.parametrize("service", ALL_CALLS)
def test_what_is_no_response_does_not_prolong_the_wait(ours: Asked, service: str, what: str) -> None:
    def send(conversation: Conversation, request: Message) -> None:
        if what == "C-CANCEL":
            conversation.send({0x0100: C_CANCEL_RQ, 0x0120: request.id}, b"", request.context)
        elif what == "empty PDUs":
            conversation.socket.sendall(bytes.fromhex("04 00 00 00 00 00") * 100)
        else:
            fragment = bytes.fromhex("04 00 00 00 00 06 00 00 00 02") + bytes([request.context, 1])
            conversation.socket.sendall(fragment * 100)

    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        while True:  # until the connection is gone
            send(conversation, request)

    ours.script(script)
    assert ours.refused(*ALL_CALLS[service]) == (500, 9, f'DicomAssociation - {service} to AET "NODE": {SILENT}')


def test_an_answer_of_more_elements_than_any_real_one(ours: Asked) -> None:
    ours.script(finding(b"".join(element(0x00410000 + tag, "") for tag in range(0x1000, 0x1000 + 20_000))))
    words = 'DicomAssociation - C-FIND to AET "NODE": DIMSE Failed to receive message'
    assert ours.refused(QUERY, PLAIN) == (500, 9, words)


@pytest.mark.parametrize("service", ALL_CALLS)
def test_a_response_without_a_status_is_no_success(ours: Asked, service: str) -> None:
    def answer(conversation: Conversation, request: Message) -> None:
        command = {0x0002: request.command[0x0002], 0x0100: request.kind | 0x8000, 0x0120: request.id}
        conversation.send(command, b"", request.context)

    ours.script(after(answer))
    words = "DIMSE: Missing mandatory element: Status"
    assert ours.refused(*ALL_CALLS[service]) == (500, 9, f'DicomAssociation - {service} to AET "NODE": {words}')


@pytest.mark.parametrize("syntax", ["", "1.2.3"])
@pytest.mark.parametrize("call", [*ALL_CALLS.values(), ("/modalities/lying/echo", {})], ids=[*ALL_CALLS, "C-ECHO"])
def test_contexts_that_are_accepted_otherwise_than_proposed(ours: Asked, call: tuple[str, Any], syntax: str) -> None:
    path, body = call
    with ScriptedNode(finding(), forced=syntax) as node:
        ours("PUT", "/modalities/lying", ["LYING", "127.0.0.1", node.port])
        words = 'Unable to negotiate a presentation context with AET "LYING"'
        assert ours.refused(path.replace("hasty", "lying"), body) == (500, 2015, words)
    ours("DELETE", "/modalities/lying")


def test_messages_in_place_of_a_release_are_not_kept(ours: Asked) -> None:
    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        conversation.answer(request, 0)
        for _ in range(20):
            conversation.answer(request, PENDING, bytes(2 << 20))
        conversation.receive()

    ours.script(script)
    tracemalloc.start()
    try:
        assert ours("POST", QUERY, PLAIN).status_code == 200
        assert tracemalloc.get_traced_memory()[1] < 20 << 20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("service", ["C-MOVE", "C-GET"])
def test_responses_without_end_and_without_progress(ours: Asked, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        while True:
            conversation.answer(request, PENDING, remaining=1, completed=1, failed=0, warning=0)

    ours.script(script)
    monkeypatch.setattr(retrieve, "_LONGEST_WITHOUT_PROGRESS", 0.0)
    words = "The node sends responses without end, and nothing else"
    assert ours.refused(*ALL_CALLS[service]) == (500, 9, f'DicomAssociation - {service} to AET "NODE": {words}')


@pytest.mark.parametrize("service", ["C-MOVE", "C-GET"])
@pytest.mark.parametrize("command", ["cancel", "pause"])
def test_a_job_that_waits_without_a_limit_obeys(ours: Asked, service: str, command: str) -> None:
    ours.script(after(lambda conversation, request: None))
    path, body = ALL_CALLS[service]
    job = ours.post(path, {**body, "Asynchronous": True, "Timeout": 0})["ID"]
    until(lambda: ours.node.received)
    ours.post(f"/jobs/{job}/{command}")
    until(lambda: ours.get(f"/jobs/{job}")["State"] == ("Failure" if command == "cancel" else "Paused"))
    ours.post(f"/jobs/{job}/cancel")


def test_an_operation_without_end_can_be_cancelled(ours: Asked) -> None:
    def script(conversation: Conversation) -> None:
        request = conversation.receive()
        assert request is not None
        while True:
            conversation.answer(request, PENDING, remaining=1, completed=1, failed=0, warning=0)

    ours.script(script)
    job = ours.post("/modalities/node/move", {**STUDY_BODY, "Asynchronous": True})["ID"]
    until(lambda: ours.get(f"/jobs/{job}")["Progress"] == 50)
    ours.post(f"/jobs/{job}/cancel")
    until(lambda: ours.get(f"/jobs/{job}")["State"] == "Failure")
    assert ours.get("/system")["Version"]


def test_deep_and_lying_answers_do_not_stop_the_server(ours: Asked) -> None:
    deep = b""
    for _ in range(200):
        deep = element(0x00081110, b"\xfe\xff\x00\xe0" + len(deep).to_bytes(4, "little") + deep, "SQ")
    for answer in (
        deep,
        b"\x10\x00\x20\x00\xff\xff\xff\x7fP1",
        b"\x08\x00\x05\x00\x04\x00\x00\x00\xff\xff\xff\xff" * 40,
    ):
        ours.script(finding(answer))
        response = ours("POST", QUERY, PLAIN)
        if response.status_code == 200:
            assert ours("GET", response.json()["Path"] + "/answers?expand").status_code == 200
        else:
            assert response.json()["OrthancStatus"] == 9
