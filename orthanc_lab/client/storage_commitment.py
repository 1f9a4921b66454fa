"""Storage commitment: what a node has taken responsibility for."""

from __future__ import annotations

import time
from typing import Any

from orthanc_lab.client import display
from orthanc_lab.client.arguments import check_seconds, segment
from orthanc_lab.client.errors import ClientError
from orthanc_lab.client.transport import Transport

__all__ = ["StorageCommitment"]

_PAUSE = 0.1  # seconds between two looks


class StorageCommitment:
    """A request for storage commitment; made by `Modality.storage_commitment`.

    Attributes
    ----------
    id
        UID of the transaction.

    Examples
    --------
    >>> StorageCommitment(client.transport, "1.2.3").path
    '/storage-commitment/1.2.3'
    """

    def __init__(self, transport: Transport, id: str) -> None:
        self._transport = transport
        self.id = id

    @property
    def path(self) -> str:
        """Path on the server, ``/storage-commitment/…``."""
        return f"/storage-commitment/{segment(self.id, 'An identifier')}"

    @property
    def report(self) -> dict[str, Any]:
        """The node's report so far: ``Status`` (Pending, Success or Failure), ``Success``, ``Failures``."""
        return self._transport.object(self.path)

    @property
    def status(self) -> str:
        """``Pending``, ``Success`` or ``Failure``."""
        return str(self.report["Status"])

    def wait(self, timeout: float = 60.0) -> dict[str, Any]:
        """Wait for the node's report, and return it.

        Raises
        ------
        ClientError
            If it does not come in time.
        TypeError
            If `timeout` is not a number.
        """
        check_seconds("timeout", timeout)
        end = time.monotonic() + timeout
        while (report := self.report)["Status"] == "Pending":
            if time.monotonic() > end:
                raise ClientError(
                    f"{report['RemoteAET']} has sent no report of storage commitment within {timeout:g} s.\n"
                    "It must know the AE title and the address of this server; call wait() again, or ask it again."
                )
            time.sleep(_PAUSE)
        return report

    def remove(self) -> None:
        """Delete the instances from the server that the node has taken responsibility for. This cannot be undone."""
        self._transport.send("POST", f"{self.path}/remove", data=b"")

    def __repr__(self) -> str:
        try:
            report = self.report
            counts = f"{len(report['Success'])} kept, {len(report['Failures'])} missing"
            return f"<StorageCommitment by {report['RemoteAET']}: {report['Status']}, {counts}>"
        except ClientError as error:
            return f"<StorageCommitment {self.id} ({type(error).__name__})>"

    def _repr_html_(self) -> str:
        return display.guarded(lambda: display.card("Storage commitment", self.report))
