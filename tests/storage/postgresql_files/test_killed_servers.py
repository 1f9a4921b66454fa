"""Servers that are killed while they write to a bucket: what was acknowledged is there, and nothing else stays."""

from __future__ import annotations

import random
import threading
from pathlib import Path

import pytest
import requests

import orthanc_lab
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.storage.files.names import uuid_of
from orthanc_lab.storage.objects.opening import open_bucket
from orthanc_lab.storage.objects.options import read_bucket_options
from orthanc_lab.storage.postgresql.opening import storage_journal
from orthanc_lab.storage.postgresql_files.journal import Sweeping
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from orthanc_lab.testing.seaweed import Bucket
from tests.storage.objects.test_server import keys_in
from tests.waiting import until

_WRITERS = 4


class Load:
    """Clients that store large instances, and delete some of them."""

    def __init__(self) -> None:
        self.stored: dict[str, bytes] = {}
        self.deleted: set[str] = set()
        self.doubtful: set[str] = set()  # what was asked for, and not answered
        self._number = 0
        self._lock = threading.Lock()

    def run(self, url: str) -> list[threading.Thread]:
        clients = [threading.Thread(target=self._client, args=(url, number)) for number in range(_WRITERS)]
        for client in clients:
            client.start()
        return clients

    def _client(self, url: str, client: int) -> None:
        """Go on until the server is gone."""
        session = requests.Session()
        try:
            while True:
                with self._lock:
                    self._number += 1
                    number = self._number
                file = dicom(patient=f"{client}", study=f"1.{client}", series=f"1.{client}.{number}", pixels=LARGE)
                id = session.post(f"{url}/instances", data=file, timeout=30).json()["ID"]
                self.stored[id] = file
                if number % 4 == 0:
                    self.doubtful.add(id)
                    del self.stored[id]
                    assert session.delete(f"{url}/instances/{id}", timeout=30).status_code == 200
                    self.doubtful.discard(id)
                    self.deleted.add(id)
        except requests.RequestException:
            return


def sweep(database: PostgresqlDatabase, bucket: Bucket) -> None:
    """Do what each server does, without its patience."""
    options = read_bucket_options({"AwsS3Storage": bucket.options()})
    assert options is not None
    connections = Database(PostgresqlOptions.of_section(database.section))
    executor = InlineExecutor(ManualClock())
    journal = storage_journal(connections)
    sweeping = Sweeping(journal, open_bucket(options).remove, executor, grace=1e-9)
    executor.run()
    sweeping.close()
    journal.close()
    connections.close()


def files_of(database: PostgresqlDatabase) -> set[str]:
    connections = Database(PostgresqlOptions.of_section(database.section))
    rows = connections.fetch("SELECT uuid FROM files")
    names = connections.fetch("SELECT name FROM file_journal")
    connections.close()
    assert names == []
    return {uuid for (uuid,) in rows}


@pytest.mark.timeout(300)
def test_kills(postgresql: PostgresqlDatabase, bucket: Bucket, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    kills = 1 if not request.config.option.long else 10
    load, chances = Load(), random.Random(kills)
    settings = {"AwsS3Storage": bucket.options(), "MaximumStorageCacheSize": 0, **postgresql.settings}
    with orthanc_lab.serve(settings, process=True, folder=tmp_path) as server:
        for _ in range(kills):
            clients = load.run(server.url)
            enough = len(load.stored) + chances.randint(8, 20)
            until(lambda enough=enough: len(load.stored) >= enough, seconds=60)
            server.kill()
            for client in clients:
                client.join()
            server.restart()
        get = server.session.get
        for id, file in load.stored.items():
            assert get(f"{server.url}/instances/{id}/file").content == file
        for id in load.deleted:
            assert get(f"{server.url}/instances/{id}").status_code == 404
        for id in set(get(f"{server.url}/instances").json()) - load.stored.keys():
            assert get(f"{server.url}/instances/{id}/file").status_code == 200  # whole, though nobody knows
    sweep(postgresql, bucket)
    assert {uuid_of(key) for key in keys_in(bucket)} == files_of(postgresql)
