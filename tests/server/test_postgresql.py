"""A server whose index is on PostgreSQL: what it tells, and what becomes of it while the database is away."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest

import orthanc_lab
from orthanc_lab import EmbeddedServer
from orthanc_lab.protocol.ports import SystemClock
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.cluster.tcp_proxy import TcpProxy
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
from orthanc_lab.testing.real import RealOrthanc
from tests.waiting import until

AWAY = "The database is currently not available (probably a transient situation)"
PLUGIN = "/usr/share/orthanc/plugins/libOrthancPostgreSQLIndex.so"
SOON = {"MaximumConnectionRetries": 1, "ConnectionRetryInterval": 1}


def settings(database: PostgresqlDatabase, **options: Any) -> dict[str, Any]:
    return {"PostgreSQL": {**database.section, **SOON, **options}}


@pytest.fixture
def database(postgresql_server: PostgresqlServer) -> Iterator[PostgresqlDatabase]:
    """Make a database; the tests stop its server, which runs again afterwards."""
    database = postgresql_server.create_database()
    yield database
    if not postgresql_server.is_running:
        postgresql_server.start()
    postgresql_server.drop_database(database)


@pytest.fixture
def server(database: PostgresqlDatabase) -> Iterator[EmbeddedServer]:
    with orthanc_lab.serve(settings(database)) as server:
        yield server


def test_what_is_in_a_database_is_not_removed_by_a_renewal(server: EmbeddedServer) -> None:
    with pytest.raises(RuntimeError, match="whose index is in its folder"):
        server.renew()


def upload(server: EmbeddedServer, file: bytes) -> Any:
    return server.session.post(f"{server.url}/instances", data=file)


def test_the_system_tells_the_back_end(server: EmbeddedServer) -> None:
    told = server.session.get(f"{server.url}/system").json()
    assert told["DatabaseBackendPlugin"].rpartition("/")[2].startswith("libOrthancPostgreSQLIndex.so")
    assert told["DatabaseVersion"] == 6


class BackwardClock(SystemClock):
    """A clock whose time of day goes backwards, as one that is being put back does."""

    def now(self) -> datetime:
        return datetime(2100, 1, 1, tzinfo=UTC) - timedelta(seconds=self.monotonic())


def test_a_job_takes_no_negative_time_while_the_clock_is_put_back(database: PostgresqlDatabase) -> None:
    with orthanc_lab.serve(settings(database), clock=BackwardClock()) as server:
        study = upload(server, dicom()).json()["ParentStudy"]
        job = server.session.post(f"{server.url}/studies/{study}/archive", json={"Asynchronous": True}).json()["ID"]
        until(lambda: server.session.get(f"{server.url}/jobs/{job}").json()["State"] == "Success")
        assert server.session.get(f"{server.url}/jobs/{job}").json()["EffectiveRuntime"] == 0.0


def test_away_and_back(server: EmbeddedServer, postgresql_server: PostgresqlServer) -> None:
    first = upload(server, dicom()).json()
    postgresql_server.stop("immediate")
    answers = [server.session.get(f"{server.url}/studies"), upload(server, dicom(pixels=LARGE))]
    for answer in answers:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "1")
        assert (answer.json()["OrthancStatus"], answer.json()["Message"]) == (36, AWAY)
    assert server.session.get(f"{server.url}/system").status_code == 200
    begun = time.monotonic()
    assert server.session.get(f"{server.url}/studies").status_code == 503
    assert time.monotonic() - begun < 0.9  # it has been away for longer than the retries: nobody waits any more
    postgresql_server.start()
    assert server.session.get(f"{server.url}/studies").json() == [first["ParentStudy"]]
    assert upload(server, dicom(pixels=LARGE)).json()["Status"] == "Success"
    assert [path for path in server.folder.rglob("*") if len(path.name) == 36] != []
    assert len(server.session.get(f"{server.url}/instances").json()) == 2


def test_a_short_absence_is_not_noticed(server: EmbeddedServer, postgresql_server: PostgresqlServer) -> None:
    upload(server, dicom())
    postgresql_server.restart("immediate")
    assert upload(server, dicom()).json()["Status"] == "Success"
    assert len(server.session.get(f"{server.url}/instances").json()) == 2


def test_a_scrape_does_not_wait_for_a_database_that_is_away(database: PostgresqlDatabase) -> None:
    """Others do, for 50 seconds."""
    with TcpProxy(database.host, database.port) as line:
        section = {**database.section, "Host": "127.0.0.1", "Port": line.port}
        with orthanc_lab.serve(PostgreSQL=section) as server:
            address = f"{server.url}/tools/metrics-prometheus"
            assert "orthanc_count_studies 0 " in server.session.get(address).text
            line.refuse()
            for _ in range(2):
                assert server.session.get(address, timeout=20).status_code == 503
            line.go_on()
            assert "orthanc_count_studies 0 " in server.session.get(address).text


def start(folder: Path, database: PostgresqlDatabase, **options: Any) -> subprocess.Popen[str]:
    folder.mkdir()
    configuration = folder / "orthanc.json"
    own = {"HttpPort": free_port(), "DicomServerEnabled": False, "StorageDirectory": str(folder / "storage")}
    configuration.write_text(json.dumps({**own, **settings(database, **options)}))
    command = [sys.executable, "-m", "orthanc_lab", str(configuration)]
    return subprocess.Popen(command, stderr=subprocess.PIPE, text=True)


def test_away_at_the_start(database: PostgresqlDatabase, tmp_path: Path) -> None:
    process = start(tmp_path / "a", database, Port=1)
    log = process.communicate(timeout=30)[1]
    assert process.returncode == 255
    assert f"stopping now: [{AWAY}] (code 36)" in log


@pytest.mark.long
def test_a_second_server_is_refused_as_by_orthanc(
    real_program: str, database: PostgresqlDatabase, tmp_path: Path
) -> None:
    words = "The PostgreSQL database is locked by another instance of Orthanc"
    with RealOrthanc(program=real_program, Plugins=[PLUGIN], **settings(database, Lock=True)) as real:
        with pytest.raises(RuntimeError) as refused:
            RealOrthanc(program=real_program, Plugins=[PLUGIN], **settings(database, Lock=True)).start()
        assert real.log
    assert "code 255" in str(refused.value)
    assert words in str(refused.value)
    assert "(code 11)" in str(refused.value)
    with orthanc_lab.serve(settings(database, Lock=True)):
        process = start(tmp_path / "b", database, Lock=True)
        log = process.communicate(timeout=30)[1]
    assert process.returncode == 255
    assert words in log
    assert "(code 11)" in log


def test_the_lock_ends_with_its_owner(database: PostgresqlDatabase, tmp_path: Path) -> None:
    owner = start(tmp_path / "a", database, Lock=True)
    assert owner.stderr is not None
    until(lambda: "has started" in owner.stderr.readline(), seconds=30)
    with pytest.raises(orthanc_lab.OrthancError) as refused:
        orthanc_lab.serve(settings(database, Lock=True))
    assert refused.value.code == 11
    owner.kill()
    owner.communicate(timeout=30)
    with orthanc_lab.serve(settings(database, Lock=True)) as server:
        assert server.session.get(f"{server.url}/studies").json() == []


class TestTheFixture:
    """A suite of tests on PostgreSQL: each test has a database, and a server on it."""

    servers: ClassVar[list[EmbeddedServer]] = []

    @pytest.fixture
    def orthanc_settings(self, postgresql: PostgresqlDatabase) -> dict[str, Any]:
        return postgresql.settings

    @pytest.mark.parametrize("number", [0, 1])
    def test_each_test_begins_with_an_empty_database(self, orthanc: EmbeddedServer, number: int) -> None:
        assert [server.is_running for server in self.servers] == [False] * number
        self.servers.append(orthanc)
        assert orthanc.session.get(f"{orthanc.url}/instances").json() == []
        assert upload(orthanc, dicom()).status_code == 200
