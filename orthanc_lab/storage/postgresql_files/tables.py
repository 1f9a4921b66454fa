"""The tables of files."""

from __future__ import annotations

from orthanc_lab.postgresql.database import Database
from orthanc_lab.postgresql.schema import migrate

__all__ = ["prepare_tables"]

_ROOM = "files"
_STEPS = (
    """
    -- Files that are not yet, or no longer, what something refers to.
    CREATE TABLE file_journal (
        room     text COLLATE "C" NOT NULL,
        uuid     text COLLATE "C" NOT NULL,
        name     text COLLATE "C" NOT NULL,                      -- without an extension as long as none is known
        writer   text COLLATE "C" NOT NULL,                      -- a server, from its start to its end
        at       timestamptz NOT NULL DEFAULT clock_timestamp(),
        given_up boolean NOT NULL DEFAULT false,                 -- nothing can come to refer to it any more
        PRIMARY KEY (room, uuid)
    );
    -- A function, so that a transaction fails without anybody waiting for an answer.
    CREATE FUNCTION take_over_files(wanted_room text, wanted text[]) RETURNS void LANGUAGE plpgsql AS $$
    DECLARE taken integer;
    BEGIN
        DELETE FROM file_journal WHERE room = wanted_room AND uuid = ANY(wanted) AND NOT given_up;
        GET DIAGNOSTICS taken = ROW_COUNT;
        IF taken < cardinality(wanted) THEN
            RAISE EXCEPTION 'a file was given up' USING ERRCODE = 'OL001';
        END IF;
    END $$;
    CREATE TABLE file_chunks (
        name   text COLLATE "C" NOT NULL,
        number integer NOT NULL,
        data   bytea NOT NULL,
        PRIMARY KEY (name, number)
    );
    ALTER TABLE file_chunks ALTER COLUMN data SET STORAGE EXTERNAL; -- scans do not get smaller, and parts are read
    """,
)


def prepare_tables(database: Database) -> None:
    """Make the tables, or bring them up to date.

    Raises
    ------
    OrthancError
        18 if a newer version of this program has changed them.
    """
    database.run(lambda connection: migrate(connection, _ROOM, _STEPS), guards=())
