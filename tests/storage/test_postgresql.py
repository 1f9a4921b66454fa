"""The storage on PostgreSQL: the contract, and what several servers may rely on."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.options import PostgresqlOptions
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.metrics import NoMetrics
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.protocol.threads import ThreadExecutor
from orthanc_lab.storage import StorageOptions
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.postgresql.opening import open_shared_storage
from orthanc_lab.storage.postgresql.text import read_json, restored, storable, write_json
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage import StorageContract, storage_machine
from orthanc_lab.testing.contracts.storage.folder import ORIGIN, changes_of, put
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from tests.examples import examples

_TABLES = (
    "resources",
    "small_files",
    "files",
    "file_journal",
    "labels",
    "changes",
    "exports",
    "properties",
    "counters",
)


class Shared:
    """The storages of one database; each test has a folder of its own, and finds it empty."""

    def __init__(self) -> None:
        self.database: Database
        self._folder: Path | None = None

    def open(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        folder.mkdir(parents=True, exist_ok=True)
        if folder != self._folder and self._folder is not None:
            self._empty()
        self._folder = folder
        return self.open_another(self.database, options, clock, ThreadExecutor(clock))

    def open_another(
        self, database: Database, options: StorageOptions, clock: ManualClock, executor: Executor
    ) -> Storage:
        """Open the storage of one more server."""
        folder = self._folder
        assert folder is not None
        return open_shared_storage(
            database,
            DiskArea(folder),
            options=options,
            clock=clock,
            executor=executor,
            identifiers=SystemIdentifiers(),
            metrics=NoMetrics(),
        )

    def _empty(self) -> None:
        columns = self.database.fetch(
            "SELECT string_agg(attname || ' = 0', ', ') FROM pg_attribute"
            " WHERE attrelid = 'totals'::regclass AND attnum > 0"
        )
        text = "".join(f"DELETE FROM {table};" for table in _TABLES) + f"UPDATE totals SET {columns[0][0]};"
        self.database.run(lambda connection: connection.execute(text.encode()))


SHARED = Shared()


@pytest.fixture(scope="module", autouse=True)
def shared(postgresql_server: PostgresqlServer) -> Iterator[Shared]:
    database = postgresql_server.create_database()
    SHARED.database = Database(PostgresqlOptions.of_section(database.section))
    yield SHARED
    SHARED.database.close()
    postgresql_server.drop_database(database)


class TestPostgresql(StorageContract):
    """The contract, on PostgreSQL and files."""

    def open_storage(self, folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
        return SHARED.open(folder, options, clock)


def test_what_does_not_fit_into_one_statement(servers: Servers, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("orthanc_lab.storage.postgresql.pending._MOST_RESOURCES", 3)
    monkeypatch.setattr("orthanc_lab.storage.postgresql.pending._MOST_BYTES", 2000)
    (server,) = servers(1)
    files = [dicom(series=f"1.{n % 4}") for n in range(20)]
    stored = server.storage.store_all(files, ORIGIN)
    assert [server.storage.read_dicom(one.instance) for one in stored] == files
    assert [change.seq for change in server.storage.changes()[0]] == list(range(1, 27))


@given(st.text() | st.text(st.sampled_from("a\0\ud800\udfff\U0010fffe\U0010ffff\\u0000é")))
def test_any_text_comes_back(text: str) -> None:
    written = storable(text)
    written.encode()
    assert "\0" not in written
    assert restored(written) == text
    value = {text: [text, 1, None], "a": {"b": text}}
    assert read_json(write_json(value)) == value


class InTurn:
    """Two servers of one index: each call goes to the other one than the call before."""

    def __init__(self, folder: Path, options: StorageOptions, clock: ManualClock) -> None:
        self._storages = [SHARED.open(folder, options, clock) for _ in range(2)]

    def __getattr__(self, name: str) -> Any:
        self._storages.reverse()
        return getattr(self._storages[0], name)

    def close(self) -> None:
        for storage in self._storages:
            storage.close()


def open_two(folder: Path, options: StorageOptions, clock: ManualClock) -> Storage:
    return cast("Storage", InTurn(folder, options, clock))


TestModel = storage_machine(open_two).TestCase
TestModel.settings = settings(examples(5), stateful_step_count=20, deadline=None)


class Server:
    """One of several servers: a storage with connections and a clock of its own."""

    def __init__(self, **options: object) -> None:
        self.clock = ManualClock()
        self.executor = InlineExecutor(self.clock)
        self.database = Database(SHARED.database.options)
        chosen = StorageOptions(**{"stable_age": 60.0, **options})  # type: ignore[arg-type]
        self.storage = SHARED.open_another(self.database, chosen, self.clock, self.executor)

    def wait(self, seconds: float) -> None:
        """Let time pass for this server alone."""
        self.clock.advance(seconds)
        self.executor.run()

    def close(self) -> None:
        self.storage.close()
        self.database.close()


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Callable[..., list[Server]]]:
    """Open several servers, with nothing stored yet."""
    SHARED.open(tmp_path, StorageOptions(), ManualClock()).close()
    opened: list[Server] = []

    def open_servers(count: int, **options: object) -> list[Server]:
        new = [Server(**options) for _ in range(count)]
        opened.extend(new)
        return new

    yield open_servers
    for server in opened:
        server.close()


Servers = Callable[..., list[Server]]


def at_once(*actions: Callable[[], object]) -> None:
    """Run actions at the same time; what goes wrong is raised."""
    problems: list[BaseException] = []

    def run(action: Callable[[], object]) -> None:
        try:
            action()
        except BaseException as problem:
            problems.append(problem)

    threads = [threading.Thread(target=run, args=(action,)) for action in actions]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if problems:
        raise problems[0]


def test_what_one_server_changes_another_one_sees_at_once(servers: Servers) -> None:
    one, other = (server.storage for server in servers(2))
    stored = put(one)
    for _ in range(3):
        assert put(other, instance="9").status.value == ("Success" if _ == 0 else "AlreadyStored")
        assert one.statistics() == other.statistics()
    other.set_label(stored.study, "seen", True)
    one.set_metadata(stored.study, "1024", "x")
    study = other.get(stored.study)
    assert study is not None
    assert (study.labels, study.metadata["1024"]) == (["seen"], "x")
    assert one.get(stored.study) == study
    assert other.delete(stored.patient) == (True, None)
    assert one.delete(stored.patient) == (False, None)
    assert one.get(stored.study) is None
    assert put(one).status.value == "Success"
    assert [one.next_number("n"), other.next_number("n"), one.next_number("n")] == [1, 2, 3]


def test_servers_that_write_at_the_same_time(servers: Servers) -> None:
    running = servers(3)
    seen: list[int] = []
    done = threading.Event()

    def upload(server: Server, number: int) -> Callable[[], None]:
        def run() -> None:
            for n in range(12):
                put(server.storage, patient=str(n % 2), study=f"1.{n % 2}", series=f"2.{n % 4}", instance=f"3.{n % 8}")
                put(server.storage, patient=f"own {number}", study=f"4.{number}", series=f"5.{number}")

        return run

    def follow() -> None:
        """Read the changes as a client does, by the number of the last one."""
        since = 0
        while True:
            is_last_look = done.is_set()
            found, _ = running[0].storage.changes(since)
            seen.extend(change.seq for change in found)
            since = found[-1].seq if found else since
            if is_last_look and not found:
                return

    reader = threading.Thread(target=follow)
    reader.start()
    at_once(*(upload(server, number) for number, server in enumerate(running) for _ in "ab"))
    done.set()
    reader.join()
    totals = running[0].storage.statistics()
    assert (totals.patients, totals.studies, totals.instances) == (5, 5, 8 + 6 * 12)
    assert totals.instances == len(running[1].storage.list_ids(Level.INSTANCE))
    changes = running[2].storage.changes(limit=1000)[0]
    assert [change.seq for change in changes] == list(range(1, len(changes) + 1)) == seen
    assert Counter(change.type for change in changes)[ChangeType.NEW_INSTANCE] == totals.instances


def test_an_instance_that_comes_to_all_servers_is_stored_once(servers: Servers) -> None:
    running, results = servers(3), Counter[str]()

    def upload(server: Server) -> Callable[[], None]:
        return lambda: results.update([server.storage.store(file, ORIGIN).status.value])

    for n in range(5):
        file = dicom(instance=f"9.{n}", pixels=LARGE)
        at_once(*(upload(server) for server in running for _ in "ab"))
    assert results == {"Success": 5, "AlreadyStored": 25}
    assert running[0].storage.statistics().disk_size == 5 * len(file)


def test_a_resource_becomes_stable_once_after_its_last_instance(servers: Servers) -> None:
    one, other = servers(2, stable_age=60)
    stored = put(one.storage, instance="1")
    other.clock.advance(30)
    put(other.storage, instance="2")
    one.wait(60)
    assert len(changes_of(one.storage)) == 5  # the other one has touched it later, so it is the other's to see to
    other.wait(60)
    assert changes_of(one.storage)[5:] == [
        (ChangeType.STABLE_SERIES, stored.series),
        (ChangeType.STABLE_STUDY, stored.study),
        (ChangeType.STABLE_PATIENT, stored.patient),
    ]
    for server in (one, other):
        server.wait(6)
        server.wait(200)
    assert len(changes_of(one.storage)) == 8


def test_another_server_sees_to_what_a_dead_one_has_left_unstable(servers: Servers) -> None:
    one, other = servers(2, stable_age=60)
    put(one.storage)
    one.close()
    other.wait(6)  # it looks at what others have touched
    other.wait(59)
    assert len(changes_of(other.storage)) == 4
    other.wait(1)
    assert len(changes_of(other.storage)) == 7


def test_one_patient_too_many_is_recycled_once(servers: Servers) -> None:
    running = servers(3, maximum_patient_count=4)

    def upload(server: Server, number: int) -> Callable[[], None]:
        def run() -> None:
            for n in range(6):
                put(server.storage, patient=f"{number} {n}", study=f"1.{number}.{n}", series="2")

        return run

    at_once(*(upload(server, number) for number, server in enumerate(running)))
    assert running[0].storage.statistics().patients == 4
    assert len(running[0].storage.list_ids(Level.PATIENT)) == 4
