"""What several folders of tests share: the real Orthanc, and the options of this suite."""

from __future__ import annotations

import os

import pytest
from hypothesis import settings
from xdist.remote import Producer

from orthanc_lab.testing.real import MISSING, find_program
from tests.shares import Shares


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--real-alone", action="store_true", help="twin tests: compare the real Orthanc with itself")
    parser.addoption("--kills", type=int, default=30, help="kill -9 of the crash test (default 30)")
    parser.addoption("--full-size", action="store_true", help="memory tests: 4 GB and 50,000 instances (minutes)")
    parser.addoption("--fuzz-random", action="store_true", help="draw new cases in the hypothesis tests")


def pytest_configure(config: pytest.Config) -> None:
    settings.register_profile("fixed", derandomize=True, deadline=None)
    settings.register_profile("random", deadline=None)
    settings.load_profile("random" if config.getoption("--fuzz-random") else "fixed")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Shares:
    return Shares(config, log)


@pytest.fixture(scope="session")
def real_program() -> str:
    """Path of the real Orthanc; without it a test is skipped, in CI it fails."""
    program = find_program()
    if program is None:
        if os.environ.get("CI"):
            pytest.fail(MISSING)
        pytest.skip(MISSING)
    return program
