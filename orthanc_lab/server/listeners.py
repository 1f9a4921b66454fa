"""What a server listens with: HTTP is one, DICOM over TCP can be another."""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Protocol

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

if TYPE_CHECKING:
    from orthanc_lab.server.assembly import Assembly

__all__ = ["Listener", "cannot_listen"]


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


def cannot_listen(option: str, address: str, port: int, cause: Exception) -> OrthancError:
    """Return the error for an address on which nothing can listen, with a note that says what to do.

    Parameters
    ----------
    option
        That names the port: ``HttpPort`` or ``DicomPort``.
    cause
        What the system said.
    """
    code = ErrorCode.HTTP_PORT_IN_USE if option == "HttpPort" else ErrorCode.DICOM_PORT_IN_USE
    number = getattr(cause, "errno", None)
    if isinstance(cause, ValueError) or number == errno.EADDRNOTAVAIL:
        return OrthancError(code, f" (port = {port}): {address} is not an IP address of this machine")
    error = OrthancError(code, f" (port = {port})")
    other = f'Choose another port ("{option}"; 0 takes any free one)'
    is_used = number == errno.EADDRINUSE
    error.add_note(f"{other}, or stop the program that uses this one." if is_used else f"{other}: {cause}.")
    return error
