"""Options of the whole suite."""


def pytest_addoption(parser):
    parser.addoption("--kills", type=int, default=30, help="kill -9 of the crash test (default 30)")
