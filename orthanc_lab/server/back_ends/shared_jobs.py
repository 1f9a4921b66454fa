"""The list of jobs that servers share, as the settings describe it."""

from __future__ import annotations

import socket
from collections.abc import Callable, Mapping

from orthanc_lab.jobs.kinds import WRITING
from orthanc_lab.jobs.output_store import OutputStore
from orthanc_lab.jobs.ports import Restore
from orthanc_lab.jobs.postgresql.job_list import PostgresqlJobList
from orthanc_lab.jobs.shared.keeper import ServerIdentity
from orthanc_lab.jobs.shared.shared_jobs import SharedJobs
from orthanc_lab.postgresql.database import Database
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.rest.server.system import server_identifier
from orthanc_lab.server.environment import Environment
from orthanc_lab.server.options.cluster_option import lease_duration

__all__ = ["open_shared_jobs"]


def open_shared_jobs(
    database: Database,
    settings: Settings,
    environment: Environment,
    outputs: OutputStore,
    restores: Mapping[str, Restore],
    *,
    load_jobs: bool,
    tidy: Callable[[], None],
    on_error: Callable[[BaseException], None],
) -> SharedJobs:
    """Open the list of jobs in a database, with the engine of this server.

    Parameters
    ----------
    tidy
        Removes what no job needs any more.
    """
    duration = lease_duration(settings["Cluster"])
    id = server_identifier(settings)
    return SharedJobs(
        PostgresqlJobList(database, duration, alone=database.options.lock),
        outputs,
        environment.clock,
        environment.identifiers,
        environment.executor,
        identity=ServerIdentity(id, settings["Name"] or id, lambda: _address(settings)),
        lease_duration=duration,
        restores=restores,
        leaves=WRITING if settings["ReadOnly"] else (),
        concurrent_jobs=settings["ConcurrentJobs"],
        history_size=settings["JobsHistorySize"],
        media_archive_size=settings["MediaArchiveSize"],
        events_size=settings["JobsEventsSize"],
        load_jobs=load_jobs,
        tidy=tidy,
        on_error=on_error,
    )


def _address(settings: Settings) -> str:
    if not settings["HttpServerEnabled"]:
        return ""
    scheme = "https" if settings["SslEnabled"] else "http"
    host = socket.gethostname() if settings["RemoteAccessAllowed"] else "127.0.0.1"
    return f"{scheme}://{host}:{settings['HttpPort']}"
