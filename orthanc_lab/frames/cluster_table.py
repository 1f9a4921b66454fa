"""The servers that share a list of jobs as a frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from orthanc_lab.client import Client
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import typed

__all__ = ["cluster"]


def cluster(client: Client) -> pd.DataFrame:
    """Return the servers that share the list of jobs; only from the server of this package.

    Columns: ``server``, ``address``, ``epoch``, ``lease_s``, ``running``, ``is_self``; `describe` explains them.

    Raises
    ------
    NoClusterError
        If the server cannot tell.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> with orthanc_lab.in_process(Name="Anna") as server:
    ...     frames.cluster(orthanc_lab.Client.from_server(server))[["server", "running"]]
      server  running
    0   Anna        0
    """
    check_client(client)
    servers = client.cluster().servers
    columns: dict[str, list[Any]] = {
        "server": [server.name for server in servers],
        "address": [server.address for server in servers],
        "epoch": [server.epoch for server in servers],
        "lease_s": [server.lease_remaining for server in servers],
        "running": [len(server.running) for server in servers],
        "is_self": [server.is_self for server in servers],
    }
    return pd.DataFrame({name: typed(values, name) for name, values in columns.items()})
