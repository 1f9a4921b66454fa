"""The commands of the page on several servers, one after the other, on this machine."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.docs.test_how_to import run_shell, shown
from tests.programs import program
from tests.waiting import until

PAGE = "cluster.md"

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_server: PostgresqlServer) -> Path:
    """The working folder of a reader, whose database is the one of these tests."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    for name, value in (("HOST", "127.0.0.1"), ("PORT", postgresql_server.port), ("USER", postgresql_server.user)):
        monkeypatch.setenv(f"PG{name}", str(value))
    monkeypatch.setenv("ORTHANC_DATABASE_PASSWORD", "secret")
    for name in ("psql", "pg_dump", "pg_restore"):
        program(name)
    return tmp_path


class Page:
    """The snippets with ports and folders of this machine."""

    def __init__(self, folder: Path, postgresql_port: int) -> None:
        self.http, self.dicom = ports(4), ports(4)
        self._words = {"/srv/orthanc": str(folder), "5432": str(postgresql_port)}
        self._words |= {"8042": str(self.http), "4242": str(self.dicom)}
        self._words |= {str(8042 + number): str(self.http + number) for number in (1, 2, 3)}

    def code(self, caption: str) -> str:
        code = shown(PAGE, caption).code
        return re.sub("|".join(self._words), lambda match: self._words[match[0]], code)

    def run(self, caption: str, then: str = "") -> None:
        run_shell(replace(shown(PAGE, caption), code=self.code(caption) + then), {})


def ports(count: int) -> int:
    """Return the first of so many free ports in a row."""
    while True:
        first = free_port()
        if first + count < 65536 and not any(is_listening(first + number) for number in range(count)):
            return first


@contextlib.contextmanager
def ended(pids: list[int]) -> Iterator[None]:
    try:
        yield
    finally:
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGTERM)
        until(lambda: not any(Path(f"/proc/{pid}/cmdline").exists() and runs(pid) for pid in pids), seconds=60)


def runs(pid: int) -> bool:
    try:
        return b"orthanc-lab" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


@contextlib.contextmanager
def nginx(folder: Path, conf: str) -> Iterator[None]:
    (folder / "orthanc.conf").write_text(conf)
    paths = " ".join(f"{kind}_temp_path {folder}/{kind};" for kind in ("proxy", "fastcgi", "uwsgi", "scgi"))
    main = (
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/nginx.log; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/body; {paths} include {folder}/orthanc.conf; }}\n"
    )
    (folder / "nginx.conf").write_text(main)
    process = subprocess.Popen([program("nginx"), "-c", str(folder / "nginx.conf")], stderr=subprocess.DEVNULL)
    yield
    process.terminate()
    process.wait(30)


def test_three_servers_behind_nginx(folder: Path, postgresql_server: PostgresqlServer) -> None:
    page = Page(folder, postgresql_server.port)
    page.run("make the database")
    (folder / "common.json").write_text(page.code("common.json"))
    page.run("three servers on one machine", "jobs -p > pids\n")
    pids = [int(word) for word in (folder / "pids").read_text().split()]
    url = f"http://127.0.0.1:{page.http}"
    with ended(pids), nginx(folder, page.code("orthanc.conf")):
        for number in range(4):
            until(lambda port=page.http + number: is_listening(port), seconds=60)
        client = orthanc_lab.Client(url)
        assert client.upload(samples.path("ct/sharp")).stored == 10
        job = client.jobs.submit("/tools/create-archive", {"Resources": [one.id for one in client.patients]})
        os.kill(pids[0], signal.SIGKILL)
        answers = [requests.get(f"{url}/system", timeout=30) for _ in range(8)]
        answers += [requests.post(f"{url}/tools/find", json={"Level": "Study", "Query": {}}, timeout=30)]
        assert {answer.status_code for answer in answers} == {200}
        assert {answer.json()["Name"] for answer in answers[:8]} <= {"server-2", "server-3"}
        job.wait()
        assert requests.get(f"{url}/jobs/{job.id}/archive", timeout=30).content.startswith(b"PK")
        page.run("back up")
    page.run("restore")
    options = {**client_options(page, "restored"), "StorageDirectory": str(folder / "restored")}
    with orthanc_lab.serve(options) as server:
        restored = orthanc_lab.Client.from_server(server)
        assert len(restored.instances) == 10
        assert restored.jobs[job.id].refresh().state is JobState.SUCCESS
        archive = restored.transport.send("GET", f"/jobs/{job.id}/archive")
        assert archive.content.startswith(b"PK")
        (instance, *_) = restored.instances
        assert instance.file().startswith(bytes(128) + b"DICM")


def client_options(page: Page, database: str) -> dict[str, object]:
    """Return the options of a server on another database."""
    import json

    section = json.loads(page.code("common.json"))["PostgreSQL"]
    return {"PostgreSQL": {**section, "Host": "127.0.0.1", "Database": database, "Password": "secret"}}


def test_the_unit_of_systemd(folder: Path) -> None:
    unit = shown(PAGE, "orthanc-lab.service").code.replace("/opt/orthanc-lab/bin", str(Path(sys.executable).parent))
    (folder / "orthanc-lab.service").write_text(unit)
    command = [program("systemd-analyze"), "verify", "./orthanc-lab.service"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")
