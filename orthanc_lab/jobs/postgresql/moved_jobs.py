"""Jobs that are moved from one list to another: the rows of the one in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.jobs.machine import Event, advance
from orthanc_lab.jobs.postgresql.tables import ROOM, STEPS
from orthanc_lab.jobs.rows import read_status, write_status
from orthanc_lab.jobs.shared.leases import moment_of
from orthanc_lab.jobs.store import JobRow
from orthanc_lab.postgresql.connections import Connection
from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.schema import migrate
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["MovedJobs", "has_list", "running_servers"]

_COLUMNS = "sequence, id, type, priority, created, state, status, outputs, payload, position"
_ROWS = f"SELECT {_COLUMNS} FROM jobs ORDER BY sequence"  # noqa: S608 # no value is in it
_INSERT = (
    "INSERT INTO jobs (id, type, priority, created, state, status, outputs, since, bound, holder, ended, used, payload,"
    " position) VALUES (%s, %s, %s, %s, %s, %s, %s, %s, false, 0, CASE WHEN %s THEN nextval('job_numbers') END,"
    " CASE WHEN %s THEN nextval('job_numbers') END, %s, %s) ON CONFLICT (id) DO NOTHING"
)
_NOW = "SELECT extract(epoch FROM clock_timestamp())::double precision"
_RUNNING = "SELECT name FROM servers WHERE ended_at IS NULL AND lease_until > clock_timestamp() ORDER BY name"


class MovedJobs:
    """The jobs of a list that no server works with now."""

    def __init__(self, database: Database) -> None:
        self._database = database
        database.run(lambda connection: migrate(connection, ROOM, STEPS), guards=())

    def rows(self) -> Sequence[JobRow]:
        """Return all jobs in the order of their submission."""
        return [JobRow(*columns) for columns in self._database.fetch(_ROWS)]

    def write(self, row: JobRow) -> None:
        """Add a job at the end of the list, unless it is there; what has not ended waits for a server.

        Raises
        ------
        OrthancError
            6 if it has not ended, and could not go on elsewhere; 20 if its status cannot be read.
        """
        try:
            status = read_status(row.state, row.status)
        except (ValueError, KeyError, TypeError) as error:
            raise OrthancError(ErrorCode.CORRUPTED_FILE, "its status cannot be read") from error
        if not status.state.is_final and row.payload is None:
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS, "it was not saved, and cannot go on elsewhere")

        def operation(connection: Connection) -> None:
            found = connection.execute(_NOW).fetchone()
            assert found is not None
            (now,) = found
            after, _ = advance(status, Event.RESTORED, moment_of(now))
            ended = after.state.is_final
            values = (row.id, row.type, row.priority, row.created, after.state.value, write_status(after), row.outputs)
            further = (after.since or now, ended, row.outputs != "{}", row.payload, row.position)
            connection.execute(_INSERT, (*values, *further))

        self._database.run(operation, guards=())


def has_list(database: Database) -> bool:
    """Tell whether a database has a list of jobs: not if its servers have never saved any."""
    return bool(database.fetch("SELECT to_regclass('jobs') IS NOT NULL")[0][0])


def running_servers(database: Database) -> list[str]:
    """Return the names of the servers that share the list of jobs of a database now."""
    return [name for (name,) in database.fetch(_RUNNING)] if has_list(database) else []
