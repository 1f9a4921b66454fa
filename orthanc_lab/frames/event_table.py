"""What happened to the jobs of a server as a frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from orthanc_lab.client import Client
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import typed
from orthanc_lab.protocol.timestamps import iso_micros

__all__ = ["events"]


def events(client: Client, since: int = 0) -> pd.DataFrame:
    """Return what happened to the jobs after event number `since`; only from the server of this package.

    Columns: ``seq``, ``time``, ``job``, ``type``, ``priority``, ``event``, ``before``, ``after``, ``cause``,
    ``worker``, ``step``, ``progress_pct``, ``error_code``; `describe` explains them.

    Parameters
    ----------
    since
        The last ``seq`` already known.

    Raises
    ------
    NoEventLogError
        If the server has no such log.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     _ = client.studies.find()[0].archive_job().wait()
    ...     frame = frames.events(client)
    >>> frame.loc[frame["before"] != frame["after"], ["event", "after", "cause"]].reset_index(drop=True)
           event    after   cause
    0  Submitted  Pending  Client
    1     Picked  Running  Worker
    2   Finished  Success  Worker
    """
    check_client(client)
    found = client.jobs.events(since)
    columns: dict[str, list[Any]] = {
        "seq": [event.sequence for event in found],
        "time": [iso_micros(event.at) for event in found],
        "job": [event.job for event in found],
        "type": [event.kind for event in found],
        "priority": [event.priority for event in found],
        "event": [event.event.value for event in found],
        "before": [event.before.value if event.before else None for event in found],
        "after": [event.after.value if event.after else None for event in found],
        "cause": [event.cause.value for event in found],
        "worker": [event.worker for event in found],
        "step": [event.step for event in found],
        "progress_pct": [event.progress for event in found],
        "error_code": [event.error_code for event in found],
    }
    return pd.DataFrame({name: typed(values, name) for name, values in columns.items()})
