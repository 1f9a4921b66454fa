"""A server on a seeded executor: nothing runs by itself, time is moved by hand, a crash keeps what is on disk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import InProcessServer


@pytest.fixture
def server() -> Iterator[InProcessServer]:
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(7), StableAge=60, ConcurrentJobs=2) as running:
        yield running


def create(server: InProcessServer) -> str:
    """Make an instance; return the id of its study."""
    made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}})
    return str(made.json()["ParentStudy"])


def submit(server: InProcessServer, study: str, **options: Any) -> str:
    """Begin an archive; return the address of its job."""
    body = {"Asynchronous": True, **options}
    return f"{server.url}{server.session.post(f'{server.url}/studies/{study}/archive', json=body).json()['Path']}"


def state(server: InProcessServer, job: str) -> str:
    return str(server.session.get(job).json()["State"])


def story(seed: int) -> list[tuple[str, ...]]:
    """What four jobs on two workers look like after each step."""
    seen = []
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(seed)) as server:
        study = create(server)
        jobs = [submit(server, study) for _ in range(4)]
        while server.step():
            seen.append(tuple(state(server, job) for job in jobs))
    return seen


def test_nothing_runs_by_itself(server: InProcessServer) -> None:
    job = submit(server, create(server))
    assert [state(server, job) for _ in range(40)] == ["Pending"] * 40
    server.run_until(lambda: state(server, job) == "Success")
    assert server.clock.monotonic() < 60
    assert server.session.get(f"{job}/archive").content[:2] == b"PK"


def test_the_seed_says_who_goes_on() -> None:
    assert story(7) == story(7)
    assert len({tuple(story(seed)) for seed in range(3)}) == 3


def test_a_request_that_waits_for_a_job_lets_it_run(server: InProcessServer) -> None:
    answer = server.session.post(f"{server.url}/studies/{create(server)}/archive", json={})
    assert answer.content[:2] == b"PK"


def test_time_passes_by_hand(server: InProcessServer) -> None:
    study = create(server)
    address = f"{server.url}/studies/{study}"
    while server.step():
        pass
    assert server.session.get(address).json()["IsStable"] is False
    server.run_until(59.0)
    assert server.session.get(address).json()["IsStable"] is False
    server.run_until(datetime(2026, 1, 1, 0, 1, 1, tzinfo=UTC))
    assert server.session.get(address).json()["IsStable"] is True
    assert server.clock.monotonic() == 61


def test_a_condition_that_never_holds(server: InProcessServer) -> None:
    with pytest.raises(TimeoutError, match="after 100 s of the server's clock"):
        server.run_until(lambda: False, patience=100)


def test_a_crash_keeps_what_was_acknowledged(server: InProcessServer) -> None:
    study = create(server)
    job = submit(server, study)
    paused = submit(server, study)
    assert server.session.post(f"{paused}/pause").status_code == 200
    for _ in range(5):
        server.step()
    server.crash()
    server.run_until(lambda: state(server, job) == "Success")
    assert state(server, paused) == "Paused"
    assert server.session.get(f"{server.url}/studies").json() == [study]
    assert server.errors == []


def test_a_crash_at_every_moment_of_a_job(tmp_path: Path) -> None:
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(1), folder=tmp_path) as server:
        study = create(server)
        for moment in range(16):
            job = submit(server, study)
            for _ in range(moment):
                server.step()
            server.crash()
            server.run_until(lambda job=job: state(server, job) == "Success")
            assert server.session.get(f"{job}/archive").content[:2] == b"PK"
        assert server.errors == []


def test_a_crash_loses_what_cannot_outlive_a_process(server: InProcessServer) -> None:
    study = create(server)
    answer = server.session.get(f"{server.url}/studies/{study}/archive", stream=True)
    next(answer.iter_content(1))
    server.crash()
    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="The server has crashed"):
        answer.content  # noqa: B018 - it reads the rest


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def test_crashes_leave_nothing_open(server: InProcessServer) -> None:
    study = create(server)
    server.crash()
    before = open_files()
    for _ in range(10):
        submit(server, study)
        server.step()
        server.crash()
    assert open_files() <= before + 2


def test_a_crash_inside_a_step_is_refused(server: InProcessServer) -> None:
    def steps() -> Iterator[float | None]:
        server.crash()
        yield 0

    server.services.executor.spawn("own", steps())  # type: ignore[arg-type] # what it yields
    with pytest.raises(RuntimeError, match="own is in the middle of a step"):
        server.run_until(1)
    assert server.session.get(f"{server.url}/studies").json() == []


def test_a_server_that_runs_by_itself_has_no_steps() -> None:
    with orthanc_lab.in_process(executor="inline") as server:
        for act in (server.step, server.crash, lambda: server.run_until(1), lambda: server.clock):
            with pytest.raises(RuntimeError, match="This server runs by itself"):
                act()


def test_a_stopped_server_does_not_crash(server: InProcessServer) -> None:
    server.shutdown()
    with pytest.raises(RuntimeError, match="The server has stopped"):
        server.crash()


@pytest.mark.parametrize(
    ("seed", "text"),
    [
        ("2:7", "is of version 2"),
        ("seven", "A seed is a whole number"),
        ("1:", "A seed is"),
        ("1:" + "9" * 99, "A seed is"),
        (-7, "A seed is"),
        (7.5, "A seed is"),
    ],
)
def test_what_is_no_seed_or_one_of_another_version(seed: Any, text: str) -> None:
    with pytest.raises(ValueError, match=text):
        orthanc_lab.seeded(seed)


def test_the_clock_of_a_seeded_executor_is_its_own() -> None:
    clock = orthanc_lab.ManualClock()
    with pytest.raises(ValueError, match="The clock of a seeded executor"):
        orthanc_lab.in_process(executor=orthanc_lab.seeded(7), clock=clock)
    with orthanc_lab.in_process(executor=orthanc_lab.seeded("1:7", clock=clock), clock=clock) as server:
        assert server.clock is clock
