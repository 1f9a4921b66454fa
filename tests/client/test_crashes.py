"""The server is killed while a client uploads, waits or downloads."""

from __future__ import annotations

import asyncio
import threading
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab import ChildServer, Client, samples
from orthanc_lab.bench import material
from orthanc_lab.client import ConnectionLostError, Job, JobForgottenError, UnreachableError, UploadInterruptedError
from orthanc_lab.testing.real import RealOrthanc


class RestartedOrthanc(RealOrthanc):
    """The real server, with the verbs of ours."""

    def restart(self) -> None:
        """Start it (again) on the same folder and port."""
        self.start()


Killable = ChildServer | RestartedOrthanc


@pytest.fixture
def server() -> Iterator[ChildServer]:
    with orthanc_lab.serve(process=True) as server:
        yield server


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def either(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Killable]:
    """A server that can be killed, ours or the real one."""
    if request.param == "ours":
        yield request.getfixturevalue("server")
        return
    request.getfixturevalue("real_program")
    with RestartedOrthanc(folder=tmp_path_factory.mktemp("real")) as server:
        yield server


def test_killed_in_the_middle_of_an_upload(either: Killable) -> None:
    client = Client(either.url, retries=1)
    files = material.small_instances(600)

    def kill_soon(done: int, total: int) -> None:
        assert total == 600
        either.kill()  # what is dead stays dead

    with pytest.raises(UploadInterruptedError, match=r"resume=error\.report") as caught:
        client.upload(files, progress=kill_soon, parallel=2)
    report = caught.value.report
    assert 0 < len(report.files) < 600
    either.restart()
    kept = len(client.instances)
    assert kept >= len(report.files)  # what was acknowledged is there
    finished = client.upload(files, resume=report)
    assert len(finished.files) == 600
    assert len(client.instances) == 600
    assert finished.stored == len(report.files) - finished.already_stored  # each file is counted once


def test_an_upload_goes_on_by_itself_if_the_server_is_soon_back(either: Killable) -> None:
    client = Client(either.url, retries=7)
    files = material.small_instances(600)
    once = threading.Event()

    def restart(done: int, total: int) -> None:
        if not once.is_set():
            once.set()
            either.kill()
            either.restart()

    report = client.upload(files, progress=restart, parallel=2)
    assert (len(report.files), report.refused) == (600, {})
    assert len(client.instances) == 600


def test_what_is_stored_is_not_sent_again(either: Killable) -> None:
    client = Client(either.url)
    client.upload(samples.path("ct"))
    before = float(_metric(client, "orthanc_storage_written_bytes"))
    report = client.upload(samples.path("ct"), skip_stored=True)
    assert (report.stored, report.already_stored) == (0, len(samples.dicom_files("ct")))
    assert float(_metric(client, "orthanc_storage_written_bytes")) == before
    assert sorted(report.instances) == sorted(instance.id for instance in client.instances)


def _metric(client: Client, name: str) -> str:
    return next(line.split()[1] for line in client.metrics_text().splitlines() if line.startswith(name))


def test_killed_in_the_middle_of_a_wait(server: ChildServer) -> None:
    client = Client.from_server(server)
    client.upload(material.ct_instances(150))
    job = client.studies.find()[0].modify({"StudyDescription": "After the crash"})
    killed = threading.Event()

    def kill_once(job: Job) -> None:
        if not killed.is_set():
            killed.set()
            server.kill()
            threading.Thread(target=server.restart).start()

    assert job.wait(60, progress=kill_once).progress == 100
    assert client.made_by(job)[0].StudyDescription == "After the crash"
    assert len(client.studies) == 2


@pytest.mark.real
def test_a_job_that_the_real_server_forgets(real_program: str, tmp_path: Path) -> None:
    with RestartedOrthanc(folder=tmp_path / "real") as server:
        client = Client(server.url)
        client.upload(samples.path("ct"))
        job = client.studies.find()[0].archive_job()
        server.kill()
        server.restart()
        with pytest.raises(JobForgottenError, match="submit it again"):
            job.wait(60)


def test_killed_for_good_in_the_middle_of_a_wait(either: Killable) -> None:
    client = Client(either.url)
    client.upload(samples.path("ct"))
    job = client.studies.find()[0].archive_job()
    either.kill()
    with pytest.raises(UnreachableError):
        job.wait(60, outage=0.3)
    with pytest.raises(UnreachableError):
        asyncio.run(job.wait_async(60, outage=0.3))


def test_killed_in_the_middle_of_a_download(either: Killable, tmp_path: Path) -> None:
    client = Client(either.url)
    client.upload(material.ct_instances(40))
    study = client.studies.find()[0]

    def kill(done: int, total: int | None) -> None:
        either.kill()

    with pytest.raises(ConnectionLostError):
        study.archive(tmp_path / "study.zip", progress=kill)
    assert list(tmp_path.iterdir()) == []
    either.restart()
    saved = study.archive(tmp_path / "study.zip")
    assert zipfile.ZipFile(saved).testzip() is None


def test_the_event_loop_goes_on_while_a_wait_is_stuck(server: ChildServer) -> None:
    client = Client.from_server(server)
    client.upload(samples.path("ct"))
    job = client.studies.find()[0].archive_job()
    server.kill()
    turns = 0

    async def main() -> None:
        nonlocal turns
        waiting = asyncio.create_task(job.wait_async(60, outage=20))
        deadline = time.monotonic() + 20
        while turns < 50 and time.monotonic() < deadline:
            await asyncio.sleep(0.001)
            turns += 1
        assert not waiting.done()
        waiting.cancel()

    asyncio.run(main())
    assert turns == 50
