"""Which server runs each job, where several share the list."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.client import Client, NoClusterError

__all__ = ["JobServers"]


class JobServers:
    """Asks for the servers of jobs, until it is known that there are no others.

    Attributes
    ----------
    are_several
        Whether there was more than one server at any time.

    Examples
    --------
    >>> servers = JobServers(client)
    >>> servers.look(), servers.are_several
    ({}, False)
    """

    def __init__(self, client: Client) -> None:
        self._client = client
        self._may_be_shared = True
        self.are_several = False

    def look(self) -> Mapping[str, str]:
        """Return the name of the server of each job that is known."""
        if not self._may_be_shared:
            return {}
        try:
            cluster = self._client.cluster()
        except NoClusterError:
            self._may_be_shared = False
            return {}
        self._may_be_shared = cluster.is_shared
        self.are_several = self.are_several or len(cluster.servers) > 1
        return cluster.jobs
