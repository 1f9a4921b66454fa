"""The changes recorded by a server as a frame."""

from __future__ import annotations

from typing import Any

import pandas as pd

from orthanc_lab.client import Client
from orthanc_lab.frames.columns import typed

__all__ = ["changes"]

_PAGE = 1000


def changes(client: Client, since: int = 0) -> pd.DataFrame:
    """Return all changes after number `since`.

    Columns: ``seq``, ``change``, ``level``, ``id``, ``date``; `describe` explains them.

    Parameters
    ----------
    since
        The last ``seq`` already known.

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
    found: list[dict[str, Any]] = []
    while True:
        page = client.transport.get("/changes", {"since": since, "limit": _PAGE})
        found += page["Changes"]
        if page["Done"] or not page["Changes"]:
            break
        since = page["Changes"][-1]["Seq"]

    def field(column: str, key: str) -> pd.Series[Any]:
        return typed([item[key] for item in found], column)

    return pd.DataFrame(
        {
            "seq": field("seq", "Seq"),
            "change": field("change", "ChangeType"),
            "level": field("level", "ResourceType"),
            "id": field("id", "ID"),
            "date": field("date", "Date"),
        }
    )
