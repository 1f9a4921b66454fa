"""Faults are in the parts of a server only while any is switched on."""

from __future__ import annotations

import gc
import weakref
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.extensions import Job
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.testing.faults import Faults
from orthanc_lab.testing.faults.part import FaultyPart
from orthanc_lab.testing.faults.switches import FaultSwitches

ANY = "answer lost after the commit"


class Greeter:
    def __init__(self, name: str) -> None:
        self.name = name

    def greet(self) -> str:
        return f"Hello {self.name}"


class Shouting(FaultyPart):
    def greet(self) -> str:
        greeting: str = self._plain.greet()
        return f"{greeting}!" if self._faults.in_force else greeting


def put_in(part: object) -> FaultSwitches:
    faults = FaultSwitches()
    faults.tell(part, Shouting(part, faults))
    return faults


def test_nothing_is_in_the_way_while_no_fault_is_switched_on() -> None:
    part = Greeter("Ada")
    faults = put_in(part)
    assert vars(part) == {"name": "Ada"}
    with faults.on(ANY, optional=True), faults.on(ANY, optional=True):
        assert part.greet() == "Hello Ada!"
    assert vars(part) == {"name": "Ada"}
    assert part.greet() == "Hello Ada"


def test_a_method_that_the_part_itself_has_comes_back() -> None:
    part = Greeter("Ada")
    vars(part)["greet"] = Greeter("Grace").greet
    faults = put_in(part)
    with faults.on(ANY, optional=True):
        assert part.greet() == "Hello Grace!"
    assert part.greet() == "Hello Grace"


@given(st.lists(st.tuples(st.integers(0, 2), st.booleans())))
def test_a_part_of_several_servers(switched: list[tuple[int, bool]]) -> None:
    part = Greeter("Ada")
    several = [put_in(part) for _ in range(3)]
    for number, on in switched:
        several[number].off()
        if on:
            several[number].on(ANY)
        shouting = sum(bool(faults.in_force) for faults in several)
        assert part.greet() == "Hello Ada" + "!" * shouting


def test_servers_that_share_a_part_and_the_faults() -> None:
    part = Greeter("Ada")
    faults = put_in(part)
    faults.tell(part, Shouting(part, faults))
    with faults.on(ANY, optional=True):
        assert part.greet() == "Hello Ada!"


def test_a_part_is_not_kept_alive() -> None:
    part = Greeter("Ada")
    faults = put_in(part)
    faults.on(ANY).off()
    alive = weakref.ref(part)
    del part
    gc.collect()
    assert alive() is None
    faults.on(ANY).off()


def steps_of(server: InProcessServer, job: str) -> int:
    return server.services.engine.events.of(job)[-1].step


class Count(Job):
    """Counts to six, in six steps."""

    route = "/count"

    def prepare(self) -> None:
        self.state["number"] = 0

    def step(self) -> bool:
        self.state["number"] += 1
        return bool(self.state["number"] < 6)


@pytest.mark.parametrize("begins", [0, 1, 2])
def test_a_fault_that_is_switched_on_while_the_job_runs(begins: int) -> None:
    """It happens after so many steps of the job, wherever the job was when it was switched on."""
    faults = Faults()
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(7), faults=faults, extensions=[Count]) as server:
        job = server.session.post(f"{server.url}/count", json={"Asynchronous": True}).json()["ID"]
        server.run_until(lambda: steps_of(server, job) == begins)
        with faults.on("job paused by somebody else", at_step=3):
            server.run_until(lambda: server.session.get(f"{server.url}/jobs/{job}").json()["State"] == "Paused")
        assert steps_of(server, job) == 3
        server.session.post(f"{server.url}/jobs/{job}/resume")
        server.run_until(lambda: server.session.get(f"{server.url}/jobs/{job}").json()["State"] == "Success")


def test_a_server_that_only_reads(tmp_path: Path) -> None:
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path)) as server:
        upload = samples.dicom_files("ct/sharp")[0].read_bytes()
        instance = server.session.post(f"{server.url}/instances", data=upload).json()["ID"]
    faults = Faults()
    with orthanc_lab.in_process(StorageDirectory=str(tmp_path), faults=faults, ReadOnly=True) as server:
        file = f"{server.url}/instances/{instance}/file"
        with faults.on("corrupted attachment"):
            assert server.session.get(file).content != upload
        assert server.session.get(file).content == upload
