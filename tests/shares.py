"""How pytest-xdist shares out the tests among its workers: ``pytest -n 4``."""

from __future__ import annotations

import importlib
import warnings
from contextlib import suppress

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

__all__ = ["Shares", "import_in_turn", "place_of"]

# The tests of a folder use what is costly to start, one JupyterLab and one Chromium; those of `tests/browser` take so
# long that half of them have others.
_BROWSER = "tests/browser/"
_HALF = tuple(f"{_BROWSER}test_{name}.py" for name in ("accessibility", "flow", "keyboard", "live"))
_WHOLE = (_BROWSER, "tests/page/")
# Each test starts for itself what it needs, and takes long.
_SINGLE = (
    *("tests/notebooks/", "tests/lab/", "tests/docs/test_how_to.py", "tests/fuzz/", "tests/project/test_checks.py"),
    "tests/cluster/test_chaos.py",
)
# They begin first, so that no worker is left alone with them at the end.
_LONG = (
    *(
        _BROWSER,
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


def import_in_turn(config: pytest.Config) -> None:
    """Let each worker import the test modules from another one on, so that each is compiled by one worker.

    Else all of them compile the same module at the same time. What cannot be imported is reported by the collection.
    """
    told = getattr(config, "workerinput", {})
    root = config.rootpath
    if not told or [root / argument for argument in config.args] != [root / "tests"]:
        return
    modules = [".".join(path.relative_to(root).with_suffix("").parts) for path in root.glob("tests/**/test_*.py")]
    modules.sort()
    first = len(modules) * int(told["workerid"].removeprefix("gw")) // told["workercount"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in modules[first:] + modules[:first]:
            with suppress(Exception, pytest.skip.Exception):
                importlib.import_module(name)


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
        if nodeid.startswith(_HALF):
            return "half of tests/browser"
        return next((folder for folder in _WHOLE if nodeid.startswith(folder)), nodeid.partition("::")[0])
