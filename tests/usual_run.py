"""What the usual run leaves to ``--long``, as ``.ci/run`` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

__all__ = ["left_to_the_long_run"]

# What takes long without being marked:
_LONG = (
    # kills in the middle of each kind of work; one is in tests/crash/test_kill.py
    *(f"tests/{folder}/test_kill.py" for folder in ("archives", "dimse", "extensions", "modification", "network")),
    *("tests/crash/test_retrieving.py", "tests/crash/test_transfers.py", "tests/client/test_crashes.py"),
    *("tests/jobs/test_crash.py", "tests/network/test_load.py::test_kill"),
    # memory while much is sent, and crowds of slow clients
    *("tests/memory/", "tests/hostile/test_crowd.py", "tests/hostile/test_clients.py"),
    # the package built and installed
    "tests/package/test_wheel.py",
    # slides, and the tools that run notebooks; what measures
    *("tests/notebooks/test_slides.py::test_the_command", "tests/notebooks/test_tools.py"),
    "tests/docs/test_how_to.py::test_a_server_is_certified",
    "tests/client/test_bench.py::test_faults_that_are_off_are_compared",
    "tests/testing/test_survival.py::test_some_cells",
)
# What calls a server through our client: in the usual run, one test of each file meets the real one, too.
_ON_BOTH_SERVERS = ("tests/client/", "tests/clients/", "tests/frames/", "tests/widgets/")


def left_to_the_long_run(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Give the tests that take long, and the repeats of others on the real Orthanc."""
    met = set()
    for item in items:
        file = item.nodeid.partition("::")[0]
        if item.get_closest_marker("long") or item.nodeid.startswith(_LONG):
            yield item
        elif file.startswith(_ON_BOTH_SERVERS) and hasattr(item, "callspec") and item.get_closest_marker("real"):
            if file in met:
                yield item
            met.add(file)
