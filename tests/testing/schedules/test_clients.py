"""Ordinary code as clients of a simulated server: others go on between its requests, and while it sleeps."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from orthanc_lab import Client, InProcessServer, samples, testing
from orthanc_lab.testing import ScheduleError, Simulation
from orthanc_lab.testing.faults import Faults

RETRIES = (requests.ConnectionError, requests.exceptions.ChunkedEncodingError)


def make_study(server: InProcessServer) -> str:
    """Return the address of a study with one instance."""
    made = server.session.post(f"{server.url}/tools/create-dicom", json={"Tags": {}}).json()
    return f"{server.url}/studies/{made['ParentStudy']}"


def count(server: InProcessServer, address: str) -> None:
    """Add 1 to a metadata, and nothing is done about others who do the same."""
    answer = server.session.get(address)
    number = int(answer.text) if answer.status_code == 200 else 0
    server.session.put(address, data=str(number + 1))


def count_with_care(server: InProcessServer, address: str) -> None:
    """Add 1 to a metadata, unless somebody else has changed it meanwhile."""
    while True:
        answer = server.session.get(address)
        known = answer.status_code == 200
        number, headers = (int(answer.text), {"If-Match": answer.headers["ETag"]}) if known else (0, {})
        if server.session.put(address, data=str(number + 1), headers=headers).status_code == 200:
            return


def two_who_count(simulation: Simulation, how: Callable[[InProcessServer, str], None]) -> None:
    server = simulation.server(CheckRevisions=how is count_with_care)
    address = f"{make_study(server)}/metadata/1024"
    for name in ("Ada", "Bob"):
        simulation.client(name, lambda: how(server, address))
    simulation.run()
    assert server.session.get(address).text == "2"


def test_a_lost_update_is_found_and_shrunk() -> None:
    with pytest.raises(ScheduleError) as caught:
        testing.explore(lambda simulation: two_who_count(simulation, count), 50)
    assert caught.value.schedule == "orthanc-lab schedule 1\nAda\nBob"


def test_care_is_enough() -> None:
    testing.explore(lambda simulation: two_who_count(simulation, count_with_care), 12)


def test_our_client_waits_for_a_job_across_a_pause_and_a_resume() -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server()
        client = Client.from_server(server)
        client.upload(samples.path("ct/localizer"))
        study = next(iter(client.studies))
        job = study.archive_job()
        got: list[bytes] = []

        def download() -> None:
            job.wait(timeout=3000, paused="wait")
            got.append(server.session.get(f"{server.url}/jobs/{job.id}/archive").content)

        simulation.client("download", download)
        simulation.will("pause", lambda: server.session.post(f"{server.url}/jobs/{job.id}/pause"))
        simulation.run()
        server.session.post(f"{server.url}/jobs/{job.id}/resume")
        simulation.run()
        assert got[0][:2] == b"PK"

    testing.explore(scenario, 10)


def test_a_download_is_whole_whoever_takes_its_place() -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server(MediaArchiveSize=1)
        Client.from_server(server).upload(samples.path("ct/soft_tissue"))
        study = f"{server.url}/studies/{server.session.get(f'{server.url}/studies').json()[0]}"
        jobs: list[str] = []

        def archive() -> None:
            answer = server.session.post(
                f"{study}/archive", json={"Asynchronous": True, "Transcode": "1.2.840.10008.1.2"}
            )
            jobs.append(f"{server.url}{answer.json()['Path']}")

        read: list[tuple[int, int]] = []

        def download() -> None:
            with server.session.get(f"{jobs[0]}/archive", stream=True) as answer:
                if answer.status_code == 200:
                    length = int(answer.headers["Content-Length"])
                    read.append((length, sum(map(len, answer.iter_content(50_000)))))

        archive()
        simulation.run(lambda: server.session.get(jobs[0]).json()["State"] == "Success")
        simulation.client("download", download)
        simulation.will("second archive", archive)
        simulation.run()
        assert len(jobs) == 2
        assert all(length == size for length, size in read)

    testing.explore(scenario, 6)


def test_an_answer_is_lost_in_a_crash_but_not_what_was_done() -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server()
        answered: list[str] = []

        def create() -> None:
            try:
                answered.append(make_study(server))
            except RETRIES:
                answered.append("lost")

        simulation.client("create", create)
        simulation.may("crash", server.crash)
        simulation.run()
        kept = server.session.get(f"{server.url}/studies").json()
        assert len(kept) == 1
        assert answered[0] in ("lost", f"{server.url}/studies/{kept[0]}")

    testing.explore(scenario, 12)


@pytest.mark.parametrize("moves", [1, 2, 3])
def test_a_crash_in_the_middle_of_an_upload(moves: int) -> None:
    """After the first move the file is there, but not its row; after the second the answer is on its way."""

    def files(server: InProcessServer) -> list[Path]:
        return [path for path in server.folder.glob("??/??/*") if path.is_file()]

    def scenario(simulation: Simulation) -> None:
        server = simulation.server()
        content = samples.dicom_files("ct")[0].read_bytes()
        answered: list[int] = []

        def upload() -> None:
            try:
                answered.append(server.session.post(f"{server.url}/instances", data=content).status_code)
            except RETRIES:
                answered.append(0)

        simulation.client("upload", upload)
        simulation.may("crash", server.crash)
        simulation.run()
        stored = len(server.session.get(f"{server.url}/instances").json())
        assert (answered, stored) == {1: ([0], 0), 2: ([0], 1), 3: ([200], 1)}[moves]
        assert len(files(server)) == stored

    testing.replay(scenario, f"orthanc-lab schedule 1\nupload × {moves}\ncrash")


def test_a_request_that_waits_for_a_job_breaks_off_in_a_crash() -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server(SynchronousZipStream=False)
        study = make_study(server)
        broken: list[str] = []

        def archive() -> None:
            try:
                server.session.get(f"{study}/archive")
            except RETRIES:
                broken.append("off")

        simulation.client("archive", archive)
        simulation.may("crash", server.crash)
        simulation.run()
        assert broken == ["off"]

    testing.replay(scenario, "orthanc-lab schedule 1\narchive\ncrash")
    with pytest.raises(AssertionError, match="assert"):
        testing.replay(scenario, "orthanc-lab schedule 1")


def test_a_fault_comes_at_some_moment() -> None:
    happened: list[int] = []

    def scenario(simulation: Simulation) -> None:
        faults = Faults()
        server = simulation.server(faults=faults)
        content = samples.dicom_files("ct")[0].read_bytes()

        def upload() -> None:
            for _ in range(2):
                try:
                    server.session.post(f"{server.url}/instances", data=content)
                except RETRIES:
                    happened.append(len(server.session.get(f"{server.url}/instances").json()))

        simulation.client("upload", upload)
        simulation.may("the answer is lost", lambda: faults.on("answer lost after the commit"))
        simulation.run()
        assert len(server.session.get(f"{server.url}/instances").json()) == 1

    testing.explore(scenario, 12)
    assert set(happened) == {1}


def test_a_client_sleeps_by_the_clock_of_the_simulation() -> None:
    def scenario(simulation: Simulation) -> None:
        seen: list[float] = []

        def sleeper() -> None:
            begin, now = time.monotonic(), time.time()
            time.sleep(1000)
            seen.extend((time.monotonic() - begin, time.time() - now))

        simulation.client("sleeper", sleeper)
        simulation.run(seconds=2000)
        assert seen == [1000, 1000]

    begin = time.monotonic()
    testing.explore(scenario, 5)
    assert time.monotonic() - begin < 500


def test_a_client_that_has_not_ended_is_a_failure_and_ends_with_the_simulation() -> None:
    cleaned: list[str] = []

    def scenario(simulation: Simulation) -> None:
        def sleeper() -> None:
            try:
                while True:
                    time.sleep(1)
            finally:
                cleaned.append("up")

        simulation.client("sleeper", sleeper)
        simulation.run(seconds=5)

    before = set(threading.enumerate())
    with pytest.raises(ScheduleError, match="Not at its end: sleeper") as caught:
        testing.explore(scenario, 5)
    assert caught.value.schedule == "orthanc-lab schedule 1"
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
        assert not thread.is_alive()
    assert cleaned


def test_an_error_in_a_client_fails_the_scenario() -> None:
    def scenario(simulation: Simulation) -> None:
        simulation.client("wrong", lambda: 1 / 0)
        simulation.run()

    with pytest.raises(ScheduleError, match="ZeroDivisionError"):
        testing.explore(scenario, 5)


@pytest.mark.parametrize("resumed", [True, False])
def test_a_request_that_waits_for_a_paused_job(resumed: bool) -> None:
    def scenario(simulation: Simulation) -> None:
        server = simulation.server(SynchronousZipStream=False)
        study = make_study(server)

        def on_all_jobs(verb: str) -> None:
            for job in server.session.get(f"{server.url}/jobs").json():
                server.session.post(f"{server.url}/jobs/{job}/{verb}")

        simulation.client("archive", lambda: server.session.get(f"{study}/archive"))
        (simulation.may if resumed else simulation.will)("pause", lambda: on_all_jobs("pause"))
        simulation.run()
        if resumed:
            on_all_jobs("resume")
            simulation.run()

    if resumed:
        testing.explore(scenario, 10)
    else:
        with pytest.raises(ScheduleError, match="Not at its end: archive"):
            testing.explore(scenario, 50)
