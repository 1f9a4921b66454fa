"""What callers pass."""

from __future__ import annotations

__all__ = ["check_client"]


def check_client(client: object) -> None:
    """Check that something is a client.

    Raises
    ------
    TypeError
        If it is not.
    """
    if not hasattr(client, "transport"):
        kind = type(client).__name__
        raise TypeError(f"Expected a client, orthanc_lab.Client(url) or Client.from_server(server), not a {kind}")
