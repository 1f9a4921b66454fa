"""The benchmark on PostgreSQL: databases that are made and removed, and figures of three servers."""

from __future__ import annotations

from dataclasses import replace

import psycopg
import pytest

from orthanc_lab.bench import cluster_figures, command
from orthanc_lab.bench.databases import Databases
from orthanc_lab.bench.on_postgresql import COMPARED_WITH_SQLITE, ON_POSTGRESQL
from orthanc_lab.server.loopback import free_port
from orthanc_lab.testing.postgresql_server import PostgresqlServer


def test_each_server_gets_a_database_that_is_removed_at_the_end(postgresql_server: PostgresqlServer) -> None:
    uri = replace(postgresql_server.create_database(), name="postgres").uri
    with Databases(uri) as databases:
        uris = [databases.options()["PostgreSQL"]["ConnectionUri"] for _ in range(2)]
        for made in uris:
            psycopg.connect(made).close()
    assert len(set(uris)) == 2
    for made in uris:
        with pytest.raises(psycopg.OperationalError, match="does not exist"):
            psycopg.connect(made)


def test_the_rows_are_those_of_the_other_benchmark() -> None:
    assert [workload.name for workload in ON_POSTGRESQL] == [workload.name for workload in COMPARED_WITH_SQLITE]
    assert len(ON_POSTGRESQL) == 9


@pytest.mark.long
@pytest.mark.timeout(180)
def test_ours_on_postgresql_is_compared_with_ours_on_sqlite(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["--postgresql", "--only", "ZIP of 500", "--rounds", "1"]) == 0
    assert "upload ZIP of 500 x 4 kB" in capsys.readouterr().out


@pytest.mark.long
@pytest.mark.timeout(180)
def test_three_servers_are_measured() -> None:
    ours = command._OURS
    with Databases() as databases:
        rate = cluster_figures.claims(ours, databases, jobs=30)
        kills = cluster_figures.take_overs(ours, databases, kills=1)
        grown = cluster_figures.growth(ours, databases, instances=1000)
    assert all(value > 0 for figure in (rate, *kills, *grown) for value in figure.values)


def test_a_database_that_is_away_is_said_in_a_line(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "_disk", lambda: "not measured")
    assert command.main(["--postgresql", f"postgresql://127.0.0.1:{free_port()}/x", "--only", "200 CT, job"]) == 255
    assert capsys.readouterr().err.startswith("orthanc-lab bench: connection failed: connection to server at")
