"""The tile in the launcher: the page of a server below Jupyter's own address, through jupyter-server-proxy."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from xml.etree import ElementTree

import psutil
import pytest
import requests

from orthanc_lab.lab.credentials import PASSWORD_VARIABLE, USER
from orthanc_lab.lab.jupyter import READY
from orthanc_lab.lab.tile import orthanc
from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE

config = pytest.importorskip("jupyter_server_proxy.config")


@pytest.fixture
def environment(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    monkeypatch.delenv(LAB_VARIABLE, raising=False)
    return monkeypatch


def test_the_package_announces_it(environment):
    (found,) = (each for each in config.get_entrypoint_server_processes() if each.name == "orthanc")
    assert found.command[-1] == "{port}"
    assert found.launcher_entry.title == "Orthanc"
    picture = ElementTree.parse(found.launcher_entry.icon_path).getroot()
    assert picture.tag.endswith("svg")
    assert picture.get("viewBox")


def test_in_the_lab_it_is_the_server_of_the_lab(environment):
    environment.setenv(LAB_VARIABLE, "http://ali%3Ace:se{cret@127.0.0.1:8043")
    found = config.ServerProcess(name="orthanc", **orthanc())
    assert (found.command, found.port, found.launcher_entry.enabled) == ([], 8043, True)
    assert found.request_headers_override == {"Authorization": "Basic YWxpOmNlOnNle2NyZXQ="}
    environment.setenv(VARIABLE, "http://localhost:8044/")
    assert orthanc()["port"] == 8044


@pytest.mark.parametrize("address", ["http://pacs.example:8042", "https://127.0.0.1:8042", "http://localhost/orthanc"])
def test_what_cannot_be_passed_on_has_no_tile(environment, address):
    environment.setenv(VARIABLE, address)
    assert config.ServerProcess(name="orthanc", **orthanc()).launcher_entry.enabled is False


@pytest.fixture
def plain_jupyter(tmp_path: Path):
    """JupyterLab without ``orthanc-lab lab``: the process, its address, its headers."""
    clean = {name: value for name, value in os.environ.items() if name not in (VARIABLE, LAB_VARIABLE)}
    words = ["--ServerApp.port=0", "--ServerApp.open_browser=False", f"--ServerApp.root_dir={tmp_path}"]
    words += ["--ServerApp.allow_root=True", "--ServerApp.ip=127.0.0.1", "--Application.log_level=ERROR"]
    process = subprocess.Popen(
        [sys.executable, "-m", "orthanc_lab.lab.jupyter_child", *words],
        env={**clean, "HOME": str(tmp_path)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        line = process.stdout.readline()
        assert line.startswith(READY)
        address, _, token = line.removeprefix(READY).strip().partition("/lab?token=")
        yield process, f"{address}/orthanc", {"Authorization": f"token {token}"}
    finally:
        process.stdin.close()
        process.wait()
        process.stdout.close()


def servers_of(process: subprocess.Popen[str]) -> list[psutil.Process]:
    """Return the servers that a Jupyter has started; it has other children, some for a moment."""
    found = []
    for child in psutil.Process(process.pid).children():
        with suppress(psutil.NoSuchProcess):
            if "orthanc_lab.lab.tile_server" in child.cmdline():
                found.append(child)
    return found


def nobody_else_gets_in(server: psutil.Process) -> None:
    port = int(server.cmdline()[-1])
    assert {each.laddr.ip for each in server.net_connections("inet")} == {"127.0.0.1"}
    assert requests.get(f"http://127.0.0.1:{port}/statistics", timeout=30).status_code == 401
    password = server.environ()[PASSWORD_VARIABLE]
    answer = requests.get(f"http://127.0.0.1:{port}/statistics", auth=(USER, password), timeout=30)
    assert answer.status_code == 200
    assert password not in " ".join(server.cmdline())


@pytest.mark.parametrize(
    "number",
    [pytest.param(None, marks=pytest.mark.long), pytest.param(signal.SIGTERM, marks=pytest.mark.long), signal.SIGKILL],
)
def test_elsewhere_a_click_starts_a_server_that_ends_with_jupyter(plain_jupyter, number):
    process, below, headers = plain_jupyter
    assert servers_of(process) == []
    counts = requests.get(f"{below}/statistics", headers=headers, timeout=60)
    assert counts.status_code == 200, counts.text
    (server,) = servers_of(process)
    nobody_else_gets_in(server)
    if number is None:
        process.stdin.close()
    else:
        process.send_signal(number)
    process.wait()
    assert psutil.wait_procs([server], timeout=20)[1] == []
