"""The routes of the metrics, on our server and on the real one."""

import io
import time
import zipfile
from pathlib import Path

import pytest
import requests
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab.protocol.metrics import POLICIES
from orthanc_lab.testing.real import RealOrthanc
from tests.waiting import until

FILE = Path(get_testdata_file("CT_small.dcm")).read_bytes()
FIRST = {
    *(f"orthanc_count_{level}" for level in ("patients", "studies", "series", "instances")),
    *(f"orthanc_jobs_{state}" for state in ("pending", "running", "success", "failed", "completed")),
    *(f"orthanc_{cache}_cache_{what}" for cache in ("dicom", "storage") for what in ("count", "size_mb")),
    *("orthanc_disk_size_mb", "orthanc_uncompressed_size_mb", "orthanc_last_change", "orthanc_up_time_s"),
    "orthanc_rest_api_active_requests",
}
DURATION = "orthanc_rest_api_duration_ms"


class Asked:
    """A server with a short way to its routes."""

    def __init__(self, url):
        self._url = url
        self.session = requests.Session()

    def metrics(self):
        answer = self.session.get(f"{self._url}/tools/metrics-prometheus", timeout=10)
        assert answer.headers["Content-Type"] == "text/plain; version=0.0.4"
        lines = [line.split(" ") for line in answer.text.splitlines()]
        assert [name for name, _, _ in lines] == sorted(name for name, _, _ in lines)
        return {name: (float(value), int(moment)) for name, value, moment in lines}

    def __call__(self, method, path, data=None):
        return self.session.request(method, self._url + path, data=data, timeout=10)


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def start(request):
    """Start a server with options."""
    if request.param == "real":
        request.getfixturevalue("real_program")
    servers = []

    def begin(**options):
        options["KeepAliveTimeout"] = 60  # a pause of a busy machine closes no connection just when it is used again
        server = RealOrthanc(**options) if request.param == "real" else orthanc_lab.serve(options)
        server.__enter__()
        asked = Asked(server.url)
        servers.append((server, asked))
        return asked

    yield begin
    for server, asked in servers:
        asked.session.close()
        server.__exit__(None, None, None)


def test_the_first_scrape(start):
    ask = start()
    first = ask.metrics()
    assert set(first) == FIRST
    assert first["orthanc_rest_api_active_requests"][0] == 1
    assert {name for name, (value, _) in first.items() if value} <= {"orthanc_rest_api_active_requests"}
    assert set(ask.metrics()) == FIRST | {DURATION}


def test_times_are_those_of_the_updates(start):
    ask = start()
    before = time.time() * 1000 - 1
    ask.metrics()
    metrics = ask.metrics()
    after = time.time() * 1000 + 1
    assert all(before <= moment <= after for _, moment in metrics.values())


def test_what_an_upload_of_a_zip_records(start):
    ask = start()
    body = io.BytesIO()
    with zipfile.ZipFile(body, "w") as archive:
        archive.writestr("image.dcm", FILE)
    assert ask("POST", "/instances", body.getvalue()).status_code == 200
    assert {"orthanc_store_dicom_duration_ms", "orthanc_storage_create_duration_ms"} <= set(ask.metrics())


def test_what_an_upload_records(start):
    ask = start()
    assert ask("POST", "/instances", FILE).status_code == 200
    instance = ask("GET", "/instances").json()[0]
    metrics = ask.metrics()
    for level in ("patients", "studies", "series", "instances"):
        assert metrics[f"orthanc_count_{level}"][0] == 1
    assert metrics["orthanc_last_change"][0] > 0
    size = metrics["orthanc_storage_written_bytes"][0]
    assert size >= len(FILE)
    assert metrics["orthanc_disk_size_mb"][0] == pytest.approx(size / 1048576, rel=1e-7)
    assert metrics["orthanc_uncompressed_size_mb"][0] == metrics["orthanc_disk_size_mb"][0]
    assert {"orthanc_store_dicom_duration_ms", "orthanc_storage_create_duration_ms"} <= set(metrics)
    assert "orthanc_storage_remove_duration_ms" not in metrics
    ask("DELETE", f"/instances/{instance}")
    metrics = ask.metrics()
    assert metrics["orthanc_count_instances"][0] == 0
    assert "orthanc_storage_remove_duration_ms" in metrics


def test_hits_and_misses_of_the_cache(start):
    ask = start()
    instance = ask("POST", "/instances", FILE).json()["ID"]
    for _ in range(3):
        ask("GET", f"/instances/{instance}/file")
    metrics = ask.metrics()
    assert metrics["orthanc_storage_cache_hit_count"][0] >= 1
    assert metrics["orthanc_storage_cache_count"][0] >= 1
    assert metrics["orthanc_storage_cache_size_mb"][0] > 0


def test_jobs(start):
    ask = start()
    study = ask("POST", "/instances", FILE).json()["ParentStudy"]
    assert ask("GET", f"/studies/{study}/archive").status_code == 200
    deadline = time.monotonic() + 10
    while not ask.metrics()["orthanc_jobs_success"][0]:
        assert time.monotonic() < deadline
    metrics = ask.metrics()
    assert [metrics[f"orthanc_jobs_{state}"][0] for state in ("pending", "running", "success", "failed")] == [
        0,
        0,
        1,
        0,
    ]
    assert metrics["orthanc_jobs_completed"][0] == 1


def test_the_switch(start):
    ask = start()
    ask("POST", "/instances", FILE)
    assert ask("GET", "/tools/metrics").text == "1"
    before = ask.metrics()
    for off, on in (("0", "1"), ("false", "true"), (" 0\n", " 1\n")):
        answer = ask("PUT", "/tools/metrics", off)
        assert (answer.status_code, answer.content, answer.headers["Content-Type"]) == (200, b"", "text/plain")
        assert ask("GET", "/tools/metrics").text == "0"
        assert ask.metrics() == {}
        assert ask("PUT", "/tools/metrics", on).status_code == 200
        assert ask("GET", "/tools/metrics").headers["Content-Type"] == "text/plain"
    after = ask.metrics()
    for name in ("orthanc_storage_written_bytes", "orthanc_store_dicom_duration_ms"):
        assert after[name] == before[name]


@pytest.mark.parametrize("body", ["", "x", "2", '"1"', "True", "TRUE", "on"])
def test_no_boolean(start, body):
    ask = start()
    answer = ask("PUT", "/tools/metrics", body)
    assert answer.status_code == 400
    assert answer.json()["OrthancStatus"] == 15
    assert answer.json()["Details"] == "Boolean value expected"
    assert ask("GET", "/tools/metrics").text == "1"


def test_off_by_the_configuration(start):
    ask = start(MetricsEnabled=False)
    assert ask("GET", "/tools/metrics").text == "0"
    assert ask.metrics() == {}
    ask("PUT", "/tools/metrics", "1")
    assert set(ask.metrics()) | {"orthanc_rest_api_active_requests"} >= FIRST


def test_every_name_has_a_policy(start):
    ask = start()
    ask("POST", "/instances", FILE)
    assert set(ask.metrics()) <= set(POLICIES)


def test_memory_is_given_back_now_and_then():
    from orthanc_lab.protocol.ports import SystemClock
    from orthanc_lab.protocol.published_metrics import PublishedMetrics
    from orthanc_lab.protocol.threads import ThreadExecutor
    from orthanc_lab.server.memory_trimming import MemoryTrimming

    clock = SystemClock()
    board = PublishedMetrics(clock)
    trimming = MemoryTrimming(board, clock, ThreadExecutor(clock), interval=0.01)
    until(lambda: "orthanc_memory_trimming_duration_ms" in board.exposition())
    trimming.stop()
