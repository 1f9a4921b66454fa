"""The storage on SQLite: the contract, and what depends on its options."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.stateful import invariant

from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.execution import Steps, Task
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.lock import no_lock
from orthanc_lab.storage.metadata_names import MetadataNames
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Constraint, FindQuery, Order
from orthanc_lab.storage.search_plan import SearchPlanner
from orthanc_lab.storage.sqlite.connections import connect
from orthanc_lab.storage.sqlite.find_statement import find_statement
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage import StorageContract, storage_machine
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, changes_of, put
from tests.examples import examples
from tests.storage.conftest import House, files_in


class TestSqlite(StorageContract):
    """The contract, on SQLite and files."""

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        return open_storage(folder, options=options, clock=clock)


class TestSqliteWithoutCache(StorageContract):
    """The contract, with each file read from the disk."""

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        return open_storage(folder, options=replace(options, maximum_cache_size=0), clock=clock)


class TestSqliteWithoutThreads(StorageContract):
    """The contract, with no thread and no lock file."""

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        executor = self.executor = InlineExecutor(clock)
        return open_storage(folder, options=options, clock=clock, executor=executor, lock=no_lock)

    def pause(self) -> None:
        self.executor.run()


class Machine(storage_machine(TestSqlite().open_storage)):  # type: ignore[misc]
    """The storage against the model, and no file is left over."""

    @invariant()
    def the_storage_area_has_the_large_files(self) -> None:
        assert len(files_in(self.folder.folder)) == sum(len(file) > 50_000 for file in self.files.values())


TestModel = Machine.TestCase
TestModel.settings = settings(examples(25), stateful_step_count=25, deadline=None)


def test_metrics(house: House) -> None:
    storage = house.open()
    stored = put(storage, pixels=LARGE)
    storage.read_dicom(stored.instance)
    storage.read_dicom(stored.instance)
    storage.delete(stored.instance)
    recorded = house.metrics.values
    size = sum(recorded["orthanc_storage_written_bytes"])
    assert recorded["orthanc_storage_cache_hit_count"]
    assert recorded["orthanc_storage_cache_count"][-1] == 0
    assert size > len(LARGE)
    for name in ("store_dicom", "storage_create", "storage_remove"):
        assert recorded[f"orthanc_{name}_duration_ms"]
    stored = put(storage, pixels=LARGE)
    house.reopen().read_dicom(stored.instance)
    assert sum(recorded["orthanc_storage_read_bytes"]) == size
    assert len(recorded["orthanc_storage_cache_miss_count"]) == 1


def test_the_cache_is_bounded(house: House) -> None:
    storage = house.open(maximum_cache_size=1)
    stored = [put(storage, pixels=bytes([n]) * 400_000) for n in range(4)]
    for _ in range(2):
        for one in stored:
            assert storage.read_dicom(one.instance)
    assert max(house.metrics.values["orthanc_storage_cache_size_mb"]) <= 1


def test_the_changes_of_deleted_resources_do_not_pile_up(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.sqlite.transaction._MOST_STALE_CHANGES", 20)
    storage = house.open()
    kept = put(storage, patient="kept", study="5", series="6")
    for n in range(30):
        storage.delete(put(storage, patient=str(n), study="1", series="2").patient)
    assert changes_of(storage)[0] == (ChangeType.NEW_INSTANCE, kept.instance)
    assert len(changes_of(storage)) == 4
    house.close()
    connection = sqlite3.connect(house.folder / "index.sqlite")
    assert connection.execute("SELECT count(*) FROM changes").fetchone()[0] < 30
    connection.close()


def test_a_second_owner_is_refused(house: House) -> None:
    house.open()
    with pytest.raises(OrthancError, match=r"already in use by another server \(process \d+\)") as caught:
        open_storage(house.folder)
    assert caught.value.code == 11
    house.reopen()


def test_the_lock_ends_with_its_owner(house: House) -> None:
    program = (
        "import sys, pathlib, os; from orthanc_lab.storage import open_storage;"
        "open_storage(pathlib.Path(sys.argv[1])); print('open', flush=True); os.read(0, 1)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(house.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as owner:
        assert owner.stdout is not None
        assert owner.stdout.readline() == b"open\n"
        with pytest.raises(OrthancError, match=f"process {owner.pid}"):
            open_storage(house.folder)
        owner.kill()
        owner.wait()
        house.open()


def test_an_index_of_another_version_is_refused(house: House) -> None:
    house.open()
    house.close()
    connection = sqlite3.connect(house.folder / "index.sqlite")
    connection.execute("PRAGMA user_version = 99")
    connection.close()
    with pytest.raises(OrthancError, match="version 99") as caught:
        house.open()
    assert caught.value.code == 18


@pytest.mark.parametrize("statement", ["PRAGMA user_version = 99", "PRAGMA user_version = 0"])
def test_an_index_that_cannot_be_opened_leaves_no_connection(house: House, statement: str) -> None:
    house.open()
    house.close()
    with closing(sqlite3.connect(house.folder / "index.sqlite", isolation_level=None)) as database:
        database.execute(statement)  # a new one is to get its tables, which are there
    opened: list[sqlite3.Connection] = []

    def connecting(path: Path) -> sqlite3.Connection:
        opened.append(connect(path))
        return opened[-1]

    with pytest.raises(OrthancError):
        house.open(connect=connecting)
    assert len(opened) == 1
    with pytest.raises(sqlite3.ProgrammingError, match="closed"):
        opened[0].execute("SELECT 1")


def test_a_file_that_is_no_index_is_refused(house: House) -> None:
    house.folder.mkdir()
    (house.folder / "index.sqlite").write_bytes(b"this is no database" * 100)
    with pytest.raises(OrthancError) as caught:
        house.open()
    assert caught.value.code == 11


def test_the_index_can_be_elsewhere(house: House, tmp_path: Path) -> None:
    storage = house.open(index_directory=tmp_path / "index.sqlite")
    stored = put(storage, pixels=LARGE)
    assert {path.name for path in (tmp_path / "index.sqlite").iterdir()} >= {"index.sqlite", "index.lock"}
    resource = storage.get(stored.instance)
    assert resource is not None
    assert house.files() == [resource.attachments[1].uuid]
    assert not list(house.folder.glob("index*"))


def test_a_search_of_a_parent_below_is_refused(storage: Storage) -> None:
    with pytest.raises(OrthancError) as caught:
        storage.find(FindQuery(Level.PATIENT, parents={Level.STUDY: "x"}))
    assert caught.value.code == 6


class FailingExecutor(InlineExecutor):
    """Begins no task."""

    def spawn(self, name: str, steps: Steps) -> Task:
        raise OrthancError(11, "not today")


def test_a_failed_start_leaves_the_index_free(house: House) -> None:
    with pytest.raises(OrthancError, match="not today"):
        house.open(executor=FailingExecutor(house.clock))
    house.open()


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "file", tmp_path / "file" / "below"):
        with pytest.raises(OrthancError) as caught:
            open_storage(folder)
        assert caught.value.code == 2000


def test_no_thread_and_no_lock_file_is_needed(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise AssertionError(f"{thread.name} was started")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    monkeypatch.setitem(sys.modules, "fcntl", None)
    executor = InlineExecutor(house.clock)
    storage = house.open(executor=executor, lock=no_lock, stable_age=1, sync_storage_area=True)
    stored = storage.store_all([dicom(pixels=LARGE), dicom()], ORIGIN)
    executor.run()
    house.clock.advance(0.999)
    executor.run()
    assert len(changes_of(storage)) == 5
    house.clock.advance(0.001)
    executor.run()
    assert len(changes_of(storage)) == 8
    assert storage.delete(stored[0].patient) == (True, None)
    assert house.files() == []
    house.close()


@pytest.mark.parametrize(
    ("query", "index"),
    [
        (FindQuery(Level.PATIENT, order=[Order("0010,0010", descending=True)]), "patients_by_name"),
        (FindQuery(Level.STUDY, order=[Order("0008,0020")]), "studies_by_date"),
        (FindQuery(Level.STUDY, children=[Constraint("0008,0060", "MR")]), "series_by_modality"),
        (FindQuery(Level.PATIENT, [Constraint("0010,0010", "*x*"), Constraint("0010,0020", "*1*")]), "patients_listed"),
        (FindQuery(Level.STUDY, [Constraint("0010,0010", "*x*"), Constraint("0008,0020", "2020-")]), "studies_listed"),
        (FindQuery(Level.STUDY, order=[Order("0008,1030"), Order("0008,0050")]), "studies_listed"),
    ],
)
def test_frequent_searches_use_an_index_of_their_own(tmp_path: Path, query: FindQuery, index: str) -> None:
    if index.endswith("_listed") and sqlite3.sqlite_version_info < (3, 41):
        pytest.skip("SQLite 3.41 is the first that reads expressions from an index")
    open_storage(tmp_path, options=StorageOptions(sync_storage_area=False)).close()
    statement, values = find_statement(SearchPlanner(MainTags({}), MetadataNames({})).plan(query))
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database:
        rows = database.execute(f"EXPLAIN QUERY PLAN {statement}", values).fetchall()
    assert any(f"INDEX {index} " in str(row[3]) for row in rows), rows


def test_an_index_of_before_gets_what_makes_searches_fast(tmp_path: Path) -> None:
    open_storage(tmp_path, options=StorageOptions(sync_storage_area=False)).close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database:
        database.execute("DROP INDEX studies_listed")
    open_storage(tmp_path, options=StorageOptions(sync_storage_area=False)).close()
    with closing(sqlite3.connect(tmp_path / "index.sqlite")) as database:
        assert database.execute("SELECT 1 FROM sqlite_master WHERE name = 'studies_listed'").fetchone()
