"""Scripts for a node that behaves."""

from __future__ import annotations

import struct
from collections.abc import Callable

from tests.queries.scripted_node import C_FIND_RQ, PENDING, Conversation, Message, element

__all__ = ["STUDY", "elements", "finding", "statuses"]


def finding(*answers: bytes, status: int = 0) -> Callable[[Conversation], None]:
    """Answer each C-FIND with the same data sets, and then a status; each other request with the status alone."""

    def script(conversation: Conversation) -> None:
        for message in conversation.messages():
            if message.kind == C_FIND_RQ:
                for answer in answers:
                    conversation.answer(message, PENDING, answer)
            conversation.answer(message, status)

    return script


def statuses(*statuses: int) -> Callable[[Conversation], None]:
    """Answer the requests with statuses, one after the other; the last one is repeated."""
    left = list(statuses)

    def script(conversation: Conversation) -> None:
        for message in conversation.messages():
            conversation.answer(message, left.pop(0) if len(left) > 1 else left[0])

    return script


def elements(message: Message) -> dict[str, bytes]:
    """Return the elements of an identifier in Implicit VR Little Endian."""
    found = {}
    data = message.data
    while data:
        group, number, length = struct.unpack_from("<HHI", data)
        found[f"{group:04x},{number:04x}"] = data[8 : 8 + length]
        data = data[8 + length :]
    return found


STUDY = (
    element(0x00080050, "A1")
    + element(0x00080052, "STUDY")
    + element(0x00080054, "NODE")
    + element(0x00100010, "DOE^JANE")
    + element(0x00100020, "P1")
    + element(0x0020000D, "1.2.3", "UI")
)
"""An answer at the level of studies."""
