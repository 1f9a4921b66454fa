"""COVERAGE.md tells the truth: it is what the code and the twin tests say."""

from __future__ import annotations

import tomllib
from fnmatch import fnmatchcase

import pytest

from orthanc_lab.testing.scenarios import SCENARIOS
from tests.coverage.observing import REAL, SEEN, read_json
from tests.coverage.page import LEFT_OUT, PAGE, page, rows
from tests.coverage.record import real_operations, real_options


def test_the_page_is_up_to_date() -> None:
    assert PAGE.read_text("utf-8") == page(), "run `python -m tests.coverage.record --page`"


@pytest.mark.real
def test_the_real_server_has_these_operations_and_options(real_program: str) -> None:
    real = read_json(REAL)
    assert real["operations"] == real_operations(real_program)
    assert real["options"] == real_options(real_program)


def test_what_is_left_out_has_a_reason() -> None:
    assert [row.name for lines in rows().values() for row in lines if not row.has and not row.reason] == []


def test_no_reason_is_stale() -> None:
    found = rows()
    for kind, reasons in tomllib.loads(LEFT_OUT.read_text("utf-8")).items():
        missing = [row.name for row in found[kind] if not row.has]
        assert [pattern for pattern in reasons if not any(fnmatchcase(name, pattern) for name in missing)] == []


def test_nearly_all_operations_are_twin_tested() -> None:
    """All but those of the DICOM network, of plug-ins and of Lua."""
    lines = [row for row in rows()["operations"] if row.has and " /transfers/" not in row.name]
    assert sum(bool(row.scenario) for row in lines) >= 0.95 * len(lines)


def test_every_scenario_that_is_named_exists() -> None:
    named = {scenario for kind in read_json(SEEN).values() for scenario in kind.values()}
    assert named <= {scenario.name for scenario in SCENARIOS}
