"""A real Prometheus with the page's YAML scrapes a password-protected server."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab import samples
from orthanc_lab.server.loopback import free_port, is_listening
from tests.programs import program
from tests.seed_page.conftest import Page
from tests.waiting import until

# As printed, but for the address and for the interval: nobody wants to wait for 10 s.
CONFIGURATION = """
scrape_configs:
  - job_name: 'orthanc'
    scrape_interval: 1s
    metrics_path: /tools/metrics-prometheus
    basic_auth:
      username: orthanc
      password: orthanc
    static_configs:
      - targets: ['{target}']
"""


@pytest.fixture
def options() -> dict[str, Any]:
    return {"AuthenticationEnabled": True, "RegisteredUsers": {"orthanc": "orthanc"}}


@pytest.fixture
def prometheus(page: Page, tmp_path: Path) -> Iterator[str]:
    """Where a Prometheus listens that scrapes the server."""
    configuration = tmp_path / "prometheus.yml"
    configuration.write_text(CONFIGURATION.format(target=page.url.removeprefix("http://")))
    port = free_port()
    command = [program("prometheus"), f"--config.file={configuration}", f"--storage.tsdb.path={tmp_path / 'series'}"]
    with (tmp_path / "log.txt").open("wb") as log:
        process = subprocess.Popen([*command, f"--web.listen-address=127.0.0.1:{port}"], stdout=log, stderr=log)
        try:
            until(lambda: is_listening(port), what="Prometheus does not listen")
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait(30)


def test_prometheus_answers_with_what_it_scraped(page: Page, prometheus: str) -> None:
    for path in samples.dicom_files("mr"):
        answer = requests.post(f"{page.url}/instances", data=path.read_bytes(), auth=("orthanc", "orthanc"), timeout=30)
        answer.raise_for_status()

    def value(query: str) -> str:
        answer = requests.get(f"{prometheus}/api/v1/query", {"query": query}, timeout=10).json()
        results = answer["data"]["result"] if answer["status"] == "success" else []
        return str(results[0]["value"][1]) if results else ""

    count = str(len(samples.dicom_files("mr")))
    until(lambda: value("orthanc_count_instances") == count, what=lambda: value("orthanc_count_instances"))
    assert value("orthanc_count_patients") == "1"
    assert value('up{job="orthanc"}') == "1"
    assert float(value("orthanc_disk_size_mb")) > 0
