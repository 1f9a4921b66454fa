"""A real Prometheus scrapes a server that asks for a password; promtool judges the text."""

import re
import subprocess
from pathlib import Path

import pytest
import requests
from pydicom.data import get_testdata_file

import orthanc_lab
from orthanc_lab.server.loopback import free_port
from tests.programs import program
from tests.waiting import until

DATA = Path(__file__).parents[2] / "data"
FILE = Path(get_testdata_file("CT_small.dcm")).read_bytes()
USER = {"AuthenticationEnabled": True, "RegisteredUsers": {"orthanc": "orthanc"}}


@pytest.fixture
def server():
    with orthanc_lab.serve(USER) as server:
        yield server


@pytest.fixture
def prometheus(tmp_path, server):
    """Prometheus with the configuration of the Orthanc Book, on another port and more often."""
    text = (DATA / "prometheus.yml").read_text()
    text = text.replace("localhost:8042", f"127.0.0.1:{server.port}").replace("10s", "1s")
    (tmp_path / "prometheus.yml").write_text(text)
    port = free_port()
    command = [
        program("prometheus"),
        f"--config.file={tmp_path / 'prometheus.yml'}",
        f"--storage.tsdb.path={tmp_path / 'data'}",
        f"--web.listen-address=127.0.0.1:{port}",
    ]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}/api/v1"
    process.terminate()
    process.wait(20)


def value_of(prometheus, query):
    try:
        answer = requests.get(f"{prometheus}/query", {"query": query}, timeout=30)
    except requests.ConnectionError:
        return None
    if answer.status_code == 503:  # it listens, and is not ready yet
        return None
    result = answer.json()["data"]["result"]
    return float(result[0]["value"][1]) if result else None


def test_the_configuration_of_the_book_is_valid(tmp_path):
    run = subprocess.run(
        [program("promtool"), "check", "config", str(DATA / "prometheus.yml")],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_prometheus_scrapes_and_answers(server, prometheus):
    uploaded = server.session.post(f"{server.url}/instances", data=FILE).json()
    study = uploaded["ParentStudy"]
    job = server.session.post(f"{server.url}/studies/{study}/archive", json={"Asynchronous": True}).json()
    until(lambda: server.session.get(f"{server.url}/jobs/{job['ID']}").json()["State"] == "Success")
    until(lambda: value_of(prometheus, 'up{job="orthanc"}') == 1, seconds=60)
    until(lambda: value_of(prometheus, "orthanc_count_instances") == 1, seconds=60)
    size = int(server.session.get(f"{server.url}/statistics").json()["TotalDiskSize"])
    for query, value in (
        ("orthanc_count_patients", 1),
        ("orthanc_jobs_success", 1),
        ("orthanc_jobs_failed", 0),
        ("orthanc_last_change", server.services.storage.last_change_number()),
        ("orthanc_disk_size_mb * 1048576", pytest.approx(size, rel=1e-7)),
        ("orthanc_storage_written_bytes", pytest.approx(size)),
    ):
        assert value_of(prometheus, query) == value, query


def test_the_password_is_asked_for(server):
    answer = requests.get(f"{server.url}/tools/metrics-prometheus", timeout=30)
    assert (answer.status_code, answer.content) == (401, b"")


def test_promtool_reads_it_and_misses_the_help(server):
    server.session.post(f"{server.url}/instances", data=FILE)
    text = server.session.get(f"{server.url}/tools/metrics-prometheus").text
    run = subprocess.run(
        [program("promtool"), "check", "metrics"], input=text, capture_output=True, text=True, timeout=30, check=False
    )
    # It parses; code 3 stands for remarks: lines of Orthanc have no help, and units in their names.
    assert run.returncode == 3, run.stderr
    remarks = run.stderr.splitlines()
    assert all(re.search(r"no help text|should not contain abbreviated units", remark) for remark in remarks)
    names = {line.split()[0] for line in text.splitlines()}
    assert {remark.split()[0] for remark in remarks} == names
    assert sorted(names) == [line.split()[0] for line in text.splitlines()]
