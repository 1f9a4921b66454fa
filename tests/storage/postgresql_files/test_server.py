"""Servers on one database, with their files in a table of it or in one bucket."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import EmbeddedServer, samples
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase, PostgresqlServer
from orthanc_lab.testing.real import RealOrthanc
from orthanc_lab.testing.seaweed import Bucket
from tests.programs import missing
from tests.storage.conftest import files_in

Factory = Callable[..., EmbeddedServer]
CT = max(samples.dicom_files("ct"), key=lambda path: path.stat().st_size)


def rows_of(database: PostgresqlDatabase, query: str) -> list[Any]:
    connection = Database(PostgresqlOptions.of_section(database.section))
    rows = connection.fetch(query)
    connection.close()
    return rows


def test_files_in_the_database(postgresql: PostgresqlDatabase, orthanc_factory: Factory, tmp_path: Path) -> None:
    section = {**postgresql.section, "Lock": False, "EnableStorage": True}
    one, other = (
        orthanc_factory(PostgreSQL=section, MaximumStorageCacheSize=0, folder=tmp_path / name) for name in "ab"
    )
    client = orthanc_lab.Client.from_server(one)
    client.upload(CT)
    (instance,) = client.instances
    answer = other.session.get(f"{other.url}/instances/{instance.id}/file")
    assert answer.content == CT.read_bytes()
    system = one.session.get(f"{one.url}/system").json()
    assert "libOrthancPostgreSQLStorage.so" in system["StorageAreaPlugin"]
    assert rows_of(postgresql, "SELECT count(DISTINCT name) FROM file_chunks") == [(1,)]
    assert files_in(tmp_path) == []
    assert other.session.delete(f"{other.url}/instances/{instance.id}").status_code == 200
    assert rows_of(postgresql, "SELECT count(*) FROM file_chunks") == [(0,)]


def test_files_in_a_bucket(postgresql: PostgresqlDatabase, bucket: Bucket, orthanc_factory: Factory) -> None:
    settings = {"PostgreSQL": {**postgresql.section, "Lock": False}, "AwsS3Storage": bucket.options()}
    one, other = orthanc_factory(settings), orthanc_factory(settings)
    client = orthanc_lab.Client.from_server(one)
    client.upload(CT)
    (instance,) = client.instances
    assert other.session.get(f"{other.url}/instances/{instance.id}/file").content == CT.read_bytes()
    assert rows_of(postgresql, "SELECT count(*) FROM file_journal WHERE given_up OR name <> uuid") == [(0,)]


def test_the_database_and_a_bucket_are_one_too_many(postgresql: PostgresqlDatabase, bucket: Bucket) -> None:
    section = {**postgresql.section, "EnableStorage": True}
    with (
        pytest.raises(OrthancError) as caught,
        orthanc_lab.serve(PostgreSQL=section, AwsS3Storage=bucket.options()),
    ):
        pass
    assert caught.value.code == 2036


@pytest.mark.real
def test_the_library_is_told_as_the_real_server_does(
    real_program: str, postgresql_server: PostgresqlServer, orthanc_factory: Factory
) -> None:
    libraries = [Path(f"/usr/share/orthanc/plugins/libOrthancPostgreSQL{part}.so") for part in ("Index", "Storage")]
    if not all(library.exists() for library in libraries):
        missing("the plug-in is not installed; on Debian and Ubuntu: apt-get install orthanc-postgresql")
    told = []
    for server in (orthanc_factory, RealOrthanc):
        database = postgresql_server.create_database()
        section = {**database.section, "EnableStorage": True}
        with server(Plugins=[str(library) for library in libraries], PostgreSQL=section) as started:
            told.append(requests.get(f"{started.url}/system", timeout=20).json()["StorageAreaPlugin"])
        postgresql_server.drop_database(database)
    assert told[0] == told[1]
