"""Every scenario: the same exchanges on a fresh server of ours and on a fresh real one.

The usual run takes every third one, ``--long`` all. ``pytest tests/twin --real-alone`` runs
them on two real servers, which shows that what the scenarios compare does not depend on
chance.
"""

from __future__ import annotations

import pytest

from orthanc_lab.testing.ledger import Ledger
from orthanc_lab.testing.scenario import Scenario
from orthanc_lab.testing.scenarios import SCENARIOS
from orthanc_lab.testing.twin import Twin
from tests.coverage.observing import SEEN, Observation, read_json

pytestmark = pytest.mark.real

HELP = """
Either our answer is to be mended, or the difference is right and the ledger says why:

[[accepted]]
scenario = "{scenario}"
exchange = '''{line}'''
field = "{field}"
reason = "…"
"""


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_same_exchanges_get_the_same_answers(
    scenario: Scenario, twin: Twin, ledger: Ledger, request: pytest.FixtureRequest
) -> None:
    if not request.config.getoption("--long") and SCENARIOS.index(scenario) % 3:
        pytest.skip("with --long")
    observation = Observation(scenario)
    report = twin.run(scenario, observation)
    if request.config.getoption("real_alone"):
        ledger = Ledger([])
    left = report.unaccepted(ledger)
    if left:
        first = left[0]
        advice = HELP.format(scenario=scenario.name, line=first.line, field=first.differences[0].field)
        pytest.fail(
            f"{len(left)} of {report.exchanges} exchanges differ\n" + "\n\n".join(map(str, left)) + advice,
            pytrace=False,
        )
    if not request.config.getoption("real_alone"):
        wrong = observation.wrong(scenario.name, read_json(SEEN))
        assert not wrong, "COVERAGE.md is out of date; run `python -m tests.coverage.record`"


def test_there_are_many_exchanges() -> None:
    assert sum(scenario.exchanges for scenario in SCENARIOS) >= 2500


def test_each_scenario_has_a_name_of_its_own() -> None:
    names = [scenario.name for scenario in SCENARIOS]
    assert sorted(names) == sorted(set(names))


def test_no_line_of_the_ledger_is_stale(twin: Twin, ledger: Ledger, request: pytest.FixtureRequest) -> None:
    # Runs last; lines whose scenarios were not all selected in this run are left in peace.
    if request.config.getoption("real_alone"):
        pytest.skip("two real servers have no use for the ledger")
    stale = ledger.stale(scenario.name for scenario in SCENARIOS)
    assert not stale, "No answer differs any more where the ledger says so; remove:\n" + "\n".join(map(str, stale))
