"""DIMSE messages, and the P-DATA fragments they travel in (PS3.8 section 9.3.5 and annex E).

The data set stays as it came: bytes that nobody has looked at.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

from orthanc_lab.dimse.command_set import (
    NO_DATA_SET,
    Command,
    CommandError,
    Field,
    Operation,
    decode_command,
    encode_command,
)

__all__ = ["Assembler", "Message", "MessageError", "fragments"]

_LONGEST_COMMAND = 16 << 10  # bytes; a few hundred are usual
_LONGEST_STORED = 2 << 30  # bytes of the data set of a C-STORE …
_LONGEST_OTHER = 16 << 20  # … and of any other message
_USUAL_PDU = 16384  # where the peer names no limit
_LONGEST_PDU = 128 << 10  # whatever a peer takes: how fast it takes them is seen after each
_COMMAND, _LAST = 1, 2  # bits of the message control header
_ITEM = struct.Struct(">IBB")
_PDU = struct.Struct(">BxIIBB")


class MessageError(Exception):
    """What came is no part of a message, or too much."""


@dataclass(frozen=True, slots=True)
class Message:
    """A request or a response."""

    context_id: int
    command: Command
    data: bytes | bytearray  # the encoded data set; empty without one
    raw_command: bytes = b""  # as it came

    @property
    def field(self) -> int:
        """The command field."""
        return self.number(Field.COMMAND_FIELD)

    @property
    def message_id(self) -> int:
        """The message ID of a request."""
        return self.number(Field.MESSAGE_ID)

    @property
    def status(self) -> int:
        """The status of a response."""
        return self.number(Field.STATUS)

    @property
    def size(self) -> int:
        """The bytes of its command set and its data set."""
        return len(self.raw_command) + len(self.data)

    @property
    def has_data(self) -> bool:
        """Whether a data set belongs to it."""
        return self.command.get(Field.COMMAND_DATA_SET_TYPE, NO_DATA_SET) != NO_DATA_SET

    def number(self, field: Field) -> int:
        """Return a number of the command set, 0 if it is missing."""
        value = self.command.get(field, 0)
        return value if isinstance(value, int) else 0

    def text(self, field: Field) -> str:
        """Return a text of the command set, empty if it is missing."""
        value = self.command.get(field, "")
        return value if isinstance(value, str) else ""


class Assembler:
    """Puts the fragments of messages together, one message after the other.

    Attributes
    ----------
    taken
        Bytes of command sets and data sets, without what stands around them: a peer may send that without end.
    """

    def __init__(self) -> None:
        self.taken = 0
        self._raw_command = bytearray()
        self._command: Command | None = None  # of the message whose data set is awaited
        self._context_id = 0
        self._data = bytearray()
        self._longest = 0

    def take(self, items: memoryview) -> Iterator[Message]:
        """Take the presentation data values of a P-DATA-TF PDU; yield the messages that are complete.

        Raises
        ------
        MessageError
            If an item is cut off or out of turn, the command set cannot be read, or the message is too long.
        """
        position, end = 0, len(items)
        while position < end:
            if end - position < _ITEM.size:
                raise MessageError("a presentation data value is cut off")
            length, context_id, header = _ITEM.unpack_from(items, position)
            start = position + _ITEM.size
            position += 4 + length
            if length < 2 or position > end:
                raise MessageError("a presentation data value is cut off")
            self.taken += length - 2
            if header & _COMMAND:
                message = self._take_command(items[start:position], context_id, is_last=bool(header & _LAST))
            else:
                message = self._take_data(items[start:position], context_id, is_last=bool(header & _LAST))
            if message is not None:
                yield message

    def forget(self) -> None:
        """Forget what came of a message that is not complete: no more of it is to come."""
        self._command, self._data, self._raw_command = None, bytearray(), bytearray()

    def _take_command(self, piece: memoryview, context_id: int, *, is_last: bool) -> Message | None:
        if self._command is not None:
            raise MessageError("a command set came in place of a data set")
        self._raw_command += piece
        if len(self._raw_command) > _LONGEST_COMMAND:
            raise MessageError("a command set is too long")
        if not is_last:
            return None
        try:
            command = decode_command(self._raw_command)
        except CommandError as error:
            raise MessageError(str(error)) from error
        self._command, self._context_id = command, context_id
        if command.get(Field.COMMAND_DATA_SET_TYPE, NO_DATA_SET) == NO_DATA_SET:
            return self._whole()
        is_stored = command[Field.COMMAND_FIELD] == Operation.C_STORE
        self._longest = _LONGEST_STORED if is_stored else _LONGEST_OTHER
        return None

    def _take_data(self, piece: memoryview, context_id: int, *, is_last: bool) -> Message | None:
        if self._command is None or context_id != self._context_id:
            raise MessageError("a data set came without a command set")
        self._data += piece
        if len(self._data) > self._longest:
            raise MessageError(f"a data set is longer than {self._longest} bytes")
        return self._whole() if is_last else None

    def _whole(self) -> Message:
        assert self._command is not None
        message = Message(self._context_id, self._command, self._data, bytes(self._raw_command))
        self.forget()
        return message


def fragments(
    context_id: int, command: Command, data: bytes | memoryview | None = None, maximum_length: int = 0
) -> Iterator[bytes]:
    """Return the P-DATA-TF PDUs of a message.

    Parameters
    ----------
    data
        The encoded data set.
    maximum_length
        The longest PDU that the peer takes (without its own header); 0 if it names no limit.
    """
    size = max(min(maximum_length or _USUAL_PDU, _LONGEST_PDU), _ITEM.size + 2) - _ITEM.size
    encoded = encode_command(command, has_data_set=data is not None)
    yield from _pieces(context_id, memoryview(encoded), _COMMAND, size)
    if data is not None:
        yield from _pieces(context_id, memoryview(data), 0, size)


def _pieces(context_id: int, content: memoryview, kind: int, size: int) -> Iterator[bytes]:
    end = len(content)
    for start in range(0, end or 1, size):
        piece = content[start : start + size]
        header = kind | (_LAST if start + size >= end else 0)
        length = len(piece)
        yield b"".join((_PDU.pack(4, length + 6, length + 2, context_id, header), piece))
