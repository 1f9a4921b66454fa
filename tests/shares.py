"""How pytest-xdist shares out the tests among its workers: ``pytest -n 4``."""

from __future__ import annotations

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

__all__ = ["Shares", "place_of"]

# All tests of the folder use what is costly to start: one JupyterLab, one Chromium.
_WHOLE = ("tests/browser/",)
# Each test starts for itself what it needs, and takes long.
_SINGLE = (
    *("tests/notebooks/", "tests/lab/", "tests/docs/test_how_to.py", "tests/fuzz/", "tests/project/test_checks.py"),
    "tests/cluster/test_chaos.py",
)
# They begin first, so that no worker is left alone with them at the end.
_LONG = (
    *(
        "tests/browser/",
        "tests/testing/test_survival.py",
        "tests/cluster/",
        "tests/lab/",
        "tests/notebooks/",
        "tests/project/",
        "tests/twin/",
    ),
    *("tests/modification/", "tests/docs/", "tests/crash/", "tests/memory/", "tests/fuzz/", "tests/hostile/"),
    *("tests/client/", "tests/network/", "tests/queries/", "tests/transfers/"),
)


def place_of(item: pytest.Item) -> int:
    """Return where a test comes among those of other folders; the longest come first."""
    return next((place for place, folder in enumerate(_LONG) if item.nodeid.startswith(folder)), len(_LONG))


class Shares(LoadScopeScheduling):
    """The tests of a file go to one worker, in the order of collection; some folders whole, some tests alone."""

    def __init__(self, config: pytest.Config, log: Producer) -> None:
        super().__init__(config, log)
        config.option.loadscopereorder = False  # else the files with the most tests come first

    def _split_scope(self, nodeid: str) -> str:
        if nodeid.startswith(_SINGLE):
            return nodeid
        return next((folder for folder in _WHOLE if nodeid.startswith(folder)), nodeid.partition("::")[0])
