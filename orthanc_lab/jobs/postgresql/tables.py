"""The tables of jobs."""

from __future__ import annotations

__all__ = ["ROOM", "STEPS"]

ROOM = "jobs"

# All times but `lease_until`, `ended_at`, `removed` and `made` are seconds since 1970.
# `changed_by` is the transaction that wrote a row last: whoever knows the list as of a snapshot reads what the
# transactions have written that were not finished in it.
STEPS = (
    """
    CREATE SEQUENCE job_numbers;
    CREATE TABLE servers (
        epoch       bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        server      text NOT NULL,
        name        text NOT NULL,
        address     text NOT NULL,
        lease_until timestamptz NOT NULL,
        ended_at    timestamptz
    );
    CREATE TABLE jobs (
        sequence    bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        id          text COLLATE "C" NOT NULL UNIQUE,
        type        text COLLATE "C" NOT NULL,
        priority    bigint NOT NULL,
        created     text NOT NULL,
        state       text COLLATE "C" NOT NULL,
        status      text NOT NULL,
        outputs     text NOT NULL DEFAULT '{}',
        since       double precision NOT NULL,
        version     bigint NOT NULL DEFAULT 1,
        fence       bigint NOT NULL DEFAULT 0,
        ticket      bigint NOT NULL DEFAULT nextval('job_numbers'),
        epoch       bigint,
        bound       boolean NOT NULL,
        holder      bigint NOT NULL,
        awaited     bigint,
        server      text,
        claimed     double precision,
        lost_by     text,
        lost_at     double precision,
        ended       bigint,
        used        bigint,
        payload     text,
        position    text,
        changed_by  xid8 NOT NULL DEFAULT pg_current_xact_id()
    ) WITH (fillfactor = 70, autovacuum_vacuum_scale_factor = 0.05);
    CREATE INDEX jobs_waiting ON jobs (priority DESC, ticket) WHERE state = 'Pending';
    CREATE INDEX jobs_of_servers ON jobs (epoch) WHERE epoch IS NOT NULL;
    CREATE INDEX jobs_changed ON jobs (changed_by);
    CREATE INDEX jobs_ended ON jobs (ended) WHERE ended IS NOT NULL;
    CREATE INDEX jobs_with_outputs ON jobs (used) WHERE outputs <> '{}';
    CREATE TABLE jobs_removed (
        sequence    bigint PRIMARY KEY,
        id          text COLLATE "C" NOT NULL,
        state       text NOT NULL,
        status      text NOT NULL,
        since       double precision NOT NULL,
        removed     timestamptz NOT NULL DEFAULT clock_timestamp(),
        changed_by  xid8 NOT NULL DEFAULT pg_current_xact_id()
    );
    CREATE INDEX jobs_removed_changed ON jobs_removed (changed_by);
    CREATE INDEX jobs_removed_at ON jobs_removed (removed);
    CREATE TABLE take_overs (
        number      bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
        job         text COLLATE "C" NOT NULL,
        lost_by     text NOT NULL,
        taken_by    text NOT NULL,
        at          double precision NOT NULL,
        seconds     double precision NOT NULL
    );
    CREATE TABLE output_parts (
        name        text COLLATE "C" NOT NULL,
        place       bigint NOT NULL,
        key         text COLLATE "C" NOT NULL,
        size        bigint NOT NULL,
        made        timestamptz NOT NULL DEFAULT clock_timestamp(),
        PRIMARY KEY (name, place)
    );
    CREATE UNIQUE INDEX output_parts_of_keys ON output_parts (key) WHERE key <> '';
    CREATE TABLE output_trash (
        key         text COLLATE "C" PRIMARY KEY,
        due         timestamptz NOT NULL
    );
    CREATE INDEX output_trash_due ON output_trash (due);
    """,
)
