"""The jobs on a server as a frame."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import pandas as pd

from orthanc_lab.client import Client, NoClusterError
from orthanc_lab.client.errors import reading
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import typed
from orthanc_lab.protocol.arguments import items_of

__all__ = ["jobs", "jobs_frame"]


def jobs(client: Client) -> pd.DataFrame:
    """Return the jobs known to the server, the oldest first.

    Columns: ``id``, ``type``, ``state``, ``priority``, ``progress_pct``, ``created``, ``completed``, ``eta``,
    ``asked``, ``runtime_s``, ``total_s``, ``error_code``, ``error``, ``description``, ``instances``,
    ``failed_instances``, ``size_bytes``; `describe` explains them. Where several servers share the list of jobs,
    there is also ``server``.

    The server keeps the last ``JobsHistorySize`` finished jobs.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     _ = list(client.studies)[0].archive_job().wait()
    ...     frames.jobs(client)[["type", "state", "instances"]]
          type    state  instances
    0  Archive  Success         20
    """
    check_client(client)
    documents, servers = client.transport.array("/jobs", {"expand": ""}), _servers(client)
    with reading(client.url, "jobs"):
        return jobs_frame(documents, servers=servers)


def _servers(client: Client) -> Mapping[str, str] | None:
    """Return the server of each job, None of a server that shares its jobs with nobody."""
    try:
        cluster = client.cluster()
    except NoClusterError:
        return None
    return cluster.jobs if cluster.is_shared else None


def jobs_frame(documents: Iterable[Mapping[str, Any]], *, servers: Mapping[str, str] | None = None) -> pd.DataFrame:
    """Return the frame for job objects as returned by ``GET /jobs?expand``.

    Parameters
    ----------
    servers
        The name of the server of each job, ``client.cluster().jobs``, for a column ``server``.

    Examples
    --------
    >>> from orthanc_lab import frames
    >>> len(frames.jobs_frame([]))
    0
    """
    documents = items_of(documents, Mapping, "documents of jobs, the JSON of /jobs?expand")
    contents = [document["Content"] for document in documents]
    contents = [content if isinstance(content, dict) else {} for content in contents]

    def field(column: str, key: str) -> pd.Series[Any]:
        return typed([document.get(key) for document in documents], column)

    def content(column: str, key: str) -> pd.Series[Any]:
        return typed([item.get(key) for item in contents], column)

    frame = pd.DataFrame(
        {
            "id": field("id", "ID"),
            "type": field("type", "Type"),
            "state": field("state", "State"),
            "priority": field("priority", "Priority"),
            "progress_pct": field("progress_pct", "Progress"),
            "created": field("created", "CreationTime"),
            "completed": field("completed", "CompletionTime"),
            "eta": field("eta", "EstimatedTimeOfArrival"),
            "asked": field("asked", "Timestamp"),
            "runtime_s": field("runtime_s", "EffectiveRuntime"),
            "error_code": field("error_code", "ErrorCode"),
            "error": typed([_error(document) for document in documents], "error"),
            "description": content("description", "Description"),
            "instances": content("instances", "InstancesCount"),
            "failed_instances": content("failed_instances", "FailedInstancesCount"),
            "size_bytes": content("size_bytes", "UncompressedSize"),
        }
    )
    frame.insert(10, "total_s", (frame["completed"] - frame["created"]).dt.total_seconds())
    if servers is not None:
        frame["server"] = typed([servers.get(document["ID"]) for document in documents], "server")
    return frame.sort_values("created", kind="stable", ignore_index=True)


def _error(document: Mapping[str, Any]) -> str:
    if not document.get("ErrorCode"):
        return ""
    details = document.get("ErrorDetails")
    return f"{document['ErrorDescription']}: {details}" if details else str(document["ErrorDescription"])
