"""What the usual run leaves to ``--long``, as ``.ci/run`` has it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pytest

__all__ = ["left_to_the_long_run"]

# What calls a server through our client: in the usual run, one test of each file meets the real one, too.
_ON_BOTH_SERVERS = ("tests/client/", "tests/clients/", "tests/frames/", "tests/widgets/")


def left_to_the_long_run(items: Iterable[pytest.Item]) -> Iterator[pytest.Item]:
    """Give the tests that are marked ``long``, and the repeats of others on the real Orthanc."""
    met = set()
    for item in items:
        file = item.nodeid.partition("::")[0]
        if item.get_closest_marker("long"):
            yield item
        elif file.startswith(_ON_BOTH_SERVERS) and hasattr(item, "callspec") and item.get_closest_marker("real"):
            if file in met:
                yield item
            met.add(file)
