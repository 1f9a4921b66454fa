"""The statements on the list of jobs; each does what `orthanc_lab.jobs.shared.leases` says."""

from __future__ import annotations

__all__ = [
    "CHANGED_AGAIN",
    "CHANGES",
    "CLAIM",
    "END_LEASES",
    "FORGET",
    "HAS_ENDED",
    "INSERT",
    "ORPHANS",
    "OTHER_NAMES",
    "REMOVE",
    "ROW",
    "SERVERS",
    "TAKE_AWAY",
    "TIME",
    "TRIM_HISTORY",
    "TRIM_OUTPUTS",
    "UNBIND",
    "WRITE",
]

_SHOWN = "1 minute"  # servers whose leases have ended
_REMEMBERED = "10 minutes"  # jobs that are gone; whoever has not looked for so long reads the whole list
_NAMES = (
    "sequence, id, type, priority, created, state, status, outputs, since, version, fence, ticket, epoch, bound,"
    " holder, awaited, server, claimed, lost_by, lost_at"
)
_COLUMNS = ", ".join(f"jobs.{name}" for name in _NAMES.split(", "))
_NOW = "extract(epoch FROM clock_timestamp())::double precision"
_CHANGED = "changed_by = pg_current_xact_id()"

INSERT = (
    "INSERT INTO jobs (id, type, priority, created, state, status, since, epoch, bound, holder, awaited, payload)"
    " VALUES (%s, %s, %s, %s, 'Pending', %s, %s, %s, %s, %s, %s, %s)"
    f" ON CONFLICT (id) DO NOTHING RETURNING {_COLUMNS}"
)
CLAIM = (
    "WITH me AS (SELECT epoch, name FROM servers WHERE epoch = %(epoch)s AND ended_at IS NULL"
    " AND lease_until > clock_timestamp()),"
    " turn AS MATERIALIZED (SELECT sequence, holder FROM jobs WHERE state = 'Pending' AND EXISTS (SELECT FROM me)"
    " AND CASE WHEN bound THEN epoch = %(epoch)s ELSE holder = %(epoch)s OR type = ANY(%(kinds)s) END"
    " ORDER BY priority DESC, ticket LIMIT 1 FOR UPDATE SKIP LOCKED)"
    " UPDATE jobs SET state = 'Running', epoch = %(epoch)s, holder = %(epoch)s, server = me.name, fence = fence + 1,"
    f" version = version + 1, claimed = {_NOW}, {_CHANGED} FROM turn, me WHERE jobs.sequence = turn.sequence"
    f" RETURNING {_COLUMNS}, turn.holder <> %(epoch)s, CASE WHEN turn.holder <> %(epoch)s THEN payload END,"
    " CASE WHEN turn.holder <> %(epoch)s THEN position END"
)
WRITE = (
    "UPDATE jobs SET state = %(state)s::text, status = %(status)s::text, since = %(since)s,"
    " outputs = coalesce(%(outputs)s::text, outputs), version = version + 1, fence = fence + %(revives)s::bigint,"
    " ticket = CASE WHEN %(queues)s::boolean THEN nextval('job_numbers') ELSE ticket END,"
    " epoch = CASE WHEN bound OR %(state)s::text = 'Running' THEN epoch END,"
    " claimed = NULL, lost_by = NULL, lost_at = NULL,"
    " ended = CASE WHEN %(ends)s::boolean THEN nextval('job_numbers') WHEN %(revives)s::bigint = 0 THEN ended END,"
    " used = CASE WHEN %(ends)s::boolean AND %(outputs)s::text <> '{}' THEN nextval('job_numbers') ELSE used END,"
    " payload = CASE WHEN %(state)s::text <> 'Success' THEN payload END,"
    f" position = CASE WHEN %(state)s::text <> 'Success' THEN coalesce(%(position)s::text, position) END, {_CHANGED}"
    f" WHERE sequence = %(sequence)s AND version = %(version)s AND fence = %(fence)s RETURNING {_COLUMNS}"
)
TAKE_AWAY = (
    "UPDATE jobs SET state = %s, status = %s, since = %s, version = version + 1, fence = fence + 1, epoch = NULL,"
    f" claimed = NULL, lost_by = %s, lost_at = %s, ended = CASE WHEN %s THEN nextval('job_numbers') END, {_CHANGED}"
    f" WHERE sequence = %s RETURNING {_COLUMNS}"
)
UNBIND = f"UPDATE jobs SET epoch = NULL, version = version + 1, {_CHANGED} WHERE sequence = %s RETURNING {_COLUMNS}"
_ENTOMB = (
    "INSERT INTO jobs_removed (sequence, id, state, status, since)"
    " SELECT sequence, id, state, CASE WHEN awaited IS NULL THEN '' ELSE status END, since FROM gone"
)
REMOVE = (
    f"WITH gone AS (DELETE FROM jobs WHERE sequence = %s AND version = %s RETURNING *) {_ENTOMB} RETURNING sequence"
)
TRIM_HISTORY = (
    "WITH gone AS (DELETE FROM jobs WHERE ended IS NOT NULL AND sequence IN"
    " (SELECT sequence FROM jobs WHERE ended IS NOT NULL ORDER BY ended DESC OFFSET %s) RETURNING *),"
    f" noted AS ({_ENTOMB}) SELECT id, outputs FROM gone"
)
TRIM_OUTPUTS = (
    "WITH old AS (SELECT sequence, outputs FROM jobs WHERE outputs <> '{}' ORDER BY used DESC OFFSET %s)"
    f" UPDATE jobs SET outputs = '{{}}', version = version + 1, {_CHANGED} FROM old"
    f" WHERE jobs.sequence = old.sequence AND jobs.outputs = old.outputs RETURNING {_COLUMNS}, old.outputs"
)
_GONE = ", ".join(
    name if name in ("sequence", "id", "state", "status", "since") else "NULL" for name in _NAMES.split(", ")
)
CHANGES = (
    "SELECT look.position, news.* FROM"
    " (SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint AS position) AS look"
    f" LEFT JOIN (SELECT false AS gone, {_NAMES} FROM jobs WHERE changed_by >= %s::text::xid8"
    f" UNION ALL SELECT true, {_GONE} FROM jobs_removed WHERE changed_by >= %s::text::xid8) AS news ON true"
)
# In a database that was restored from another one, rows may seem to be of transactions yet to come.
CHANGED_AGAIN = tuple(
    f"UPDATE {table} SET {_CHANGED} WHERE changed_by >= pg_snapshot_xmax(pg_current_snapshot())"
    for table in ("jobs", "jobs_removed")
)
# A server that was killed and has started anew finds itself in the list, with a lease that nobody renews.
OTHER_NAMES = (
    "SELECT name FROM servers WHERE ended_at IS NULL"
    " AND NOT (server = %s AND lease_until < clock_timestamp() + %s * interval '1 second')"
)
_IS_OVER = "ended_at IS NULL AND lease_until < clock_timestamp() AND epoch <> %(spared)s"
HAS_ENDED = (
    f"SELECT EXISTS (SELECT FROM servers WHERE {_IS_OVER})"
    " OR EXISTS (SELECT FROM jobs LEFT JOIN servers USING (epoch)"
    " WHERE jobs.epoch IS NOT NULL AND (servers.epoch IS NULL OR servers.ended_at IS NOT NULL))"
)
END_LEASES = f"UPDATE servers SET ended_at = clock_timestamp() WHERE {_IS_OVER}"
SERVERS = (
    "SELECT server, name, epoch, address,"
    " extract(epoch FROM least(lease_until, ended_at) - clock_timestamp())::double precision FROM servers"
    f" WHERE ended_at IS NULL OR ended_at > clock_timestamp() - interval '{_SHOWN}' AND NOT EXISTS"
    " (SELECT FROM servers AS later WHERE later.server = servers.server AND later.epoch > servers.epoch)"
    " ORDER BY epoch"
)
FORGET = f"DELETE FROM jobs_removed WHERE removed < clock_timestamp() - interval '{_REMEMBERED}'"
ROW = f"SELECT {_COLUMNS} FROM jobs WHERE sequence = %s"
TIME = f"SELECT {_NOW}"
ORPHANS = (
    f"SELECT {_COLUMNS}, dead.name, extract(epoch FROM dead.lease_until)::double precision FROM jobs"
    " LEFT JOIN servers AS dead USING (epoch)"
    " WHERE jobs.epoch IS NOT NULL AND (dead.epoch IS NULL OR dead.ended_at IS NOT NULL) FOR UPDATE OF jobs SKIP LOCKED"
)
