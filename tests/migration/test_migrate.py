"""``orthanc-lab migrate``: the new server answers as the old one did, whose folder stays as it was."""

from __future__ import annotations

import errno
import hashlib
import json
import random
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator, Set
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psycopg
import pytest
import requests

import orthanc_lab
from orthanc_lab.jobs.file_outputs import FileOutputs
from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.jobs.sqlite_store import SqliteJobStore
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.ports import SystemIdentifiers
from orthanc_lab.server.adoption.report import Report
from orthanc_lab.server.migration.command import main
from orthanc_lab.server.migration.jobs import migrate_jobs
from orthanc_lab.storage import StorageOptions, open_storage
from orthanc_lab.storage.files.area import DiskArea
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Change
from orthanc_lab.testing.contracts.dicom_files import LARGE, dicom
from orthanc_lab.testing.contracts.storage.folder import put
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from tests.adoption.answers import Answers, answers
from tests.adoption.conftest import untouched
from tests.cluster.files import check_files
from tests.migration.conftest import OPTIONS, Left, jobs_of
from tests.waiting import until


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "target"


def migrated(source: Path, target: Path) -> int:
    return main([str(source), str(target)])


@pytest.mark.parametrize("compressed", [False, True])
def test_the_new_server_answers_as_the_old_one_did(
    left: Left, source: Path, tmp_path: Path, *, compressed: bool
) -> None:
    options = OPTIONS | {"StorageDirectory": "target", "StorageCompression": compressed, "StableAge": 1000}
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps(options))
    with untouched(source):
        assert main([str(source), str(configuration)]) == 0
    with orthanc_lab.serve(options | {"StorageDirectory": str(tmp_path / "target")}) as server:
        found = answers(server.url)
        assert jobs_of(server.url) == left.jobs
        series = requests.get(f"{server.url}/series?expand", timeout=30).json()
    assert {one["ID"]: one["IsStable"] for one in series} == left.stable
    assert set(left.stable.values()) == {True, False}
    assert_same(found, left.answers, {"/attachments"} if compressed else set())


def test_a_second_migration_brings_nothing_twice(
    source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert migrated(source, target) == 0
    first = capsys.readouterr().out
    assert migrated(source, target) == 0
    second = capsys.readouterr().out
    number, jobs = first.split()[0], first.splitlines()[2].split()[0]
    assert second.splitlines() == [
        f"0 instances were migrated, {number} were there already",
        "0 changes and 0 exports were migrated",
        f"0 jobs were migrated with 0 outputs, {jobs} were there already",
    ]


def many(folder: Path) -> None:
    """Make a source whose migration takes some time."""
    with closing(open_storage(folder)) as storage:
        for number in range(_MANY):
            put(storage, study=f"1.2.{number % 40}", series=f"1.2.3.{number % 40}", pixels=b"" if number % 9 else LARGE)
        storage.delete(storage.list_ids(Level.STUDY)[0])


def migrate_and_kill(source: Path, target: Path, kills: int, count: Callable[[], int]) -> Iterator[None]:
    """Let migrations be killed, the later ones later; `count` tells how many instances the target has."""
    command = [sys.executable, "-m", "orthanc_lab", "migrate", str(source), str(target)]
    for number in range(kills):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        least = _MANY * (number + 1) // (kills + 1)
        until(lambda wanted=least, of=process: of.poll() is not None or count() >= wanted)
        process.send_signal(signal.SIGKILL)
        process.wait()
        yield
    with untouched(source):
        assert migrated(source, target) == 0


@pytest.mark.parametrize("kills", [2, pytest.param(20, marks=pytest.mark.long)])
def test_a_migration_that_is_killed_goes_on(tmp_path: Path, target: Path, kills: int) -> None:
    source = tmp_path / "source"
    many(source)
    with closing(open_storage(source)) as storage:
        expected = told_by(storage)
    for _ in migrate_and_kill(source, target, kills, lambda: instances_of(target)):
        with closing(open_storage(target, options=StorageOptions(stable_age=1e9))) as storage:
            assert told_by(storage)[1].items() <= expected[1].items()
    with closing(open_storage(target, options=StorageOptions(stable_age=1e9))) as storage:
        assert told_by(storage) == expected
    assert len([*target.rglob("*-*-*-*-*")]) == len([*source.rglob("*-*-*-*-*")])


@pytest.mark.long
def test_a_migration_to_postgresql_that_is_killed_goes_on(tmp_path: Path, postgresql: PostgresqlDatabase) -> None:
    source, configuration = tmp_path / "source", tmp_path / "orthanc.json"
    many(source)
    configuration.write_text(json.dumps({**postgresql.settings, "StorageDirectory": "files", "IndexDirectory": "own"}))

    def count() -> int:
        try:
            with psycopg.connect(postgresql.uri) as connection:
                row = connection.execute("SELECT instances FROM orthanc_lab.totals").fetchone()
        except psycopg.errors.UndefinedTable:
            return 0
        return row[0] if row else 0

    for _ in migrate_and_kill(source, configuration, 6, count):
        pass
    check_files(postgresql.uri, tmp_path / "files")
    assert migrated(configuration, tmp_path / "back") == 0
    with closing(open_storage(source)) as storage, closing(open_storage(tmp_path / "back")) as back:
        assert told_by(back) == told_by(storage)


_MANY = 700


def told_by(storage: Storage) -> tuple[list[Change], dict[str, str]]:
    """Return the changes, and the MD5 of the file of each instance."""
    ids = storage.list_ids(Level.INSTANCE)
    return storage.changes(limit=10_000)[0], {id: hashlib.md5(storage.read_dicom(id)).hexdigest() for id in ids}


def instances_of(target: Path) -> int:
    """Return how many instances were committed by a migration that is running."""
    try:
        with closing(sqlite3.connect(f"file:{target}/index.sqlite?mode=ro", uri=True)) as index:
            number: int = index.execute("SELECT instances FROM totals").fetchone()[0]
            return number
    except sqlite3.Error:  # there are no tables yet
        return 0


@pytest.fixture(params=["folder", "table", pytest.param("bucket", marks=pytest.mark.long)])
def shared_options(request: pytest.FixtureRequest, postgresql: PostgresqlDatabase) -> dict[str, Any]:
    """The options of a server on PostgreSQL, with its files in one of the places that there are."""
    places = {"StorageDirectory": "files", "IndexDirectory": "own"}
    options = {**OPTIONS, **postgresql.settings, "StableAge": 1000, **places}
    if request.param == "table":
        options["PostgreSQL"] = {**postgresql.section, "EnableStorage": True}
    elif request.param == "bucket":
        options["AwsS3Storage"] = request.getfixturevalue("bucket").options()
    return options


def test_to_postgresql_and_back(
    left: Left, source: Path, tmp_path: Path, postgresql: PostgresqlDatabase, shared_options: dict[str, Any]
) -> None:
    options = shared_options
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps(options))
    with untouched(source):
        assert main([str(source), str(configuration)]) == 0
    absolute = {name: str(tmp_path / options[name]) for name in ("StorageDirectory", "IndexDirectory")}
    with orthanc_lab.serve({**options, **absolute}) as server:
        assert_same(answers(server.url), left.answers)
        assert jobs_of(server.url) == left.jobs
        assert main([str(configuration), str(tmp_path / "back")]) == 255  # it is in use
    before = content_of(postgresql)
    assert main([str(configuration), str(tmp_path / "back")]) == 0
    assert content_of(postgresql) == before
    with orthanc_lab.serve({**OPTIONS, "StableAge": 1000}, folder=tmp_path / "back") as server:
        assert_same(answers(server.url), left.answers)
        assert jobs_of(server.url) == left.jobs


def test_from_a_database_whose_servers_saved_no_jobs(tmp_path: Path, postgresql: PostgresqlDatabase) -> None:
    options = {**postgresql.settings, "SaveJobs": False, "StorageDirectory": str(tmp_path / "files")}
    with orthanc_lab.serve(options | {"IndexDirectory": str(tmp_path / "own")}) as server:
        requests.post(f"{server.url}/instances", data=dicom(instance="1.2.3"), timeout=30).raise_for_status()
        found = answers(server.url)
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps(options))
    assert main([str(configuration), str(tmp_path / "back")]) == 0
    with orthanc_lab.serve(folder=tmp_path / "back") as server:
        assert_same(answers(server.url), found)


def content_of(database: PostgresqlDatabase) -> dict[str, str]:
    """Return a digest of each table."""
    tables = "SELECT relid::regclass::text FROM pg_stat_user_tables WHERE schemaname = 'orthanc_lab'"
    with psycopg.connect(database.uri) as connection:
        found = {}
        for (name,) in connection.execute(tables).fetchall():
            query = f"SELECT md5(string_agg(t::text, '|' ORDER BY t::text)) FROM {name} AS t"
            found[name] = connection.execute(query.encode()).fetchone()[0]
        assert len(found) > 10
        return found


def assert_same(found: Answers, expected: Answers, apart: Set[str] = frozenset()) -> None:
    """Compare answers; a target decides itself what is compressed on its disk."""
    for path, answer in expected.items():
        end = path[path.rindex("/") :]
        if end not in {"/statistics", "/info", "/compressed-data", *apart}:
            assert found[path] == answer, path


def test_what_is_damaged_is_listed_and_all_else_is_taken(
    left: Left, source: Path, target: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    files = [path for path in source.rglob("*-*-*-*-*") if path.parent.name != "jobs-outputs"]
    damaged, missing = sorted(path for path in files if path.read_bytes()[128:132] == b"DICM")[:2]
    damaged.write_bytes(bytes(damaged.stat().st_size))
    missing.unlink()
    with untouched(source):
        told = ended(source, target, capsys, code=1)
    assert "\n2 could not be taken:\n" in told
    assert "the MD5 is not that of the index" in told
    assert f"the file {missing.name} is missing" in told
    with orthanc_lab.serve(folder=target) as server:
        there = requests.get(f"{server.url}/instances", timeout=30).json()
    assert len(there) == sum(path.count("/") == 2 and path.startswith("/instances/") for path in left.answers) - 2


def test_what_is_there_already_stays_and_gets_what_it_lacks(left: Left, source: Path, target: Path) -> None:
    with orthanc_lab.serve(folder=target) as server:
        client = orthanc_lab.Client.from_server(server)
        client.upload(dicom(instance="1.2.3.99", patient="another"))
    assert migrated(source, target) == 0
    with orthanc_lab.serve(OPTIONS, folder=target) as server:
        found = answers(server.url)
    for path, answer in left.answers.items():
        if path.endswith(("/data", "/labels", "/exports")) and "until" not in path:
            assert found[path] == answer
    assert sum(path.endswith("/attachments/dicom/data") for path in found) == 1 + sum(
        path.endswith("/attachments/dicom/data") for path in left.answers
    )


def test_a_server_that_runs_is_left_alone(source: Path, target: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with orthanc_lab.serve(folder=source):
        assert "is in use: stop its server" in ended(source, target, capsys)
    with orthanc_lab.serve(folder=target):
        assert "already in use by another server" in ended(source, target, capsys)


def test_the_ends_are_two_servers(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with untouched(source):
        assert "the target needs its own" in ended(source, source, capsys)
        assert "the target needs its own" in ended(source, source / "below", capsys)
    assert "neither a configuration nor the folder of a server" in ended(tmp_path / "nowhere", source, capsys)
    (tmp_path / "empty.json").write_text('{"StorageDirectory": "empty"}')
    assert "there is nothing to migrate" in ended(tmp_path / "empty.json", tmp_path / "target", capsys)


@pytest.mark.parametrize("compressed", [False, True])
def test_a_file_that_is_damaged_on_its_way_is_told_by_the_next_migration_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], *, compressed: bool
) -> None:
    source, target = tmp_path / "source", tmp_path / "orthanc.json"
    target.write_text(json.dumps({"StorageDirectory": "target", "StorageCompression": compressed}))
    with closing(open_storage(source)) as storage:
        put(storage, pixels=random.Random(1).randbytes(100_000))
    write = DiskArea.write
    with monkeypatch.context() as damaging:
        damaging.setattr(DiskArea, "write", lambda self, name, data, sync: write(self, name, data[:-1], sync=sync))
        assert "the disk of the target returns other bytes" in ended(source, target, capsys, code=1)
    assert "1 could not be taken" in ended(source, target, capsys, code=1)


class DamagedOutputs(FileOutputs):
    """Outputs on a disk that loses the end of each."""

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        writer, start = super().append(name, offset)
        write = writer.write
        return SimpleNamespace(write=lambda data: write(data[:-1]), close=writer.close), start


def test_an_output_that_is_damaged_on_its_way_is_lost(tmp_path: Path) -> None:
    outputs, damaged = (kind(tmp_path / kind.__name__, SystemIdentifiers()) for kind in (FileOutputs, DamagedOutputs))
    name = outputs.new_name(".zip")
    with closing(outputs.append(name, 0)[0]) as writer:
        writer.write(b"an archive")
    report, list_of_jobs = Report(verb="migrated"), SqliteJobStore(None)
    row = JobRow(1, "one", "Archive", 0, "", "Success", "{}", json.dumps({"archive": [name, "", ""]}), None, None)
    migrate_jobs([row], outputs, list_of_jobs, damaged, report)
    assert report.reasons == [f"output {name} of the job one: the target returns other bytes"]
    assert [one.id for one in list_of_jobs.rows()] == ["one"]
    assert damaged.names() == []
    list_of_jobs.close()


class FullOutputs(FileOutputs):
    """Outputs on a disk that is full after some bytes."""

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        writer, start = super().append(name, offset)

        def write(data: bytes) -> None:
            writer.write(data[:3])
            raise OSError(errno.ENOSPC, "No space left on device")

        return SimpleNamespace(write=write, close=writer.close), start


def test_a_job_whose_output_does_not_fit_is_migrated_the_next_time(tmp_path: Path) -> None:
    outputs, target = FileOutputs(tmp_path / "source", SystemIdentifiers()), tmp_path / "target"
    name = outputs.new_name(".zip")
    with closing(outputs.append(name, 0)[0]) as writer:
        writer.write(b"an archive")
    report, list_of_jobs = Report(verb="migrated"), SqliteJobStore(None)
    row = JobRow(1, "one", "Archive", 0, "", "Success", "{}", json.dumps({"archive": [name, "", ""]}), None, None)
    with pytest.raises(OSError, match="No space left"):
        migrate_jobs([row], outputs, list_of_jobs, FullOutputs(target, SystemIdentifiers()), report)
    assert not list_of_jobs.rows()
    migrate_jobs([row], outputs, list_of_jobs, FileOutputs(target, SystemIdentifiers()), report)
    assert [one.id for one in list_of_jobs.rows()] == ["one"]
    assert (target / name).read_bytes() == b"an archive"
    assert not report.reasons
    list_of_jobs.close()


@pytest.mark.parametrize("name", ["index.lock", "migrated/index.sqlite"])
def test_a_migration_that_ended_at_its_beginning_goes_on(source: Path, target: Path, name: str) -> None:
    (target / name).parent.mkdir(parents=True)
    (target / name).touch()
    assert migrated(source, target) == 0


def test_jobs_stay_where_none_are_saved(source: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    configuration = tmp_path / "orthanc.json"
    configuration.write_text(json.dumps({"StorageDirectory": "target", "SaveJobs": False}))
    assert "jobs stay behind: the target has SaveJobs = false" in ended(source, configuration, capsys, code=0)


def ended(source: Path, target: Path, capsys: pytest.CaptureFixture[str], *, code: int = 255) -> str:
    """Migrate, and return what it said in the end."""
    assert migrated(source, target) == code
    return "".join(capsys.readouterr())


def test_nothing_that_a_database_says_controls_the_terminal():
    report = Report()
    report.lose("the file a\x1b]0;title\x07", "it is not there")
    assert report.lines()[-1] == "  the file a\ufffd]0;title\ufffd: it is not there"
