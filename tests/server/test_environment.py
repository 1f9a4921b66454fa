"""A server in an environment that fails: each fault is a wrapper around what the environment gives."""

from __future__ import annotations

import errno
import sqlite3
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import requests

from orthanc_lab.jobs import sqlite_store
from orthanc_lab.server.assembly import Environment
from orthanc_lab.server.embedding.in_process import InProcessServer
from orthanc_lab.storage.sqlite import connections
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from tests.storage.faulty_area import FaultyArea


class Faults:
    """A disk and two databases that fail on demand."""

    def __init__(self) -> None:
        self.area: FaultyArea | None = None
        self.refused = ""
        """The beginning of the statements that fail."""

    def file_area(self, folder: Path) -> FaultyArea:
        self.area = FaultyArea(folder)
        return self.area

    def connection(self, connect: Callable[[Path], sqlite3.Connection]) -> Callable[[Path], Any]:
        return lambda path: Connection(connect(path), self)


class Connection:
    def __init__(self, real: sqlite3.Connection, faults: Faults) -> None:
        self._real = real
        self._faults = faults

    def execute(self, statement: str, *parameters: Any) -> Any:
        if self._faults.refused and statement.startswith(self._faults.refused):
            error = sqlite3.OperationalError("injected")
            error.sqlite_errorcode = sqlite3.SQLITE_FULL
            raise error
        return self._real.execute(statement, *parameters)

    def executemany(self, statement: str, *parameters: Any) -> Any:
        if self._faults.refused and statement.startswith(self._faults.refused):
            raise sqlite3.OperationalError("injected")
        return self._real.executemany(statement, *parameters)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._real, name)


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def server(faults: Faults) -> Iterator[InProcessServer]:
    environment = replace(
        Environment.of_system(),
        file_area=faults.file_area,
        connect_index=faults.connection(connections.connect),
        connect_jobs=faults.connection(sqlite_store.connect),
    )
    with InProcessServer({}, None, environment) as server:
        yield server


def upload(server: InProcessServer, **tags: Any) -> requests.Response:
    return server.session.post(f"{server.url}/instances", dicom(**tags))


def test_a_full_disk(server: InProcessServer, faults: Faults) -> None:
    assert faults.area is not None
    faults.area.faults["write"] = errno.ENOSPC
    assert upload(server, pixels=LARGE).json()["OrthancStatus"] == 19
    faults.area.faults.clear()
    assert upload(server, pixels=LARGE).status_code == 200


def test_an_index_that_cannot_be_written(server: InProcessServer, faults: Faults) -> None:
    faults.refused = "INSERT INTO resources"
    assert upload(server).json()["OrthancStatus"] == 19
    faults.refused = ""
    assert upload(server).status_code == 200


def test_a_list_of_jobs_that_cannot_be_written(server: InProcessServer, faults: Faults) -> None:
    instance = upload(server).json()["ID"]
    order = {"Resources": [instance], "Asynchronous": True}
    faults.refused = "INSERT INTO jobs"
    assert server.session.post(f"{server.url}/tools/create-archive", json=order).status_code >= 500
    faults.refused = ""
    assert server.session.post(f"{server.url}/tools/create-archive", json=order).status_code == 200
