"""How the twin tests are run: the pair of servers, the ledger."""

from __future__ import annotations

import pytest

import orthanc_lab
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenarios import LEDGER
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.twin import Twin
from tests.dimse.scripted_node import ScriptedNode


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return Ledger.read(LEDGER)


@pytest.fixture(scope="session")
def twin(request: pytest.FixtureRequest, real_program: str) -> Twin:
    ours = RealOrthanc if request.config.getoption("real_alone") else orthanc_lab.serve
    return Twin(ours, RealOrthanc, build(), ScriptedNode)
