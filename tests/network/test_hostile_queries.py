"""Identifiers and information that are garbage: each is answered or its association is ended, and the server lives."""

from __future__ import annotations

import random

import pytest

from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Field, Operation
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from tests.network.commitment_bodies import CT, information
from tests.network.conftest import Server
from tests.network.identifiers import UID, encoded, identifier
from tests.network.wire import COMMITMENT, FIND, GET, MOVE, Wire

_SEEDS = (
    identifier("STUDY", {"0010,0010": "Test*", "0020,000d": "", "0008,0061": "CT", "0008,1140": [{"0010,0020": ""}]}),
    identifier("IMAGE", {"0008,0018": f"{UID}1.1.1", "0028,0010": 4, "0008,0005": "ISO_IR 192"}),
    encoded({"0008,0052": "STUDY", "0405,0010": "My Company", "0405,1001": "x", "0008,0020": "2020-"}),
    information("1.2.3", (CT, "1.2.3"), failures=[(CT, "1.2.4", 0x0112)]),
)
_ASKED = (
    (Operation.C_FIND, FIND["study"], {}),
    (Operation.C_GET, GET["study"], {}),
    (Operation.C_MOVE, MOVE["study"], {Field.MOVE_DESTINATION: "PROBE"}),
    (
        Operation.N_EVENT_REPORT,
        COMMITMENT,
        {Field.AFFECTED_SOP_INSTANCE_UID: f"{COMMITMENT}.1", Field.EVENT_TYPE_ID: 2},
    ),
)


def _spoilt(chance: random.Random) -> bytes:
    data = bytearray(chance.choice(_SEEDS))
    for _ in range(chance.randrange(1, 6)):
        place = chance.randrange(len(data))
        match chance.randrange(4):
            case 0:
                data[place] = chance.randrange(256)
            case 1:
                del data[place : place + chance.randrange(9)]
            case 2:
                data[place:place] = chance.randbytes(chance.randrange(9))
            case _:
                data[place : place + 4] = b"\xff\xff\xff\xff"
        data = data or bytearray(b"\0")
    return bytes(data)


@pytest.mark.parametrize("syntax", [IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE])
def test_garbage(ours: Server, syntax: str, pytestconfig: pytest.Config) -> None:
    chance = random.Random(syntax)
    left = pytestconfig.option.cases
    sop_classes = dict.fromkeys(sop_class for _, sop_class, _ in _ASKED)
    while left:
        with Wire.open(ours.dicom_port, *(Proposal(sop_class, [syntax]) for sop_class in sop_classes)) as wire:
            ended = False
            while left and not ended:
                left -= 1
                operation, sop_class, fields = chance.choice(_ASKED)
                ended = wire.ask(operation, sop_class, _spoilt(chance), fields)[-1] == "the association has ended"
    with Wire.open(ours.dicom_port, Proposal(FIND["study"], [IMPLICIT_LE])) as wire:
        assert "STATUS=0000" in wire.ask(Operation.C_FIND, FIND["study"], identifier("STUDY", {"0010,0020": "P1"}))[-1]
