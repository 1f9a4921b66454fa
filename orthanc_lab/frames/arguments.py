"""What callers pass."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["JOBS", "METRICS", "check_client", "check_frame"]

JOBS = "frames.jobs"
METRICS = "frames.record"
"""Where frames come from."""


def check_client(client: object) -> None:
    """Check that something is a client.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not hasattr(client, "transport"):
        kind = type(client).__name__
        raise TypeError(f"Expected a client, orthanc_lab.Client(url) or Client.from_server(server), not {kind}")


def check_frame(frame: object, columns: Iterable[str], source: str) -> None:
    """Check that something is a frame with columns; `source` is the function that makes such frames.

    Raises
    ------
    TypeError
        If it is no frame.
    ValueError
        If a column is missing.
    """
    if not hasattr(frame, "columns"):
        raise TypeError(f"Expected a frame as {source} returns it, not {type(frame).__name__}")
    for name in columns:
        if name not in frame.columns:
            raise ValueError(f"Expected a frame as {source} returns it; this one has no column {name!r}")
