"""The journal of files that servers share: nothing that is referred to is removed, and nothing else stays."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import pytest

from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.inline import InlineExecutor
from orthanc_lab.protocol.ports import ManualClock, SystemIdentifiers
from orthanc_lab.storage.files.names import extension_of, possible_names, uuid_of
from orthanc_lab.storage.postgresql_files.journal import DatabaseJournal, Sweeping
from orthanc_lab.testing.cluster.tcp_proxy import TcpProxy
from orthanc_lab.testing.postgresql_server import PostgresqlDatabase
from tests.postgresql.conftest import quick_options


@dataclass
class Server:
    """A server with its journal; what it refers to is a table."""

    database: Database
    room: str

    def __post_init__(self) -> None:
        self.journal = DatabaseJournal(self.database, self.room, known, at_once=1)

    def reserve(self) -> str:
        return self.journal.reserve(".dcm", SystemIdentifiers())

    def commit(self, names: Sequence[str]) -> None:
        def operation(connection: Connection) -> None:
            for name in names:
                connection.execute("INSERT INTO referred (name) VALUES (%s)", (name,))
            self.journal.take_over_on(connection, names)

        self.database.run(operation)

    def delete(self, names: Sequence[str]) -> None:
        def operation(connection: Connection) -> None:
            connection.execute("DELETE FROM referred WHERE name = ANY(%s)", (list(names),))
            self.journal.release_on(connection, names)

        self.database.run(operation)

    def sweep(self, grace: float) -> list[str]:
        """Let the task look once; return the UUIDs of what it removes."""
        removed: list[str] = []
        executor = InlineExecutor(ManualClock())
        sweeping = Sweeping(self.journal, removed.append, executor, grace or 1e-9)
        executor.run()
        sweeping.close()
        self.journal.forget_gone()
        return list(dict.fromkeys(uuid_of(name) for name in removed))

    def names(self) -> list[str]:
        return [uuid for (uuid,) in self.database.fetch("SELECT uuid FROM file_journal WHERE room = %s", (self.room,))]


def known(connection: Connection, names: Sequence[str]) -> Collection[str]:
    rows = connection.execute("SELECT name FROM referred WHERE name = ANY(%s)", (list(names),)).fetchall()
    return {name for (name,) in rows}


@pytest.fixture
def servers(database: Database) -> tuple[Server, Server]:
    database.run(lambda connection: connection.execute("CREATE TABLE IF NOT EXISTS referred (name text)"))
    room = uuid.uuid4().hex
    return Server(database, room), Server(database, room)


def test_what_is_taken_over_is_forgotten(servers: tuple[Server, Server]) -> None:
    one, other = servers
    names = [one.reserve(), one.reserve()]
    assert sorted(one.names()) == sorted(names)
    one.commit(names)
    assert one.names() == []
    assert other.sweep(0) == []


def test_the_writer_removes_what_it_has_given_up(servers: tuple[Server, Server]) -> None:
    one, other = servers
    file = one.reserve()
    assert one.journal.give_up([file]) == [file]
    assert other.sweep(60) == []  # its writer is about to remove it
    one.journal.settle([file])
    one.journal.forget_gone()
    assert one.names() == []


def test_others_remove_what_a_dead_server_has_left(servers: tuple[Server, Server]) -> None:
    one, other = servers
    released = one.reserve()
    one.commit([released])
    one.delete([released])
    written = one.reserve()
    assert other.sweep(60) == []
    assert sorted(other.sweep(0)) == sorted([written, released])
    assert one.names() == []


def test_a_living_server_keeps_what_it_is_writing(servers: tuple[Server, Server], database: Database) -> None:
    one, other = servers
    file = one.reserve()
    old = "UPDATE file_journal SET at = at - interval '5 minutes' WHERE room = %s"
    database.run(lambda connection: connection.execute(old, (one.room,)))
    assert one.sweep(60) == []  # it says that it is alive
    assert other.sweep(60) == []
    one.commit([file])


def test_a_server_that_was_frozen_cannot_take_over_what_was_removed(servers: tuple[Server, Server]) -> None:
    frozen, other = servers
    file = frozen.reserve()
    assert other.sweep(0) == [file]
    with pytest.raises(OrthancError) as caught:
        frozen.commit([file])
    assert caught.value.code == 36
    assert frozen.database.fetch("SELECT 1 FROM referred WHERE name = %s", (file,)) == []
    # It may have written the file after it was removed: so it is removed again.
    assert frozen.journal.give_up([file]) == [file]
    assert frozen.names() == [file]
    assert other.sweep(0) == [file]


def test_what_was_committed_after_all_is_not_given_up(servers: tuple[Server, Server]) -> None:
    one, other = servers
    file, lost = one.reserve(), one.reserve()
    one.commit([file])
    assert one.journal.give_up([file, lost]) == [lost]  # its answer was lost, and nobody could find out
    assert one.names() == [lost]
    assert other.sweep(0) == [lost]


def test_giving_up_waits_for_a_transaction_that_takes_over(
    servers: tuple[Server, Server], shared_database: PostgresqlDatabase
) -> None:
    one, _ = servers
    file = one.reserve()
    given_up: list[str] = []
    beginning, committing = threading.Event(), threading.Event()

    def commit(connection: Connection) -> None:
        connection.execute("INSERT INTO referred (name) VALUES (%s)", (file,))
        one.journal.take_over_on(connection, [file])
        beginning.set()
        assert committing.wait(20)

    writer = threading.Thread(target=one.database.run, args=(commit,))
    writer.start()
    assert beginning.wait(20)
    second = Database(quick_options(shared_database))
    third = Server(second, one.room)
    giver = threading.Thread(target=lambda: given_up.extend(third.journal.give_up([file])))
    giver.start()
    giver.join(0.1)
    assert giver.is_alive()
    committing.set()
    writer.join()
    giver.join()
    assert given_up == []
    assert one.names() == []
    second.close()


def test_rooms_do_not_see_each_other(servers: tuple[Server, Server], database: Database) -> None:
    one, _ = servers
    elsewhere = Server(database, uuid.uuid4().hex)
    file = one.reserve()
    assert elsewhere.sweep(0) == []
    assert one.names() == [file]


def test_names_wait_for_a_database_that_is_away(servers: tuple[Server, Server]) -> None:
    one, other = servers
    away = Server(Database(one.database.options), one.room)
    file = away.reserve()
    away.database.close()
    assert away.journal.give_up([file]) == ()
    away.journal.settle([file])
    away.journal.close()
    assert other.sweep(0) == [file]


def test_nobody_waits_in_a_circle(servers: tuple[Server, Server]) -> None:
    """A server looks after its names while a transaction takes them over, one after the other."""
    one, _ = servers
    names = sorted(one.reserve() for _ in range(20))
    taken, looked = threading.Event(), threading.Event()

    def commit(connection: Connection) -> None:
        one.journal.take_over_on(connection, names[10:])
        taken.set()
        assert looked.wait(20)
        one.journal.take_over_on(connection, names[:10])

    writer = threading.Thread(target=one.database.run, args=(commit,))
    writer.start()
    assert taken.wait(20)
    assert one.journal.old(60) == ()
    looked.set()
    writer.join()
    assert one.names() == []


def test_names_are_given_up_once_the_database_is_back(
    servers: tuple[Server, Server], shared_database: PostgresqlDatabase
) -> None:
    one, other = servers
    with TcpProxy(shared_database.host, shared_database.port) as line:
        options = replace(quick_options(shared_database), host="127.0.0.1", port=line.port, retries=1)
        behind = Server(Database(options), one.room)
        file = behind.reserve()
        line.refuse()
        assert behind.journal.give_up([file]) == ()
        line.go_on()
        assert behind.sweep(60) == []
        assert other.database.fetch("SELECT given_up FROM file_journal WHERE room = %s", (one.room,)) == [(True,)]
        behind.database.close()
    assert other.sweep(0) == [file]


def test_uuids_are_reserved_many_at_a_time(servers: tuple[Server, Server], database: Database) -> None:
    one, other = servers
    journal = DatabaseJournal(database, one.room, known, at_once=8)
    identifiers = SystemIdentifiers()
    uuids = {journal.reserve(".dcm", identifiers) for _ in range(10)}
    assert len(uuids) == 10
    assert uuids < set(one.names())
    assert len(one.names()) == 16
    journal.close()
    assert set(one.names()) == uuids  # of those, nobody knows
    assert set(other.sweep(0)) == uuids


def test_a_server_that_was_frozen_reserves_anew(servers: tuple[Server, Server], database: Database) -> None:
    one, other = servers
    one.journal = DatabaseJournal(database, one.room, known, at_once=8)
    stale = one.reserve()
    other.sweep(0)
    with pytest.raises(OrthancError):
        one.commit([stale])
    one.journal.give_up([stale])
    for _ in range(3):
        one.commit([one.reserve()])


@pytest.mark.parametrize("type", [1, 2, 3, 4, 1024])
def test_a_file_of_any_kind_is_found_by_its_uuid(type: int) -> None:
    """Also the summary in JSON, which comes from a server of long ago."""
    id = SystemIdentifiers().uuid()
    assert id + extension_of(type) in possible_names(id)
