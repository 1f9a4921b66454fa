"""Instances that a node sends in the course of a C-GET."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pydicom
from pydicom.data import get_testdata_file
from pydicom.filebase import DicomBytesIO
from pydicom.filewriter import write_dataset

from tests.queries.scripted_node import C_GET_RQ, C_STORE_RQ, PENDING, Conversation, Message

__all__ = ["CT", "Instance", "instance", "sending"]

CT = "1.2.840.10008.5.1.4.1.1.2"


@dataclass(frozen=True)
class Instance:
    """What a C-STORE sends."""

    sop_class: str
    uid: str
    data: bytes  # Implicit VR Little Endian


def instance(number: int = 1) -> Instance:
    """Return a small CT image."""
    found = pydicom.dcmread(str(get_testdata_file("CT_small.dcm")), stop_before_pixels=True)
    found.SOPInstanceUID = f"1.2.3.{number}"
    buffer = DicomBytesIO()
    buffer.is_little_endian, buffer.is_implicit_VR = True, True
    write_dataset(buffer, found)
    return Instance(str(found.SOPClassUID), str(found.SOPInstanceUID), buffer.getvalue())


def sending(
    *instances: Instance, status: int = 0, taken: Callable[[Message], object] = lambda message: None
) -> Callable[[Conversation], None]:
    """Answer each C-GET by sending instances; `taken` is given each response."""

    def script(conversation: Conversation) -> None:
        for message in conversation.messages():
            if message.kind == C_GET_RQ:
                send(conversation, message, instances, taken)
                conversation.answer(message, status, completed=len(instances), failed=0, warning=0)

    return script


def send(
    conversation: Conversation,
    request: Message,
    instances: tuple[Instance, ...],
    taken: Callable[[Message], object] = lambda message: None,
) -> None:
    """Send instances, with a response to the request after each."""
    for number, each in enumerate(instances, start=1):
        context = conversation.context_of(each.sop_class)
        conversation.store(context, each.sop_class, each.uid, each.data, message_id=number)
        response = conversation.receive()
        assert response is not None
        assert response.kind == C_STORE_RQ | 0x8000
        taken(response)
        remaining = len(instances) - number
        conversation.answer(request, PENDING, remaining=remaining, completed=number, failed=0, warning=0)
