"""Each call of a migration that reaches the disk of the target fails, or is the last one before the process is killed.

Started again, the migration goes on: then all is there, once, and nothing else.
"""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.migration import target as target_module
from orthanc_lab.server.migration.command import main
from tests.crash.test_each_call import OPERATIONS, PREPARED, House, State

_OPTIONS = {"MediaArchiveSize": 10}
_FAULTS = {
    "full for a while": (errno.ENOSPC, 10_000),
    "broken once": (errno.EIO, 1),
    "no descriptors once": (errno.EMFILE, 1),
}
_USUAL, _LONG = 12, 3  # of so many calls, one is tried
Migrate = Callable[[], int]


@pytest.fixture(scope="module")
def origin(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, State]:
    """Return the folder of a server, and what is in it."""
    house = House(tmp_path_factory.mktemp("origin") / "storage", _OPTIONS)
    server = house.server()
    for operation in (*PREPARED, OPERATIONS["a large archive"], OPERATIONS["a small archive"]):
        assert operation(server).ok
    state = house.state(server)
    server.stop()
    return house.folder, state


@pytest.fixture
def house(tmp_path: Path) -> House:
    """Return the server that is migrated to."""
    return House(tmp_path / "target", _OPTIONS)


@pytest.fixture
def migrate(house: House, origin: tuple[Path, State], monkeypatch: pytest.MonkeyPatch) -> Migrate:
    """Return what migrates, with the calls of the house."""
    system = Environment.of_system()

    def environment() -> Environment:
        return house.calls.around(replace(system, executor=InlineExecutor(system.clock)))

    def jobs(path: Path) -> SqliteJobStore:
        return SqliteJobStore(path, connect=environment().connect_jobs)

    monkeypatch.setattr(Environment, "of_system", environment)
    monkeypatch.setattr(target_module, "SqliteJobStore", jobs)
    return lambda: main([str(origin[0]), str(house.folder)])


def usual(number: int, config: pytest.Config) -> range:
    """Return the numbers of the calls that are tried."""
    return range(0, number, _LONG if config.option.long else _USUAL)


@pytest.mark.parametrize("fault", _FAULTS)
def test_a_call_fails(
    house: House, migrate: Migrate, origin: tuple[Path, State], fault: str, pytestconfig: pytest.Config
) -> None:
    error, times = _FAULTS[fault]
    with house.calls as calls:
        assert migrate() == 0
    for first in usual(len(calls.made), pytestconfig):
        shutil.rmtree(house.folder)
        calls.error, calls.failing = error, range(first, first + times)
        with calls:
            migrate()
        assert migrate() == 0, calls.made[first]
        house.check_after_a_start(origin[1])


def test_the_process_is_killed(
    house: House, migrate: Migrate, origin: tuple[Path, State], tmp_path: Path, pytestconfig: pytest.Config
) -> None:
    left: list[Path] = []

    def keep() -> None:
        left.append(tmp_path / f"left-{len(left)}")
        shutil.copytree(house.folder, left[-1])

    house.calls.before = keep
    with house.calls:
        assert migrate() == 0
    for number in usual(len(left), pytestconfig):
        shutil.rmtree(house.folder)
        shutil.copytree(left[number], house.folder)
        assert migrate() == 0, house.calls.made[number]
        house.check_after_a_start(origin[1])
