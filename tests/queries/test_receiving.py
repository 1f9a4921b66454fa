"""What a node sends in the course of a C-GET: the same to our server and to the real one."""

from __future__ import annotations

import pytest

from tests.queries.conftest import Asked
from tests.queries.scripted_node import C_GET_RQ, C_STORE_RQ, Conversation, Message
from tests.queries.sending import CT, Instance, instance, sending
from tests.queries.test_retrieving import STUDY_BODY

GET = "/modalities/node/get"


def test_what_is_sent_is_stored_as_it_comes(asked: Asked) -> None:
    responses: list[Message] = []
    sent = instance()
    asked.script(sending(sent, taken=responses.append))
    asked.post(GET, STUDY_BODY)
    (id,) = asked.stored()
    assert asked("GET", f"/instances/{id}/file").content.endswith(sent.data)
    (response,) = responses
    assert (response.command[0x0900], response.command[0x1000], response.command[0x0120]) == (0, sent.uid, 1)
    metadata = asked.get(f"/instances/{id}/metadata?expand")
    assert metadata["Origin"] == "DicomProtocol"
    assert (metadata["CalledAET"], metadata["RemoteAET"]) == ("NODE", "ORTHANC")
    assert metadata["TransferSyntax"] == "1.2.840.10008.1.2"


def test_the_address_is_that_of_the_node(ours: Asked) -> None:
    # The real one writes the name of its own machine.
    ours.script(sending(instance()))
    ours.post(GET, STUDY_BODY)
    (id,) = ours.stored()
    assert ours.get(f"/instances/{id}/metadata?expand")["RemoteIP"] == "127.0.0.1"


def test_many_instances(asked: Asked) -> None:
    asked.script(sending(*map(instance, range(1, 21))))
    asked.post(GET, STUDY_BODY)
    assert len(asked.stored()) == 20
    asked.post(GET, STUDY_BODY)
    assert len(asked.stored()) == 20


def test_what_is_no_dicom_fails(ours: Asked) -> None:
    # The real one says that all is well.
    responses: list[Message] = []
    broken = Instance(CT, "1.2.3", b"\x10\x00\x20\x00\xff\xff\xff\x00P1")
    ours.script(sending(broken, instance(), taken=responses.append))
    status, code, _ = ours.refused(GET, STUDY_BODY)
    assert (status, code) == (400, 15)
    assert [response.command[0x0900] for response in responses] == [0xC000, 0]
    assert len(ours.stored()) == 1


@pytest.mark.parametrize("context", [1, 251, 2])
def test_instances_in_a_context_that_is_none_of_theirs_are_not_stored(ours: Asked, context: int) -> None:
    responses: list[Message | None] = []
    sent = instance()

    def script(conversation: Conversation) -> None:
        for message in conversation.messages():
            if message.kind == C_GET_RQ:
                conversation.store(context, sent.sop_class, sent.uid, sent.data)
                responses.append(conversation.receive())
                conversation.answer(message, 0)

    ours.script(script)
    ours("POST", GET, STUDY_BODY)
    assert ours.stored() == []
    (response,) = responses
    assert response is None or (response.kind == C_STORE_RQ | 0x8000 and response.command[0x0900] == 0x0122)
