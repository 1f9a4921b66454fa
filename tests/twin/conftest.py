"""How the twin tests are run: the pair of servers, the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.twin import Twin
from tests.dimse.scripted_node import ScriptedNode
from tests.twin.all_bodies import build


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return Ledger.read(Path(__file__).parent / "ledger.toml")


@pytest.fixture(scope="session")
def twin(request: pytest.FixtureRequest, real_program: str) -> Twin:
    ours = RealOrthanc if request.config.getoption("real_alone") else orthanc_lab.serve
    return Twin(ours, RealOrthanc, build(), ScriptedNode)
