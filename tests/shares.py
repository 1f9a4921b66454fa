"""How pytest-xdist shares out the tests among its workers: ``pytest -n 2``."""

from __future__ import annotations

from xdist.scheduler import LoadScopeScheduling

__all__ = ["Shares"]

# They hold what is costly to start for a whole folder (JupyterLab, Chromium), or a server of the whole folder.
WHOLE = ("tests/browser", "tests/hostile", "tests/client", "tests/twin")
# Each test starts what it needs, and needs long.
SINGLE = ("tests/notebooks", "tests/docs/test_how_to.py", "tests/fuzz/test_fuzz.py", "tests/project/test_checks.py")
# The longest shares begin first, so that no worker is left alone with one at the end.
LONG = (*WHOLE[:1], "tests/notebooks", "tests/lab", "tests/crash", "tests/fuzz", "tests/docs", "tests/memory")


class Shares(LoadScopeScheduling):
    """The tests of a file go to one worker; those of some folders too, and those of others each for itself."""

    def _split_scope(self, nodeid: str) -> str:
        path = nodeid.partition("::")[0]
        for folder in WHOLE:
            if path.startswith(f"{folder}/"):
                return folder
        return nodeid if path.startswith(SINGLE) else path
