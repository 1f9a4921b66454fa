"""Faults by name, each seen by a client, without help of our own."""

from __future__ import annotations

import hashlib
import io
import json
import math
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import ManualClock, samples
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.server.lifecycle import Server
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.settings import CheckedSettings
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.faults import Fault, FaultNeverHappened, Faults, FaultyProxy
from orthanc_lab.testing.faults.kinds import KINDS
from orthanc_lab.testing.real import RealOrthanc
from tests.waiting import until

SLICES = samples.dicom_files("ct/localizer") + samples.dicom_files("ct/sharp")[:2]


class House:
    """A server with faults, and a client without any patience."""

    def __init__(self) -> None:
        self.faults = Faults(seed=7)
        self.server: EmbeddedServer = orthanc_lab.serve(faults=self.faults)

    def ask(self, verb: str, path: str, **options: Any) -> requests.Response:
        """Send a request over a connection of its own."""
        return requests.request(verb, self.server.url + path, timeout=20, **options)

    def get(self, path: str) -> Any:
        return self.ask("GET", path).json()

    def upload(self, file: Path = SLICES[0]) -> requests.Response:
        return self.ask("POST", "/instances", data=file.read_bytes())

    def submit(self) -> str:
        """Make an archive of all studies in a job."""
        order = {"Resources": self.get("/studies"), "Asynchronous": True}
        return str(self.ask("POST", "/tools/create-archive", json=order).json()["ID"])

    def state(self, job: str) -> str:
        answer = self.ask("GET", f"/jobs/{job}")
        return str(answer.json()["State"]) if answer.ok else "forgotten"

    def wait_for(self, job: str, *states: str) -> None:
        until(lambda: self.state(job) in states, what=lambda: self.state(job))

    def archive(self) -> requests.Response:
        return self.ask("POST", "/tools/create-archive", json={"Resources": self.get("/studies")})


@pytest.fixture(scope="module")
def house_of_module() -> Iterator[House]:
    house = House()
    with house.server:
        yield house


@pytest.fixture
def house(house_of_module: House) -> Iterator[House]:
    house = house_of_module
    house.server.renew()
    yield house
    house.faults.off()


@pytest.fixture
def filled(house: House) -> House:
    for file in SLICES:
        house.upload(file)
    return house


def cut(house: House, verb: str, path: str, **options: Any) -> None:
    with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
        house.ask(verb, path, **options)


# -- HTTP --------------------------------------------------------------------------------


def test_an_answer_is_lost_after_the_commit(house: House) -> None:
    with house.faults.on("answer lost after the commit"):
        cut(house, "POST", "/instances", data=SLICES[0].read_bytes())
    assert house.upload().json()["Status"] == "AlreadyStored"


def test_a_connection_is_reset_before_anything_is_done(house: House) -> None:
    with house.faults.on("connection reset before the answer", where="POST /instances"):
        cut(house, "POST", "/instances", data=SLICES[0].read_bytes())
    assert house.upload().json()["Status"] == "Success"


@pytest.mark.parametrize("at_byte", [None, 0, 100])
def test_a_connection_is_reset_in_a_request(house: House, at_byte: int | None) -> None:
    with house.faults.on("connection reset in the request", at_byte=at_byte):
        cut(house, "POST", "/instances", data=SLICES[0].read_bytes())
    assert house.get("/instances") == []


@pytest.mark.parametrize(("path", "at_byte"), [("/system", None), ("/system", 5), ("/jobs", 0)])
def test_a_connection_is_reset_in_an_answer(house: House, path: str, at_byte: int | None) -> None:
    with house.faults.on("connection reset in the answer", at_byte=at_byte):
        cut(house, "GET", path)
    assert house.ask("GET", path).ok


def test_a_streamed_archive_is_reset(filled: House) -> None:
    with filled.faults.on("connection reset in the answer", where="POST /tools/create-archive"):
        answer = filled.ask("POST", "/tools/create-archive", json={"Resources": filled.get("/studies")}, stream=True)
        with pytest.raises((requests.ConnectionError, requests.exceptions.ChunkedEncodingError)):
            assert answer.content


def test_a_connection_is_reset_after_the_answer(house: House) -> None:
    client = orthanc_lab.Client(house.server.url)  # the next request may come before the reset, and is sent again
    with house.faults.on("connection reset after the answer"):
        assert [client.system["ApiVersion"] for _ in range(2)] == [27, 27]


@pytest.mark.parametrize("at_byte", [None, 50])
def test_a_streamed_archive_ends_early(filled: House, at_byte: int | None) -> None:
    with filled.faults.on("truncated ZIP", at_byte=at_byte):
        answer = filled.archive()
    assert answer.ok
    assert not zipfile.is_zipfile(io.BytesIO(answer.content))
    assert at_byte in (None, len(answer.content))
    assert zipfile.is_zipfile(io.BytesIO(filled.archive().content))


def test_a_downloaded_archive_ends_early(filled: House) -> None:
    job = filled.submit()
    filled.wait_for(job, "Success")
    with filled.faults.on("truncated ZIP"):
        answer = filled.ask("GET", f"/jobs/{job}/archive")
    assert int(answer.headers["Content-Length"]) == len(answer.content)  # it looks whole
    assert not zipfile.is_zipfile(io.BytesIO(answer.content))


@pytest.mark.parametrize("name", ["download slower than the time-out", "answer slower than the time-out"])
def test_what_is_late_has_been_done(filled: House, name: str) -> None:
    (instance, *_) = filled.get("/instances")
    fault = filled.faults.on(name, seconds=30, where="GET */file")
    with pytest.raises((requests.Timeout, requests.ConnectionError)):
        requests.get(f"{filled.server.url}/instances/{instance}/file", timeout=0.5)
    until(lambda: fault.happened == 1)
    fault.off()  # the server does not go on waiting
    assert filled.ask("GET", f"/instances/{instance}/file").ok


@pytest.mark.parametrize(("name", "pause"), [("503 without Retry-After", None), ("503 with Retry-After", "2")])
def test_a_burst_of_503(house: House, name: str, pause: str | None) -> None:
    seconds = {} if pause is None else {"seconds": 2}
    with house.faults.on(name, nth=2, **seconds):
        answers = [house.ask("GET", "/system") for _ in range(5)]
    assert [answer.status_code for answer in answers] == [200, 503, 503, 503, 200]
    assert answers[1].headers.get("Retry-After") == pause


def test_a_request_is_delivered_twice(house: House) -> None:
    with house.faults.on("duplicate delivery", times=2):
        assert house.upload().json()["Status"] == "AlreadyStored"
        house.submit()
    assert len(house.get("/jobs")) == 2


def test_the_numbers_of_changes_begin_anew(house: House) -> None:
    house.upload()
    last = house.get("/changes")["Last"]
    with house.faults.on("stale since of changes"):
        assert house.get(f"/changes?since={last}") == {"Changes": [], "Done": True, "Last": 0}
        house.upload(SLICES[1])
        assert house.get(f"/changes?since={last}")["Changes"] == []
        assert house.get("/changes?since=0&limit=1")["Changes"][0]["Seq"] == 1
    assert house.get(f"/changes?since={last}")["Changes"][0]["Seq"] == last + 1


def test_a_peer_that_accepts_and_loses(house: House) -> None:
    with house.faults.on("peer that accepts and loses"):
        assert house.upload().json()["Status"] == "Success"
    assert house.get("/instances") == []


def test_a_slow_peer_of_a_job(filled: House, orthanc: EmbeddedServer) -> None:
    orthanc.session.put(f"{orthanc.url}/peers/slow", json={"Url": filled.server.url, "Timeout": 1})
    sent = orthanc.session.post(f"{orthanc.url}/instances", data=samples.dicom_files("us")[0].read_bytes()).json()
    with filled.faults.on("slow peer", seconds=30) as fault:
        answer = orthanc.session.post(f"{orthanc.url}/peers/slow/store", json={"Resources": [sent["ID"]]})
        assert answer.json()["OrthancStatus"] == 9
        assert fault.happened == 1


# -- jobs --------------------------------------------------------------------------------


@pytest.mark.parametrize("nth", [1, 2])
def test_the_history_is_evicted_before_it_is_fetched(filled: House, nth: int) -> None:
    with filled.faults.on("history evicted before it is fetched", nth=nth):
        job = filled.submit()
        filled.wait_for(job, "forgotten")


def test_an_output_is_evicted_before_it_is_fetched(filled: House) -> None:
    job = filled.submit()
    filled.wait_for(job, "Success")
    with filled.faults.on("output evicted before it is fetched"):
        assert filled.ask("GET", f"/jobs/{job}/archive").status_code == 404
    assert filled.state(job) == "Success"


def test_a_job_stays_in_retry_until_the_fault_is_switched_off(filled: House) -> None:
    with filled.faults.on("job that stays in Retry"):
        job = filled.submit()
        filled.wait_for(job, "Retry")
        assert [view["State"] for view in filled.get("/jobs?expand")] == ["Retry"]
    filled.wait_for(job, "Success")


def test_a_job_in_retry_can_be_canceled(filled: House) -> None:
    with filled.faults.on("job that stays in Retry"):
        job = filled.submit()
        filled.wait_for(job, "Retry")
        filled.ask("POST", f"/jobs/{job}/cancel")
        filled.wait_for(job, "Failure")


def modify(house: House) -> str:
    """Modify all studies in a job, which has a step for each instance, and one more."""
    order = {"Resources": house.get("/studies"), "Replace": {"StudyDescription": "x"}, "Asynchronous": True}
    return str(
        house.ask("POST", "/tools/bulk-modify", json={**order, "Level": "Study", "KeepSource": True}).json()["ID"]
    )


@pytest.mark.parametrize("at_step", [0, 1])
def test_a_job_is_paused_by_somebody_else(filled: House, at_step: int) -> None:
    with filled.faults.on("job paused by somebody else", at_step=at_step):
        job = modify(filled)
        filled.wait_for(job, "Paused")
    progress = filled.get(f"/jobs/{job}")["Progress"]
    assert (progress > 0) is (at_step > 0)
    filled.ask("POST", f"/jobs/{job}/resume")
    filled.wait_for(job, "Success")


@pytest.mark.parametrize("at_step", [0, 1])
def test_a_job_fails_at_a_step(filled: House, at_step: int) -> None:
    with filled.faults.on("job that fails", at_step=at_step):
        job = modify(filled)
        filled.wait_for(job, "Failure")
    document = filled.get(f"/jobs/{job}")
    assert (document["ErrorCode"], document["Progress"] > 0) == (14, at_step > 0)
    filled.ask("POST", f"/jobs/{job}/resubmit")
    filled.wait_for(job, "Success")


def test_a_worker_dies_between_two_steps(filled: House) -> None:
    with filled.faults.on("worker death between two steps", at_step=1) as fault:
        job = modify(filled)
        until(lambda: fault.happened)
        filled.wait_for(filled.submit(), "Success")  # the other worker goes on
        assert filled.state(job) == "Running"
    filled.server.restart()
    filled.wait_for(job, "Success")


def test_a_restart_that_forgets(filled: House) -> None:
    archive, modification = filled.submit(), modify(filled)
    filled.wait_for(archive, "Success")
    with filled.faults.on("restart that forgets"):
        cut(filled, "GET", f"/jobs/{archive}")

        def forgotten() -> bool:
            try:
                return (filled.state(archive), filled.state(modification)) == ("forgotten", "Success")
            except requests.ConnectionError:
                return False

        until(forgotten)
    assert len(filled.get("/instances")) >= len(SLICES)  # instances are not forgotten


# -- disk, clock, DICOM ------------------------------------------------------------------


@pytest.mark.parametrize("name", ["disk full at a byte", "read-only disk"])
def test_a_disk_that_takes_nothing(house: House, name: str) -> None:
    house.upload()
    with house.faults.on(name):
        for refused in (dicom(), dicom(pixels=LARGE)):  # in the index, and in a file
            status = house.ask("POST", "/instances", data=refused).json()["OrthancStatus"]
            assert status == {"disk full at a byte": 19, "read-only disk": 14}[name]
        assert house.ask("POST", "/tools/create-archive", json={"Resources": house.get("/studies")}).ok  # a stream
        order = {"Resources": house.get("/studies"), "Asynchronous": True}
        assert not house.ask("POST", "/tools/create-archive", json=order).ok
    assert house.upload(SLICES[1]).json()["Status"] == "Success"


def test_a_disk_that_is_full_at_a_byte(house: House) -> None:
    size = sum(file.stat().st_size for file in SLICES[:2])
    with house.faults.on("disk full at a byte", at_byte=size + 10_000):
        statuses = [house.upload(file).status_code for file in SLICES]
    assert statuses == [200, 200, 507]


def test_an_output_that_fills_the_disk(filled: House) -> None:
    with filled.faults.on("disk full at a byte", at_byte=30_000):
        job = filled.submit()
        until(lambda: filled.get(f"/jobs/{job}")["ErrorCode"] or filled.server.errors)
    filled.wait_for(job, "Failure")
    assert filled.get(f"/jobs/{job}")["ErrorCode"] == 19


def test_an_attachment_is_corrupted_and_the_server_can_tell(filled: House) -> None:
    (instance, *_) = filled.get("/instances")
    attachment = f"/instances/{instance}/attachments/dicom"
    md5 = filled.ask("GET", f"{attachment}/md5").text
    with filled.faults.on("corrupted attachment"):
        assert hashlib.md5(filled.ask("GET", f"/instances/{instance}/file").content).hexdigest() != md5
        assert not filled.ask("POST", f"{attachment}/verify-md5").ok
    assert hashlib.md5(filled.ask("GET", f"/instances/{instance}/file").content).hexdigest() == md5


def test_the_index_is_locked(house: House) -> None:
    with house.faults.on("index locked"):
        assert house.upload().status_code == 500
    assert house.upload().json()["Status"] == "Success"


def test_the_clock_jumps() -> None:
    faults = Faults()
    with orthanc_lab.in_process(clock=ManualClock(), faults=faults) as server:

        def now() -> str:
            return str(server.session.get(f"{server.url}/tools/now").text)

        assert now() == "20260101T000000"
        with faults.on("clock that jumps", seconds=86400):
            assert now() == "20260102T000000"
        assert now() == "20260101T000000"


def test_an_association_is_aborted(house: House, dicom_peer: Any) -> None:
    peer = dicom_peer(house.server.dicom_port)
    with house.faults.on("DICOM association aborted", where="C-STORE", nth=2):
        assert peer.store(SLICES[0]) == [0]
        with pytest.raises(Exception, match="has ended the association without a response"):
            peer.store(SLICES[1])
    assert peer.store(SLICES[1]) == [0]


# -- triggers ----------------------------------------------------------------------------


def test_there_are_twenty_faults_and_each_says_what_to_do() -> None:
    assert len(KINDS) >= 20
    assert all(kind.what.endswith(".") and kind.good_client.endswith(".") for kind in KINDS.values())


def test_an_unknown_fault_is_refused_with_the_nearest_names() -> None:
    with pytest.raises(ValueError, match="did you mean 'answer lost after the commit'"):
        Faults().on("answer lost")
    with pytest.raises(ValueError, match="There is no fault 'xyz'; there are: answer lost"):
        Faults().on("xyz")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"at_byte": 5}, "'index locked' does not take at_byte"),
        ({"seconds": 5}, "does not take seconds"),
        ({"nth": 0}, "count from 1"),
        ({"times": 0}, "count from 1"),
        ({"probability": 0}, "above 0 and at most 1"),
        ({"probability": 1.5}, "above 0 and at most 1"),
        ({"times": float("nan")}, "must not be NaN"),
    ],
)
def test_a_trigger_that_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    faults = Faults()
    with pytest.raises(ValueError, match=words):
        faults.on("index locked", **options)
    assert faults.in_force == ()


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"nth": "2"}, "nth must be a whole number, not '2'"),
        ({"nth": 1.5}, "nth must be a whole number, not 1.5"),
        ({"times": "3"}, "times must be a number, not '3'"),
        ({"probability": None}, "probability must be a number, not None"),
        ({"where": [1]}, "where must be patterns"),
    ],
)
def test_a_trigger_of_other_types_is_refused_where_it_is_switched_on(options: dict[str, Any], words: str) -> None:
    faults = Faults()
    with pytest.raises(TypeError, match=words):
        faults.on("index locked", **options)
    assert faults.in_force == ()


def test_switching_off_a_fault_that_does_not_exist() -> None:
    with pytest.raises(ValueError, match="did you mean 'index locked'"):
        Faults().off("index lock")


def draws(seed: int) -> list[bool]:
    faults = Faults(seed)
    fault = faults.on("index locked", probability=0.3)
    return [fault.happens() for _ in range(100)]


def test_a_probability_is_drawn_from_the_seed() -> None:
    assert draws(1) == draws(1) != draws(2)
    assert 10 < sum(draws(1)) < 50


def test_a_fault_that_never_happened_fails_the_block(house: House) -> None:
    words = "there were no requests of GET /changes"
    with pytest.raises(FaultNeverHappened, match=words), house.faults.on("stale since of changes"):
        house.get("/system")
    words = "there were 2 requests, and it was to begin with number 3"
    with pytest.raises(FaultNeverHappened, match=words), house.faults.on("503 without Retry-After", nth=3):
        [house.get("/system") for _ in range(2)]
    with house.faults.on("index locked", optional=True):
        pass
    with pytest.raises(KeyError), house.faults.on("index locked"):
        raise KeyError  # what the block raises is told, and nothing else


def test_several_faults_at_a_time(house: House) -> None:
    with (
        house.faults.on("503 without Retry-After", times=1, where="GET /system"),
        house.faults.on("duplicate delivery"),
        house.faults.on("answer lost after the commit", nth=2),
    ):
        assert house.ask("GET", "/system").status_code == 503
        assert house.upload().json()["Status"] == "AlreadyStored"
        cut(house, "POST", "/instances", data=SLICES[1].read_bytes())
    assert house.faults.in_force == ()


def test_a_fault_ends_after_so_many_times(house: House) -> None:
    fault: Fault = house.faults.on("503 without Retry-After", times=2)
    assert [house.ask("GET", "/system").status_code for _ in range(4)] == [503, 503, 200, 200]
    assert (fault.is_on, fault.happened, fault.occasions) == (False, 2, 4)
    fault.off()
    with house.faults.on("503 without Retry-After", times=math.inf):
        assert {house.ask("GET", "/system").status_code for _ in range(10)} == {503}


def test_without_a_socket_and_without_threads() -> None:
    faults = Faults()
    with orthanc_lab.in_process(executor="inline", faults=faults) as server:
        client = orthanc_lab.Client.from_server(server)
        with faults.on("answer lost after the commit"):
            assert client.upload(samples.path("ct/localizer")).already_stored == 1
        for name in ("connection reset in the answer", "connection reset before the answer", "503 with Retry-After"):
            with faults.on(name, times=1, where="GET /system"):
                assert client.system["ApiVersion"] == 27
        with faults.on("job paused by somebody else"):
            job = client.studies.find()[0].archive_job()
            with pytest.raises(orthanc_lab.JobPausedError):
                job.wait()
        assert job.resume().wait().progress == 100


def test_no_request_and_no_file_reaches_a_fault(house: House, tmp_path: Path) -> None:
    paths = ("/faults", "/tools/faults", "/orthanc-lab/faults", "/plugins/faults", "/system")
    for path in paths:
        for verb in ("GET", "PUT", "POST"):
            house.ask(verb, path, data=json.dumps({"index locked": True, "Faults": ["index locked"]}))
    house.ask("GET", "/system", headers={"X-Orthanc-Lab-Fault": "index locked", "X-Fault": "index locked"})
    assert house.faults.in_force == ()
    wanted = {"Faults": ["503 without Retry-After"], "HttpPort": 0, "DicomServerEnabled": False}
    with pytest.raises(TypeError):
        orthanc_lab.serve(wanted)
    file = tmp_path / "orthanc.json"
    file.write_text(json.dumps(wanted))
    server = Server(lambda: CheckedSettings(read_configuration(file).values, tmp_path))
    server.start()
    try:
        assert requests.get(f"http://127.0.0.1:{server.port}/system", timeout=20).ok
    finally:
        server.stop()


def test_a_server_in_another_process_has_no_faults() -> None:
    with pytest.raises(ValueError, match="faults cannot be handed to another process"):
        orthanc_lab.serve(process=True, faults=Faults())  # type: ignore[call-overload]


def test_with_a_seeded_executor() -> None:
    faults = Faults()
    with orthanc_lab.in_process(executor=orthanc_lab.seeded(7), faults=faults) as server:
        client = orthanc_lab.Client.from_server(server)
        client.upload(samples.path("ct/localizer"))
        with faults.on("job paused by somebody else") as fault:
            job = client.studies.find()[0].archive_job()
            server.run_until(lambda: fault.happened == 1 and job.refresh().state.value == "Paused")
        server.crash()
        assert job.refresh().state.value == "Paused"
        job.resume()
        server.run_until(lambda: job.refresh().state.value == "Success")


# -- in front of another server ----------------------------------------------------------


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def behind(request: pytest.FixtureRequest) -> Iterator[str]:
    """The address of a server without faults."""
    if request.param == "ours":
        yield request.getfixturevalue("orthanc").url
        return
    request.getfixturevalue("real_program")
    with RealOrthanc() as real:
        yield real.url


def test_a_proxy_has_the_faults_of_http(behind: str) -> None:
    faults = Faults()
    with FaultyProxy(behind, faults) as proxy:
        client = orthanc_lab.Client(proxy.url)
        with faults.on("answer lost after the commit", where="POST /instances"):
            assert client.upload(SLICES[0]).already_stored == 1
        with faults.on("connection reset in the request"), pytest.raises(requests.ConnectionError):
            requests.post(f"{proxy.url}/instances", data=SLICES[1].read_bytes(), timeout=20)
        with faults.on("truncated ZIP"):
            answer = requests.get(f"{proxy.url}{client.studies.find()[0].path}/archive", timeout=20)
        assert not zipfile.is_zipfile(io.BytesIO(answer.content))
        with faults.on("peer that accepts and loses"):
            assert client.upload(SLICES[1], verify=True).stored == 0
        with faults.on("503 with Retry-After", times=1):
            assert client.upload(SLICES[1]).stored == 1
        last = client.transport.get("/changes", {"last": ""})["Last"]
        with faults.on("stale since of changes"):
            assert client.transport.get("/changes", {"since": last})["Changes"] == []
        assert sorted(instance.file() for instance in client.instances) == sorted(f.read_bytes() for f in SLICES[:2])
