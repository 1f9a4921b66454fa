"""The changes recorded by a server as a frame."""

from __future__ import annotations

import pandas as pd

from orthanc_lab.client import Client
from orthanc_lab.frames.arguments import check_client
from orthanc_lab.frames.columns import typed

__all__ = ["changes"]


def changes(client: Client, since: int = 0) -> pd.DataFrame:
    """Return all changes after number `since`.

    Columns: ``seq``, ``change``, ``level``, ``id``, ``date``; `describe` explains them.

    Parameters
    ----------
    since
        The last ``seq`` already known. If the server does not know it, because its numbers have begun anew, all changes
        are returned.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames, samples
    >>> with orthanc_lab.in_process() as server:
    ...     client = orthanc_lab.Client.from_server(server)
    ...     _ = client.upload(samples.path("ct/soft_tissue"))
    ...     frame = frames.changes(client)
    >>> (frame["change"] == "NewInstance").sum()
    np.int64(20)
    """
    check_client(client)
    found = client.changes.after(since)
    return pd.DataFrame(
        {
            "seq": typed([change.seq for change in found], "seq"),
            "change": typed([change.type for change in found], "change"),
            "level": typed([change.level for change in found], "level"),
            "id": typed([change.id for change in found], "id"),
            "date": typed([change.date for change in found], "date"),
        }
    )
