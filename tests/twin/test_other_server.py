"""The application does not depend on our HTTP server: the same scenarios under another one.

The usual run takes some of them, ``--long`` all.
"""

from __future__ import annotations

import pytest

from orthanc_lab.testing.ledger import Accepted, Ledger
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.scenarios.bodies import build
from orthanc_lab.testing.twin import Twin
from tests.dimse.scripted_node import ScriptedNode
from tests.twin.other_server import OtherServer

pytestmark = pytest.mark.real

USUAL = ("protocol-verbs", "protocol-paths", "protocol-override", "upload-forms", "http-forms", "http-method-in-query",
         "http-pages", "revisions", "security-users", "archives")  # fmt: skip
ITS_OWN = ("connection", "keep-alive", "server", "date", "transfer-encoding", "content-length")
"""Headers that the server adds, and not the application."""
ITS_OWN_PATHS = ("GET //*", "* /*%2F*")


@pytest.fixture(scope="module")
def other(real_program: str) -> Twin:
    return Twin(OtherServer, RealOrthanc, build(), ScriptedNode)


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_same_exchanges_get_the_same_answers(
    scenario: Scenario, other: Twin, ledger: Ledger, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long") and not scenario.name.startswith(USUAL):
        pytest.skip("with --long")
    its_own = [Accepted("*", "*", f"header {name}", "the other server's own header") for name in ITS_OWN]
    its_own += [Accepted("*", path, "*", "the other server decides it by itself") for path in ITS_OWN_PATHS]
    left = other.run(scenario).unaccepted(Ledger([*ledger.lines, *its_own]))
    assert not left, "\n\n".join(map(str, left))
