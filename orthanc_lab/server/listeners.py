"""What a server listens with: HTTP is one, DICOM over TCP can be another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from orthanc_lab.server.assembly import Assembly

__all__ = ["Listener"]


class Listener(Protocol):
    """Takes requests from clients and lets an assembled server answer them.

    The server calls `start`, any number of times `replace`, then `refuse` and `stop`; after a reset it starts again.
    The last two may also be called on a listener that has not started.
    """

    def start(self, assembly: Assembly) -> None:
        """Begin to serve; clients can connect when this returns.

        Raises
        ------
        OrthancError
            If the address cannot be used.
        """
        ...

    def replace(self, assembly: Assembly) -> None:
        """Let another assembly answer from now on, at the same address and without a gap."""
        ...

    def refuse(self) -> None:
        """Accept no further clients; requests in progress continue."""
        ...

    def stop(self) -> None:
        """Let requests in progress end, and release the address."""
        ...
