"""Outputs in parts, in a database and an area of files that servers share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.jobs.postgresql.outputs import PostgresqlOutputs
from orthanc_lab.jobs.postgresql.part_reader import Part, PartReader
from orthanc_lab.postgresql.acting import Guard
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.server.back_ends.distant_pieces import DistantPieces
from orthanc_lab.storage.files.area import AreaError, DiskArea
from orthanc_lab.testing.contracts.output_store import OutputStoreContract
from tests.postgresql.guards import acting


class KilledError(BaseException):
    """What a test raises in the place of a kill."""


class Area(DiskArea):
    """Lets a test do something before a piece is written, and behind it."""

    before: Any = None
    behind: Any = None

    def write(self, name: str, data: bytes, *, sync: bool) -> None:
        if self.before is not None:
            self.before()
        super().write(name, data, sync=sync)
        if self.behind is not None:
            self.behind()

    def remove(self, name: str) -> None:
        if self.behind is None:  # a killed server removes nothing
            super().remove(name)


@pytest.fixture
def area(tmp_path: Path) -> Area:
    return Area(tmp_path)


@pytest.fixture
def outputs(shared_database: Database, area: Area) -> Iterator[PostgresqlOutputs]:
    shared_database.run(lambda connection: connection.execute("TRUNCATE jobs, output_parts, output_trash"))
    return PostgresqlOutputs(shared_database, area, SystemIdentifiers(), ManualClock())


def pieces(area_folder: Path) -> int:
    return sum(path.is_file() for path in area_folder.rglob("*"))


def make_due(database: Database, within: str = "5 minutes") -> None:
    query = "UPDATE output_trash SET due = now() - interval '1 s' WHERE due < now() + %s::interval"
    database.run(lambda connection: connection.execute(query, (within,)))


class TestPostgresqlOutputs(OutputStoreContract):
    """The contract of all output stores."""


def test_a_reader_sees_what_is_appended(outputs: PostgresqlOutputs) -> None:
    """Also one that has opened the output while it was empty."""
    name = outputs.new_name(".pull")
    writer, _ = outputs.append(name, 0)
    with outputs.open(name) as file:
        assert file.read(5) == b""
        for text in (b"one", b"two", b"three"):
            writer.write(text)
        assert file.read() == b"onetwothree"
        file.seek(2)
        assert file.read(3) == b"etw"


@pytest.mark.parametrize("offset", [0, 1, 3, 4, 6, 7, 11, 12])
def test_it_is_cut_anywhere(outputs: PostgresqlOutputs, offset: int) -> None:
    name, whole = outputs.new_name(""), b"onetwothree"
    writer, _ = outputs.append(name, 0)
    for text in (b"one", b"two", b"three"):
        writer.write(text)
    start = offset if offset <= len(whole) else 0
    later, at = outputs.append(name, offset)
    later.write(b"END")
    with outputs.open(name) as file:
        assert (at, file.read()) == (start, whole[:start] + b"END")


def test_a_part_that_would_leave_a_gap_is_refused(outputs: PostgresqlOutputs) -> None:
    """One who goes on writing, after somebody else has cut the output, cannot make it look as if it were whole."""
    name = outputs.new_name(".zip")
    writer, _ = outputs.append(name, 0)
    writer.write(b"one")
    writer.write(b"two")
    other, _ = outputs.append(name, 3)
    with pytest.raises(FileNotFoundError):
        writer.write(b"three")
    other.write(b"2")
    with pytest.raises(FileNotFoundError):
        writer.write(b"three")
    with outputs.open(name) as file:
        assert file.read() == b"one2"


@pytest.mark.timeout(20)
def test_a_gap_is_an_error_and_not_waited_at(area: Area) -> None:
    first, last = (SystemIdentifiers().uuid() for _ in range(2))
    area.write(first, b"first", sync=False)
    area.write(last, b"last", sync=False)
    with PartReader(area, [Part(0, 5, first), Part(8, 4, last)]) as file, pytest.raises(OSError, match="too short"):
        file.read(12)


def test_bytes_go_when_nobody_can_read_them(
    outputs: PostgresqlOutputs, shared_database: Database, tmp_path: Path
) -> None:
    """Some minutes after the output is removed, and at once behind its last reader."""
    for end in ("remove", "take"):
        name = outputs.new_name("")
        outputs.append(name, 0)[0].write(b"x")
        assert pieces(tmp_path) == 1
        if end == "take":
            with outputs.take(name) as file:
                assert file.read() == b"x"
        else:
            with outputs.open(name) as file:
                outputs.remove(name)
                outputs.empty_trash()
                assert file.read() == b"x"
            make_due(shared_database)
            outputs.empty_trash()
        assert pieces(tmp_path) == 0


def test_what_cannot_be_removed_stays_for_the_next_time(
    outputs: PostgresqlOutputs, area: Area, shared_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    query = (
        "INSERT INTO output_trash (key, due)"
        " SELECT 'piece-' || number, now() - interval '1 s' FROM generate_series(1, 250) AS number"
    )
    shared_database.run(lambda connection: connection.execute(query))
    asked: list[str] = []

    def refuse(name: str) -> None:
        asked.append(name)
        assert len(asked) <= 250, "it is tried again at once"
        raise AreaError("The place is away", is_away=True)

    with monkeypatch.context() as place:
        place.setattr(area, "remove", refuse)
        outputs.empty_trash()
    assert asked
    assert shared_database.fetch("SELECT count(*) FROM output_trash") == [(250,)]
    outputs.empty_trash()
    assert shared_database.fetch("SELECT count(*) FROM output_trash") == [(0,)]


def test_what_was_killed_while_it_wrote_leaves_nothing(
    outputs: PostgresqlOutputs, area: Area, shared_database: Database, tmp_path: Path
) -> None:
    """Neither before the bytes nor behind them; the next one goes on where it was."""
    name = outputs.new_name("")
    writer, _ = outputs.append(name, 0)
    writer.write(b"one")

    def kill() -> None:
        raise KilledError

    for name_of_place in ("before", "behind"):
        setattr(area, name_of_place, kill)
        with pytest.raises(KilledError):
            writer.write(b"two")
        setattr(area, name_of_place, None)
    assert outputs.size(name) == 3
    later, start = outputs.append(name, 3)
    assert start == 3
    later.write(b"TWO")
    with outputs.open(name) as file:
        assert file.read() == b"oneTWO"
    outputs.remove(name)
    make_due(shared_database, "1 hour")
    outputs.empty_trash()
    assert pieces(tmp_path) == 0


def test_a_part_that_comes_too_late_is_refused(outputs: PostgresqlOutputs, area: Area, tmp_path: Path) -> None:
    """Its server was stopped in the middle of it; the job goes on elsewhere."""
    name = outputs.new_name("")
    fence = {"is": True}

    def refusal() -> Exception:
        return OrthancError(37, "Another server runs this job now")

    class Switch(tuple[Any, ...]):
        """Parameters that follow what the test says."""

        def __iter__(self) -> Iterator[Any]:
            return iter((fence["is"],))

    guard = Guard("SELECT 1 WHERE %s", Switch((True,)), refusal)
    with acting(guard):
        writer, _ = outputs.append(name, 0)
    writer.write(b"one")

    def stop() -> None:
        area.before = None
        fence["is"] = False
        later, start = outputs.append(name, 3)
        later.write(b"TWO")
        assert start == 3

    area.before = stop
    with pytest.raises(OrthancError):
        writer.write(b"two")
    with outputs.open(name) as file:
        assert file.read() == b"oneTWO"
    assert pieces(tmp_path) == 2


def test_outputs_of_no_job_are_dropped_after_a_while(
    outputs: PostgresqlOutputs, shared_database: Database, tmp_path: Path
) -> None:
    """Not those that a job names, in any of its texts."""
    names = [outputs.new_name(".zip") for _ in range(4)]
    for name in names:
        outputs.append(name, 0)[0].write(b"x")
    query = (
        "INSERT INTO jobs (id, outputs, payload, position, type, created, state, status, priority, since, bound,"
        " holder)"
        " VALUES (%s, %s, %s, %s, '', '', '', '', 0, 0, false, 0)"
    )
    shared_database.run(
        lambda connection: [
            connection.execute(query, (name, *(name if text == place else "" for text in range(3))))
            for place, name in enumerate(names[:3])
        ]
    )
    outputs.drop_orphans()
    assert len(list(outputs.names())) == 4
    outputs.drop_orphans("0 s")
    assert list(outputs.names()) == sorted(names[:3])
    make_due(shared_database)
    outputs.empty_trash()
    assert pieces(tmp_path) == 3


def test_a_place_that_is_away_is_told_as_a_database_that_is(tmp_path: Path) -> None:
    """So that the job which needs it is tried again."""

    class Away(Area):
        is_away = True

        def read(self, name: str, size: int | None = None, offset: int = 0) -> bytes:
            raise AreaError("the bucket does not answer", is_away=self.is_away)

        def write(self, name: str, data: bytes, *, sync: bool) -> None:
            self.read(name)

    area = Away(tmp_path)
    for act in (lambda: DistantPieces(area).read("x"), lambda: DistantPieces(area).write("x", b"", sync=False)):
        with pytest.raises(OrthancError) as raised:
            act()
        assert (raised.value.code, raised.value.details) == (36, "the bucket does not answer")
    area.is_away = False
    with pytest.raises(AreaError):
        DistantPieces(area).read("x")


def test_a_slow_reader_goes_on_when_it_is_removed(shared_database: Database, area: Area, tmp_path: Path) -> None:
    """As one does whose file is unlinked: the archive of the next job may be finished before it was downloaded."""
    clock = ManualClock()
    outputs = PostgresqlOutputs(shared_database, area, SystemIdentifiers(), clock)
    name = outputs.new_name(".zip")
    writer, _ = outputs.append(name, 0)
    for text in (b"one", b"two", b"three"):
        writer.write(text)
    with outputs.open(name) as file:
        assert file.read(3) == b"one"
        outputs.remove(name)
        clock.advance(200)
        pass_time(shared_database, "200 s")
        assert file.read(3) == b"two"
        clock.advance(200)
        pass_time(shared_database, "200 s")
        outputs.empty_trash()
        assert file.read(5) == b"three"
    pass_time(shared_database, "400 s")
    outputs.empty_trash()
    assert pieces(tmp_path) == 0


def pass_time(database: Database, interval: str) -> None:
    """Let the time of what is in the trash come nearer."""
    query = "UPDATE output_trash SET due = due - %s::interval"
    database.run(lambda connection: connection.execute(query, (interval,)))


@pytest.mark.parametrize("seconds", ["0 s", "30 s"], ids=["swept", "about to be swept"])
def test_names_that_fell_due_while_the_machine_slept(
    outputs: PostgresqlOutputs, shared_database: Database, tmp_path: Path, seconds: str
) -> None:
    """They are not used, and the job goes on."""
    name = outputs.new_name("")
    writer, _ = outputs.append(name, 0)
    writer.write(b"one")
    query = "UPDATE output_trash SET due = now() + %s::interval"
    shared_database.run(lambda connection: connection.execute(query, (seconds,)))
    if seconds == "0 s":
        outputs.empty_trash()
    due = {key for (key,) in shared_database.fetch("SELECT key FROM output_trash")}
    writer.write(b"two")
    with outputs.open(name) as file:
        assert file.read() == b"onetwo"
    used = {key for (key,) in shared_database.fetch("SELECT key FROM output_parts")}
    assert not used & due
    assert pieces(tmp_path) == 2
