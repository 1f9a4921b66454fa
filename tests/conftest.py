"""What several folders of tests share: the real Orthanc, and the options of this suite."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings
from xdist.remote import Producer

from orthanc_lab.lab.json_schemas import import_without_iri
from orthanc_lab.testing.real import MISSING, find_program
from tests.programs import missing
from tests.shares import Shares, import_in_turn, place_of
from tests.usual_run import left_to_the_long_run

import_without_iri()  # before the test modules import nbformat


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="the long runs: many kills, many cases, the full sizes (CI)")
    parser.addoption("--kills", type=int, help="kill -9 of each crash test (2, with --long 20)")
    parser.addoption("--cases", type=int, help="cases of each fuzz test (100, with --long 1500)")
    parser.addoption(
        "--full-size", action="store_true", help="4 GB, 50,000 instances, two minutes of live panels (--long)"
    )
    parser.addoption("--fuzz-random", action="store_true", help="draw new cases in the hypothesis tests")
    parser.addoption("--second-run", action="store_true", help="with --last-failed: name what passes now")
    parser.addoption("--real-alone", action="store_true", help="twin tests: compare the real Orthanc with itself")


def pytest_configure(config: pytest.Config) -> None:
    # Hundreds of processes import the package: let the first one compile it.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    options = config.option
    options.full_size = options.full_size or options.long
    options.kills = options.kills or (20 if options.long else 2)
    options.cases = options.cases or (1500 if options.long else 100)
    examples = 100 if options.long or options.fuzz_random else 25
    usual = settings(derandomize=not options.fuzz_random, deadline=None, max_examples=examples)
    settings.register_profile("usual", usual)
    settings.register_profile(
        "fuzz",
        usual,
        max_examples=options.cases,
        database=None,
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    settings.load_profile("usual")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if not config.option.long:
        for item in left_to_the_long_run(items):
            item.add_marker(pytest.mark.skip(reason="with --long"))
    if hasattr(config, "workerinput"):
        items.sort(key=place_of)


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    # Thousands of tests and many modules are no garbage: the search for some took a tenth of the run.
    gc.disable()
    try:
        import_in_turn(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> Iterator[None]:
    yield
    if config.option.second_run and (reports := terminalreporter.getreports("passed")):
        names = ", ".join(report.nodeid for report in reports)
        terminalreporter.write_line(f"{len(reports)} tests passed only in their second run: {names}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


@pytest.fixture(scope="session")
def real_program() -> str:
    """Path of the real Orthanc; without it a test is skipped, in CI it fails."""
    return find_program() or missing(MISSING)
