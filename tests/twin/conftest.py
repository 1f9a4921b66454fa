"""How the twin tests are run: the pair of servers, the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.twin import Twin
from tests.twin.bodies import build


@pytest.fixture(scope="session")
def ledger() -> Ledger:
    return Ledger.read(Path(__file__).parent / "ledger.toml")


@pytest.fixture(scope="session")
def twin(request: pytest.FixtureRequest, real_program: str) -> Twin:
    if request.config.getoption("real_alone"):
        return Twin(RealOrthanc, RealOrthanc, build())
    import orthanc_lab

    return Twin(orthanc_lab.serve, RealOrthanc, build())
