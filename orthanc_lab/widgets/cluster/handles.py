"""The servers of a cluster that this program started."""

from __future__ import annotations

from orthanc_lab.client import Client, ClientError
from orthanc_lab.client.cluster import Cluster
from orthanc_lab.widgets.controlled_server import ControlledServer

__all__ = ["Handle"]

_TIMEOUT = 5.0  # seconds


class Handle:
    """A server of the cluster that can be started, and killed if it is a process of its own.

    Parameters
    ----------
    server
        What `orthanc_lab.serve` returned.
    text
        Python for it.
    """

    def __init__(self, server: ControlledServer, text: str) -> None:
        self.server = server
        self.text = text
        self.client = Client.from_server(server).without_retries(_TIMEOUT)
        self._name = ""

    @property
    def name(self) -> str:
        """Its name in the cluster, as it said itself; until it has done so, what its options say."""
        return self._name or str(self.server.settings["Name"] or self.server.url)

    def cluster(self) -> Cluster:
        """Return the cluster as this server sees it."""
        seen = self.client.cluster()
        if seen.me is not None:
            self._name = seen.me.name
        return seen

    def introduce(self) -> None:
        """Let the server say its name, once."""
        if not self._name and self.server.is_running:
            try:
                self.cluster()
            except ClientError:  # another time
                return
