"""Three servers under load while they are killed, frozen and cut off: nothing acknowledged is lost at any of them.

``pytest tests/cluster --long`` for 30 kills, ``--kills 300`` for more; the seed of a failed run is in its message.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.testing.cluster import OrthancCluster
from tests.cluster.audit import Audit
from tests.cluster.load import Load
from tests.crash.facts import Facts

Start = Callable[..., OrthancCluster]

SERVERS = 3
OPTIONS: dict[str, Any] = {
    "JobsHistorySize": 100_000,
    "MediaArchiveSize": 5,
    "ConcurrentJobs": 1,
    "StableAge": 1,
    "Extensions": [str(Path(__file__).with_name("counting.py"))],
}


@pytest.fixture
def seed() -> int:
    """What decides when which server is hit."""
    return random.randrange(2**32)


@contextmanager
def told(seed: int, what: object = "") -> Iterator[None]:
    """Put the seed into the message of a failure."""
    try:
        yield
    except AssertionError as error:
        raise AssertionError(f"seed {seed}, {what}: {error}") from error


@pytest.mark.long
@pytest.mark.timeout(3600)
def test_servers_are_killed(orthanc_cluster: Start, request: pytest.FixtureRequest, seed: int) -> None:
    kills = request.config.getoption("--kills")
    chance = random.Random(seed)
    cluster = orthanc_cluster(SERVERS, OPTIONS)
    facts = Facts()
    audit = Audit(cluster, facts)
    operations = 0
    for kill in range(kills):
        victim = chance.randrange(SERVERS)
        with told(seed, f"kill {kill} of server {victim}"):
            with Load(cluster, facts, hash((seed, kill))) as load:
                time.sleep(chance.uniform(0.02, 0.7))  # the moment of the kill is what is drawn by chance
                cluster.kill(victim)
                time.sleep(chance.uniform(0.0, 0.3))
                cluster.restart(victim)
            operations += load.operations
            audit.check()
    print(f"{kills} kills, {operations} answered operations, {len(facts.stored)} instances, {len(facts.jobs)} jobs")
    assert operations > kills
