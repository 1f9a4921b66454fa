"""Command sets, fragments and PDUs: pydicom and pynetdicom are the judges."""

from __future__ import annotations

import socket
import struct
from io import BytesIO

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pynetdicom.dimse_messages import DIMSEMessage
from pynetdicom.dimse_primitives import C_FIND, C_STORE
from pynetdicom.dsutils import decode
from pynetdicom.pdu import P_DATA_TF

from orthanc_lab.dimse.command_set import (
    NO_DATA_SET,
    CommandError,
    Field,
    Operation,
    decode_command,
    encode_command,
)
from orthanc_lab.dimse.message import Assembler, MessageError, fragments
from orthanc_lab.dimse.pdu_reader import PduError, PduReader

NUMBERS = st.integers(0, 0xFFFF)
UIDS = st.from_regex(r"[0-2](\.[1-9][0-9]{0,5}){1,8}", fullmatch=True)
TITLES = st.text("ABCDEFGHIJKLMNOPQRSTUVWXYZ_", min_size=1, max_size=16)
COMMANDS = st.fixed_dictionaries(
    {Field.COMMAND_FIELD: st.sampled_from([int(one) for one in Operation])},
    optional={
        Field.AFFECTED_SOP_CLASS_UID: UIDS,
        Field.AFFECTED_SOP_INSTANCE_UID: UIDS,
        Field.MESSAGE_ID: NUMBERS,
        Field.STATUS: NUMBERS,
        Field.MOVE_DESTINATION: TITLES,
        Field.REMAINING_SUBOPERATIONS: NUMBERS,
        Field.OFFENDING_ELEMENT: st.lists(st.integers(0, 0xFFFFFFFF), min_size=1, max_size=3).map(tuple),
    },
)


@given(command=COMMANDS, has_data_set=st.booleans())
def test_pydicom_reads_what_is_written(command, has_data_set):
    encoded = encode_command(command, has_data_set=has_data_set)
    read = decode(BytesIO(encoded), True, True)
    assert read.CommandGroupLength == len(encoded) - 12
    assert (read.CommandDataSetType == NO_DATA_SET) is not has_data_set
    for field, value in command.items():
        found = read[0, int(field)].value
        if isinstance(value, tuple):
            assert ([found] if len(value) == 1 else list(found)) == list(value)
        else:
            assert found == value
    again = dict(decode_command(encoded))
    del again[Field.COMMAND_DATA_SET_TYPE]
    assert again == command


@given(content=st.binary(max_size=200))
def test_any_bytes_are_a_command_set_or_refused(content):
    try:
        command = decode_command(content)
    except CommandError:
        return
    assert Field.COMMAND_FIELD in command


def test_pynetdicom_takes_our_fragments():
    """A message that it puts together is the one that was meant."""
    data = bytes(range(256)) * 300
    command = {
        Field.AFFECTED_SOP_CLASS_UID: "1.2.840.10008.5.1.4.1.1.2",
        Field.COMMAND_FIELD: Operation.C_STORE,
        Field.MESSAGE_ID: 7,
        Field.PRIORITY: 2,
        Field.AFFECTED_SOP_INSTANCE_UID: "1.2.3",
    }
    message = DIMSEMessage()
    for pdu in fragments(3, command, data, 4096):
        assert len(pdu) <= 4096 + 6
        read = P_DATA_TF()
        read.decode(pdu)
        message.decode_msg(read.to_primitive())
    primitive = message.message_to_primitive()
    assert isinstance(primitive, C_STORE)
    assert (primitive.MessageID, primitive.AffectedSOPInstanceUID) == (7, "1.2.3")
    assert primitive.DataSet.getvalue() == data


def test_we_take_its_fragments():
    primitive = C_FIND()
    primitive.MessageID = 5
    primitive.AffectedSOPClassUID = "1.2.840.10008.5.1.4.1.2.2.1"
    primitive.Identifier = BytesIO(b"\x08\x00\x05\x00\x00\x00\x00\x00" * 2000)
    from pynetdicom.dimse_messages import C_FIND_RQ

    message = C_FIND_RQ()
    message.primitive_to_message(primitive)
    assembler = Assembler()
    found = []
    for pdata in message.encode_msg(1, 4096):
        found += assembler.take(memoryview(P_DATA_TF(pdata).encode())[6:])
    (received,) = found
    assert (received.context_id, received.field, received.message_id) == (1, Operation.C_FIND, 5)
    assert received.data == primitive.Identifier.getvalue()


@given(sizes=st.lists(st.integers(1, 50), max_size=20), data=st.binary(max_size=300))
def test_a_message_in_any_pieces(sizes, data):
    """However the bytes of a message are cut into values, it is the same message."""
    command = encode_command({Field.COMMAND_FIELD: Operation.C_STORE}, has_data_set=True)
    assembler, found = Assembler(), []
    for content, kind in ((command, 1), (data, 0)):
        rest = content
        for size in [*sizes, len(content) + 1]:
            piece, rest = rest[:size], rest[size:]
            header = kind | (2 if not rest else 0)
            item = struct.pack(">IBB", len(piece) + 2, 9, header) + piece
            found += assembler.take(memoryview(item))
            if not rest:
                break
    (message,) = found
    assert (message.context_id, bytes(message.data)) == (9, data)


@pytest.mark.parametrize(
    "items",
    [b"\0\0\0\2", b"\0\0\0\1\1", b"\0\0\0\x09\1\3", b"\0\0\0\2\1\0", b"\0\0\0\2\1\3", b"\xff\xff\xff\xff\1\1"],
)
def test_what_is_no_message(items):
    with pytest.raises(MessageError):
        list(Assembler().take(memoryview(items)))


@pytest.fixture
def pair():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        one = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
    with one, other:
        yield one, other


def test_pdus_are_read_one_by_one(pair):
    here, there = pair
    pdus = [struct.pack(">BxI", 4, size) + bytes(size) for size in (0, 1, 5000, 16384, 3)]
    there.sendall(b"".join(pdus))
    reader = PduReader(16384)
    assert [bytes(reader.read(here, 1, 1)[1]) for _ in pdus] == pdus
    assert reader.read(here, 0.01, 1) is None


def test_pdus_are_bounded_in_length_and_time(pair):
    here, there = pair
    there.sendall(struct.pack(">BxI", 4, 16385))
    with pytest.raises(PduError):
        PduReader(16384).read(here, 1, 1)
    there.sendall(struct.pack(">BxI", 4, 100) + bytes(99))
    with pytest.raises(TimeoutError):
        PduReader(16384).read(here, 1, 0.05)
    there.close()
    with pytest.raises(EOFError):
        PduReader(16384).read(here, 1, 1)
