"""The outputs of jobs for all servers: their parts are listed in a table, their bytes are in an area of files.

The names of bytes that are not needed any more are in the table `output_trash`, from which any server removes them when
their time has come. Names that will be given to parts are reserved there, some at a time, and taken out of it with the
transaction that lists the part: so whatever a killed server leaves in the area is known.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Sequence
from typing import BinaryIO, cast

from orthanc_lab.jobs.output_store import OutputWriter
from orthanc_lab.jobs.part_area import PartArea
from orthanc_lab.jobs.postgresql.part_reader import Part, PartReader
from orthanc_lab.jobs.postgresql.tables import ROOM, STEPS
from orthanc_lab.postgresql.acting import Guard, current_guard
from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.ports import Clock, Identifiers

__all__ = ["PostgresqlOutputs"]

_TRASH = (
    "WITH gone AS (DELETE FROM output_parts WHERE {which} RETURNING key)"
    " INSERT INTO output_trash (key, due) SELECT key, clock_timestamp() + interval '{due}' FROM gone"
    " WHERE key <> '' ON CONFLICT DO NOTHING"
)
_TRUNCATE = _TRASH.format(which="name = %s AND place >= %s", due="5 minutes")  # somebody may be reading them
_REMOVE = _TRASH.format(which="name = %s", due="5 minutes")
_TAKE = _TRASH.format(which="name = %s", due="1 day")
_ORPHANED = _TRASH.format(
    which="name IN (SELECT name FROM output_parts AS part GROUP BY name"
    " HAVING max(made) < clock_timestamp() - %s::interval"
    " AND NOT EXISTS (SELECT FROM jobs WHERE strpos(outputs, part.name) > 0 OR strpos(payload, part.name) > 0"
    " OR strpos(position, part.name) > 0))",
    due="5 minutes",
)
_RESERVE = (
    "INSERT INTO output_trash (key, due)"
    " SELECT key, clock_timestamp() + interval '20 minutes' FROM unnest(%s::text[]) AS key"
)
_ADD = (
    # One that falls due may be removed by another server at this moment.
    "WITH taken AS (DELETE FROM output_trash WHERE key = %s AND due > clock_timestamp() + interval '1 minute'"
    " RETURNING key)"
    " INSERT INTO output_parts (name, place, key, size) SELECT %s, %s, taken.key, %s FROM taken"
    # It is refused, and so leaves no gap, if the output was removed or cut meanwhile.
    " WHERE (SELECT greatest(place + size, 0) FROM output_parts WHERE name = %s ORDER BY place DESC LIMIT 1) = %s"
    " RETURNING true"
)
_STILL_READ = (
    "UPDATE output_trash SET due = greatest(due, clock_timestamp() + interval '5 minutes')"
    " WHERE key = ANY(%s) AND due > clock_timestamp()"
)
_STILL_READ_S = 60.0  # how often it is said
_RESERVED = 64  # names at a time
_RESERVED_S = 600.0  # for this long they are used
_PARTS = "SELECT place, size, key FROM output_parts WHERE name = %s ORDER BY place"
_GRAIN = 8 << 20
_SWEEPING = 0x6F6C6A02  # advisory lock: one server at a time looks for orphans
_SWEEP_S = 10.0
_LOOK_FOR_ORPHANS_S = 600.0
_ORPHANS_AFTER = "1 hour"
_AT_ONCE = 100  # pieces that a sweep removes


class PostgresqlOutputs:
    """`orthanc_lab.jobs.output_store.OutputStore` for servers that share a database and an area of files.

    What is written on behalf of a job is refused once another server has the job.

    Parameters
    ----------
    area
        Where the bytes are; each server can read what any has written.
    clock
        Says when it is time to sweep.
    """

    def __init__(self, database: Database, area: PartArea, identifiers: Identifiers, clock: Clock) -> None:
        self._database = database
        self._area = area
        self._identifiers = identifiers
        self._clock = clock
        self._next_sweep = self._next_look = 0.0
        self._reserving = threading.Lock()  # guards the two below
        self._reserved: list[str] = []
        self._reserved_at = 0.0
        database.run(lambda connection: migrate(connection, ROOM, STEPS), guards=())

    @property
    def grain(self) -> int:
        """Some megabytes: each part is a file, and a commit."""
        return _GRAIN

    def new_name(self, suffix: str) -> str:
        """Return a name that no output has."""
        return f"job-{self._identifiers.uuid()}{suffix}"

    def append(self, name: str, offset: int) -> tuple[OutputWriter, int]:
        """Go on behind the first `offset` bytes; the parts that follow are dropped."""

        def operation(connection: Connection) -> int:
            connection.execute(
                "INSERT INTO output_parts (name, place, key, size) VALUES (%s, -1, '', 0) ON CONFLICT DO NOTHING",
                (name,),
            )
            connection.execute("SELECT FROM output_parts WHERE name = %s AND place = -1 FOR UPDATE", (name,))
            size = _end(_parts(connection, name))
            start = offset if size >= offset else 0
            connection.execute(_TRUNCATE.encode(), (name, start))
            connection.execute(
                "UPDATE output_parts SET size = %s - place WHERE name = %s AND place >= 0 AND place + size > %s",
                (start, name, start),
            )
            return start

        start = self._database.run(operation)
        return _Writer(self._database, self._area, self._reserve, name, start), start

    def open(self, name: str) -> BinaryIO:
        """Open an output; what is appended meanwhile can be read, too."""
        parts = self._existing(name)
        return cast(BinaryIO, PartReader(self._area, parts, lambda: self._parts(name), reading=self._keeping()))

    def take(self, name: str) -> BinaryIO:
        """Open an output for the last time; its bytes are removed when it is closed."""
        parts = self._existing(name)
        self._database.run(lambda connection: connection.execute(_TAKE.encode(), (name,)))
        keys = [part.key for part in parts if part.key]
        return cast(BinaryIO, PartReader(self._area, parts, None, lambda: self._clear(keys)))

    def size(self, name: str) -> int | None:
        """Return the size in bytes, None if there is no such output."""
        parts = self._parts(name)
        return _end(parts) if parts else None

    def remove(self, name: str) -> None:
        """Remove an output; who reads it can go on, as long as no pause is longer than some minutes."""
        self._database.run(lambda connection: connection.execute(_REMOVE.encode(), (name,)))

    def names(self) -> Iterable[str]:
        """Return the names of all outputs."""
        return [name for (name,) in self._database.fetch("SELECT DISTINCT name FROM output_parts ORDER BY name")]

    def sweep(self) -> None:
        """Remove what nobody needs any more, if it is time for that."""
        now = self._clock.monotonic()
        if now < self._next_sweep:
            return
        self._next_sweep = now + _SWEEP_S
        if now >= self._next_look:
            self._next_look = now + _LOOK_FOR_ORPHANS_S
            self.drop_orphans()
        self.empty_trash()

    def drop_orphans(self, after: str = _ORPHANS_AFTER) -> None:
        """Drop what belongs to no job, and was not written to for some time.

        Parameters
        ----------
        after
            That time, as PostgreSQL reads intervals.
        """

        def operation(connection: Connection) -> None:
            row = connection.execute("SELECT pg_try_advisory_xact_lock(%s)", (_SWEEPING,)).fetchone()
            if row is not None and row[0]:
                connection.execute(_ORPHANED.encode(), (after,))

        self._database.run(operation, guards=())

    def empty_trash(self) -> None:
        """Remove the bytes whose time has come; those that cannot be removed now stay for the next time."""
        query = "SELECT key FROM output_trash WHERE due < clock_timestamp() LIMIT %s"
        while keys := [key for (key,) in self._database.fetch(query, (_AT_ONCE,))]:
            if self._clear(keys) < _AT_ONCE:
                return

    def _reserve(self, *, anew: bool = False) -> str:
        """Return the name of the next part; one that was not reserved before, if wanted."""
        with self._reserving:
            now = self._clock.monotonic()
            if anew or not self._reserved or now > self._reserved_at + _RESERVED_S:
                keys = [self._identifiers.uuid() for _ in range(_RESERVED)]
                self._database.run(lambda connection: connection.execute(_RESERVE.encode(), (keys,)), guards=())
                self._reserved, self._reserved_at = keys, now
            return self._reserved.pop()

    def _clear(self, keys: Sequence[str]) -> int:
        """Remove bytes, and return how many pieces are gone."""
        removed = []
        for key in keys:
            with contextlib.suppress(OSError):  # it stays in the trash
                self._area.remove(key)
                removed.append(key)
        query = "DELETE FROM output_trash WHERE key = ANY(%s)"
        self._database.run(lambda connection: connection.execute(query, (removed,)), guards=())
        return len(removed)

    def _keeping(self) -> Callable[[Sequence[str]], None]:
        """Return what keeps the bytes of parts as long as it is called again and again, if they have been removed."""
        last = self._clock.monotonic()

        def keep(keys: Sequence[str]) -> None:
            nonlocal last
            now = self._clock.monotonic()
            if now < last + _STILL_READ_S:
                return
            last = now
            with contextlib.suppress(OrthancError):  # the next time
                self._database.run(
                    lambda connection: connection.execute(_STILL_READ, (list(keys),)), guards=(), within=1.0
                )

        return keep

    def _existing(self, name: str) -> list[Part]:
        parts = self._parts(name)
        if not parts:
            raise FileNotFoundError(name)
        return parts

    def _parts(self, name: str) -> list[Part]:
        return self._database.read(lambda connection: _parts(connection, name))


class _Writer:
    """Appends parts, on behalf of the job for which it was opened."""

    def __init__(self, database: Database, area: PartArea, reserve: Callable[..., str], name: str, start: int) -> None:
        guard = current_guard()
        self._guards: tuple[Guard, ...] = () if guard is None else (guard,)
        self._database = database
        self._area = area
        self._reserve = reserve
        self._name = name
        self._place = start

    def write(self, data: bytes) -> None:
        """Append a part."""
        if not data:
            return
        # Names fall due by the clock of the database, also while this machine sleeps.
        if not self._write(self._reserve(), data) and not self._write(self._reserve(anew=True), data):
            raise FileNotFoundError(self._name)  # somebody has removed the output meanwhile, or cut it
        self._place += len(data)

    def close(self) -> None:
        """Do nothing: each part is complete."""

    def _write(self, key: str, data: bytes) -> bool:
        """Return whether the part is listed now."""
        is_listed = False
        try:
            self._area.write(key, data, sync=False)
            is_listed = self._add(key, len(data))
        finally:
            if not is_listed:
                with contextlib.suppress(OSError):
                    self._area.remove(key)
        return is_listed

    def _add(self, key: str, size: int) -> bool:
        values = (key, self._name, self._place, size, self._name, self._place)

        def operation(connection: Connection) -> bool:
            return connection.execute(_ADD.encode(), values).fetchone() is not None

        return self._database.run(operation, guards=self._guards, pipelined=True)


def _parts(connection: Connection, name: str) -> list[Part]:
    return [Part(*columns) for columns in connection.execute(_PARTS, (name,)).fetchall()]


def _end(parts: Sequence[Part]) -> int:
    return max((part.place + part.size for part in parts if part.key), default=0)
