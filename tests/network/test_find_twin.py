"""C-FIND on both servers: the same answers, byte for byte."""

from __future__ import annotations

import pytest

from orthanc_lab.dimse.association import Proposal
from orthanc_lab.dimse.command_set import Operation
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE
from tests.network.conftest import Server
from tests.network.find_cases import PATIENT_ROOT, STUDY_ROOT
from tests.network.identifiers import Keys, identifier
from tests.network.wire import FIND, Wire

pytestmark = pytest.mark.real


def _answers(port: int, root: str, cases: dict[str, tuple[str | None, Keys]]) -> dict[str, list[str]]:
    with Wire.open(port, Proposal(FIND[root], [IMPLICIT_LE])) as wire:
        return {
            name: wire.ask(Operation.C_FIND, FIND[root], identifier(level, keys))
            for name, (level, keys) in cases.items()
        }


@pytest.mark.parametrize(("root", "cases"), [("study", STUDY_ROOT), ("patient", PATIENT_ROOT)])
def test_answers_are_those_of_the_real_server(
    ours: Server, real: Server, root: str, cases: dict[str, tuple[str | None, Keys]]
) -> None:
    assert _answers(ours.dicom_port, root, cases) == _answers(real.dicom_port, root, cases)
