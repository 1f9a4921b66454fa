"""Archives that are sent while they are made: clients that leave, stall, or are told to wait."""

from __future__ import annotations

import os
import socket
import threading
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from datetime import datetime

import pytest

from orthanc_lab.jobs.kinds.archives.archive import ArchiveJob
from orthanc_lab.jobs.kinds.archives.archive_plan import plan_archive
from orthanc_lab.jobs.kinds.archives.archive_tree import resolve
from orthanc_lab.jobs.kinds.archives.zip_job import ZipJob
from orthanc_lab.jobs.kinds.archives.zip_request import ZipRequest
from orthanc_lab.jobs.kinds.archives.zip_stream import StreamOutlet
from orthanc_lab.jobs.ports import JobView, NotReady, StopReason
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.ports import ManualClock, SystemClock
from orthanc_lab.protocol.threads import ThreadExecutor
from tests.archives.files import names_of
from tests.archives.house import DEADLINE, House
from tests.archives.synthetic import PATIENT, SyntheticStorage
from tests.job_tools import job_tools
from tests.waiting import until

MEGABYTE = 1 << 20
CLOCK = SystemClock()


@contextmanager
def download(house: House, uri: str) -> Iterator[socket.socket]:
    """Ask for an archive, and read nothing of it yet."""
    with closing(socket.socket()) as client:
        # Else the system may take in the whole archive, and its job has ended before the client does anything.
        client.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.settimeout(DEADLINE)
        client.connect(("127.0.0.1", house.server.port))
        client.sendall(f"GET {uri} HTTP/1.0\r\n\r\n".encode())
        yield client


def read_all(client: socket.socket) -> bytes:
    parts = []
    while data := client.recv(MEGABYTE):
        parts.append(data)
    return b"".join(parts)


def the_job(house: House) -> JobView:
    until(lambda: bool(house.engine.ids()))
    (view,) = house.engine.views()
    return view


def fill(house: House, count: int = 12, size: int = 2 * MEGABYTE) -> str:
    """Store images that do not shrink; return the patient."""
    for n in range(count):
        stored = house.upload(sop=f"9.{n}", number=str(n), pixels=os.urandom(size))
    return stored.patient


def test_a_client_that_leaves_fails_the_job(house: House) -> None:
    patient = fill(house)
    with download(house, f"/patients/{patient}/archive") as client:
        client.recv(1000)
    until(lambda: the_job(house).state.is_final)
    assert (the_job(house).state, the_job(house).error_code) == (JobState.FAILURE, 9)


def test_a_client_that_stalls_is_let_go(make_house: Callable[..., House]) -> None:
    house = make_house(HttpRequestTimeout=1)
    patient = fill(house)
    with download(house, f"/patients/{patient}/archive"):
        until(lambda: the_job(house).state.is_final)
        assert (the_job(house).state, the_job(house).error_code) == (JobState.FAILURE, 9)
    other = house.upload("Other").patient
    assert len(house.names(f"/patients/{other}/archive")) == 1, "the worker is free again"


def test_a_slow_client_gets_all_and_can_be_paused(house: House) -> None:
    patient = fill(house)
    with download(house, f"/patients/{patient}/archive") as client:
        head = client.recv(100_000)
        id = the_job(house).id
        assert house.engine.pause(id)
        until(lambda: the_job(house).state is JobState.PAUSED)
        assert house.engine.resume(id)
        whole = head + read_all(client)
    assert len(names_of(whole.partition(b"\r\n\r\n")[2])) == 12
    until(lambda: the_job(house).state is JobState.SUCCESS)
    assert house.get(f"/jobs/{id}/archive").status_code == 404


def test_canceled_before_it_began(make_house: Callable[..., House]) -> None:
    house = make_house(running=False)
    patient = fill(house, 1, 100)
    with download(house, f"/patients/{patient}/archive") as client:
        assert house.engine.cancel(the_job(house).id)
        head, _, body = read_all(client).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 200")
    assert body == b""


def test_canceled_in_the_middle_cuts_the_body(house: House) -> None:
    patient = fill(house)
    received = []
    with download(house, f"/patients/{patient}/archive") as client:
        received.append(client.recv(1000))
        assert house.engine.cancel(the_job(house).id)
        # The step at work goes on to its end: it could be the last one, if the client read as fast as that.
        until(lambda: the_job(house).state.is_final)
        with suppress(ConnectionResetError):  # the connection is cut
            received.extend(iter(lambda: client.recv(MEGABYTE), b""))
    assert the_job(house).error_code == 37
    assert not b"".join(received).endswith(b"Created by Orthanc")


def test_the_end_of_the_server_releases_the_client(make_house: Callable[..., House]) -> None:
    """Also one whose job never began."""
    house = make_house(running=False)
    patient = fill(house, 1, 100)
    with download(house, f"/patients/{patient}/archive") as client:
        the_job(house)
        house.engine.stop()
        assert read_all(client).partition(b"\r\n\r\n")[2] == b""


# -- without a server --------------------------------------------------------------


def synthetic_job(count: int, pixels: bytes, outlet: StreamOutlet, clock: SystemClock | ManualClock) -> ZipJob:
    storage = SyntheticStorage(count, pixels)
    plan = plan_archive(resolve(storage, [PATIENT]))  # type: ignore[arg-type] # it has what is asked for
    request = ZipRequest(plan, "a.zip", datetime(2026, 11, 24), "seed", "isal", 1)
    return ArchiveJob(job_tools(storage, clock=clock), request, outlet)  # type: ignore[arg-type] # as above


def test_no_worker_is_held_by_a_client_that_takes_nothing() -> None:
    clock = ManualClock()
    outlet = StreamOutlet(clock, ThreadExecutor(clock), patience=30, room=1)
    job = synthetic_job(3, os.urandom(MEGABYTE), outlet, clock)
    job._step_seconds = 0
    job.start()
    assert job.step(), "there is room at first"
    assert job.step(), "no room: nothing is done, and the engine may look for a pause"
    assert job.progress() == pytest.approx(1 / 3)
    clock.advance(29)
    assert job.step()
    assert next(outlet), "any progress of the client starts the time anew"
    assert job.step()
    clock.advance(29)
    assert job.step()
    clock.advance(1)
    with pytest.raises(OrthancError) as raised:
        job.step()
    assert raised.value.code == 9
    job.stop(StopReason.FAILURE)
    with pytest.raises(OrthancError, match="ends in its middle"):
        list(outlet)


def test_a_streaming_job_cannot_outlive_the_process() -> None:
    job = synthetic_job(1, b"ab", StreamOutlet(CLOCK, ThreadExecutor(CLOCK), patience=1), CLOCK)
    assert job.serialize() is None
    assert job.outputs() == {}
    job.start()
    assert not job.step()
    job.stop(StopReason.SUCCESS)


@pytest.mark.parametrize("shrinks", [False, True])
def test_memory_does_not_grow_with_the_archive(shrinks: bool) -> None:
    """256 MB go through a few dozen; the bound of the whole server is measured by the bench."""
    clock = SystemClock()
    outlet = StreamOutlet(clock, ThreadExecutor(clock), patience=DEADLINE)
    pixels = os.urandom(MEGABYTE // 2) if not shrinks else os.urandom(1 << 12) * 128
    job = synthetic_job(512, pixels, outlet, clock)
    received = 0

    def run() -> None:
        job.start()
        while more := job.step():
            if isinstance(more, NotReady):
                room = threading.Event()
                more.when_ready(room.set)
                assert room.wait(DEADLINE)
        job.stop(StopReason.SUCCESS)

    tracemalloc.start()
    try:
        worker = threading.Thread(target=run)
        worker.start()
        for data in outlet:
            received += len(data)
        worker.join(DEADLINE)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert not worker.is_alive()
    assert received == int(job.content()["ArchiveSize"])
    assert peak < 64 * MEGABYTE, f"{peak / MEGABYTE:.0f} MB"


def test_a_member_larger_than_the_budget_goes_through() -> None:
    clock = SystemClock()
    outlet = StreamOutlet(clock, ThreadExecutor(clock), patience=DEADLINE)
    job = synthetic_job(2, bytes(40 * MEGABYTE), outlet, clock)
    job.start()
    while job.step():
        pass
    job.stop(StopReason.SUCCESS)
    assert len(names_of(b"".join(outlet))) == 2


def test_an_error_of_the_storage_fails_the_job() -> None:
    clock = SystemClock()
    job = synthetic_job(5, b"ab", StreamOutlet(clock, ThreadExecutor(clock), patience=DEADLINE), clock)

    def broken(instance: str, *, keep: bool, known: object) -> bytes:
        raise OrthancError(13, "gone")

    job._storage.read_dicom = broken  # type: ignore[method-assign]
    job.start()
    with pytest.raises(OrthancError, match="gone"):
        job.step()
    job.stop(StopReason.FAILURE)
