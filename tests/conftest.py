"""Options of the whole suite."""

from hypothesis import settings


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=30, help="kill -9 of the crash test (default 30)")
    parser.addoption("--fuzz-random", action="store_true", help="draw new cases in the fuzz tests")


def pytest_configure(config):
    settings.register_profile("fixed", derandomize=True, deadline=None)
    settings.register_profile("random", deadline=None)
    settings.load_profile("random" if config.getoption("--fuzz-random") else "fixed")
