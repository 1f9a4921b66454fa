"""Files in a table fulfil the contract of a file area."""

from __future__ import annotations

import tracemalloc
import uuid
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import ErrorCode
from orthanc_lab.storage.files.area import AreaError, FileArea
from orthanc_lab.storage.postgresql_files.area import DatabaseArea
from orthanc_lab.testing.cluster.tcp_proxy import TcpProxy
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.file_area import FileAreaContract
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from tests.postgresql.conftest import quick_options


class TestDatabaseArea(FileAreaContract):
    @pytest.fixture
    def area(self, database: Database) -> FileArea:
        return DatabaseArea(database)


def test_a_large_file_is_sent_in_chunks(database: Database) -> None:
    area, name = DatabaseArea(database), f"{uuid.uuid4()}.dcm"
    data = bytes(40 << 20)
    tracemalloc.start()
    try:
        area.write(name, data, sync=True)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
        tracemalloc.reset_peak()
        assert area.read(name, 1 << 20, 30 << 20) == bytes(1 << 20)
        assert tracemalloc.get_traced_memory()[1] < 8 << 20
    finally:
        tracemalloc.stop()
    sizes = database.fetch("SELECT max(octet_length(data)), count(*) FROM file_chunks WHERE name = %s", (name,))
    assert sizes == [(1 << 20, 40)]
    area.remove(name)
    assert database.fetch("SELECT count(*) FROM file_chunks WHERE name = %s", (name,)) == [(0,)]


def test_a_database_that_is_away(shared_database: PostgresqlDatabase) -> None:
    name = f"{uuid.uuid4()}.dcm"
    with TcpProxy(shared_database.host, shared_database.port) as line:
        options = replace(quick_options(shared_database), host="127.0.0.1", port=line.port, retries=1)
        other = Database(options)
        area = DatabaseArea(other)
    # The line is gone.
    for call in (lambda: area.write(name, b"x", sync=True), lambda: area.read(name), lambda: area.remove(name)):
        with pytest.raises(AreaError) as caught:
            call()
        assert caught.value.is_away
    other.close()


def test_a_database_whose_disk_is_full(postgresql: PostgresqlDatabase, tmp_path: Path) -> None:
    section = {**postgresql.section, "EnableStorage": True}
    with orthanc_lab.in_process({"PostgreSQL": section}, folder=tmp_path) as server:
        with closing(Database(quick_options(postgresql))) as database:
            database.run(lambda connection: connection.execute(_FULL.encode()))
        answer = server.session.post(f"{server.url}/instances", data=dicom(pixels=LARGE))
        assert (answer.status_code, answer.json()["OrthancStatus"]) == (507, ErrorCode.FULL_STORAGE)
        assert server.session.get(f"{server.url}/instances").json() == []


_FULL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'could not extend file' USING ERRCODE = 'disk_full';
END $$;
CREATE TRIGGER refused BEFORE INSERT ON file_chunks FOR EACH ROW EXECUTE FUNCTION refuse();
"""
