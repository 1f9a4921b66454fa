"""The server under another WSGI server, by `orthanc_lab.wsgi`."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import requests
from cheroot.wsgi import Server

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.wsgi import HostedApplication, application
from tests.waiting import until


@contextmanager
def served(hosted: HostedApplication) -> Iterator[str]:
    """Serve an application by cheroot, and close it at the end."""
    server = Server(("127.0.0.1", 0), hosted, numthreads=4, timeout=30)
    server.expiration_interval = 0.01
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.bind_addr[1]}"
    finally:
        server.stop()
        thread.join()
        hosted.close()


def configured(folder: Path, **options: object) -> Path:
    file = folder / "orthanc.json"
    file.write_text(json.dumps({"StorageDirectory": "storage", "DicomServerEnabled": False, **options}))
    return file


def test_what_is_stored_through_it_is_there_for_the_next_one(tmp_path: Path) -> None:
    file = configured(tmp_path, Name="hosted")
    with served(application(file)) as url:
        client = orthanc_lab.Client(url)
        assert client.upload(samples.path("ct/sharp")).stored == 10
        assert requests.get(f"{url}/system", timeout=10).json()["Name"] == "hosted"
        study = requests.get(f"{url}/studies", timeout=10).json()[0]
        made = requests.post(f"{url}/studies/{study}/archive", json={"Asynchronous": True}, timeout=10).json()
        path = f"{url}/jobs/{made['ID']}"
        until(lambda: requests.get(path, timeout=10).json()["State"] == "Success")
        assert requests.get(f"{path}/archive", timeout=10).content.startswith(b"PK")
    with served(application(str(file), Name="another")) as url:
        assert len(requests.get(f"{url}/instances", timeout=10).json()) == 10
        assert requests.get(f"{url}/system", timeout=10).json()["Name"] == "another"


def test_a_reset_reads_the_configuration_anew_and_a_shutdown_ends_it(tmp_path: Path) -> None:
    file = configured(tmp_path, Name="before")

    def status() -> int:
        return requests.get(f"{url}/system", timeout=10).status_code

    def name() -> str:
        answer = requests.get(f"{url}/system", timeout=10)
        return str(answer.json()["Name"]) if answer.ok else ""

    hosted = application(file)
    with served(hosted) as url:
        configured(tmp_path, Name="after")
        requests.post(f"{url}/tools/reset", timeout=10)
        until(lambda: name() == "after")
        requests.post(f"{url}/tools/shutdown", timeout=10)
        until(lambda: status() == 503)
        hosted.close()  # waits for the end
        with orthanc_lab.serve(folder=tmp_path / "storage") as server:
            assert server.is_running


def test_a_request_without_an_address_is_none_of_this_machine(tmp_path: Path) -> None:
    hosted = application(configured(tmp_path))
    statuses: list[str] = []
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": "/system", "SERVER_PORT": "80"}
    hosted(environ, lambda status, headers, exc_info=None: statuses.append(status))  # type: ignore[arg-type,return-value]
    hosted.close()
    assert statuses == ["403 Forbidden"]


def test_a_second_process_is_refused_with_the_reason(tmp_path: Path) -> None:
    file = configured(tmp_path)
    hosted = application(file)
    try:
        with pytest.raises(orthanc_lab.OrthancError, match="already in use by another server") as caught:
            application(file)
        assert "One process serves a folder" in caught.value.__notes__[0]
    finally:
        hosted.close()
        hosted.close()
    application(file).close()


def test_a_forked_process_does_not_answer(tmp_path: Path) -> None:
    code = """
import os, sys
from orthanc_lab.wsgi import application
app = application(sys.argv[1])
if os.fork() == 0:
    try:
        app({}, None)
    except RuntimeError as error:
        print(error, flush=True)
    os._exit(0)
os.wait()
"""
    command = [sys.executable, "-W", "ignore", "-c", code, str(configured(tmp_path))]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.startswith("One process serves a folder")
