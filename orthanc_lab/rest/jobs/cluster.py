"""The servers that share the list of jobs: ``/orthanc-lab/cluster``, which Orthanc has not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from orthanc_lab.protocol.cluster import Cluster, ClusterServer, cluster_document
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.rest.http.answers import answer_json
from orthanc_lab.rest.server.system import server_identifier
from orthanc_lab.rest.services import Services

if TYPE_CHECKING:
    import falcon

__all__ = ["ROUTES", "Servers"]


class Servers:
    """All servers that run the jobs of this list."""

    def __init__(self, services: Services) -> None:
        self._cluster = services.cluster or Alone(services).cluster

    def on_get(self, req: falcon.Request, resp: falcon.Response) -> None:
        """Answer the servers with their leases and jobs, who took over from whom, and how many jobs wait."""
        answer_json(req, resp, cluster_document(self._cluster()))


class Alone:
    """A server that shares its jobs with nobody."""

    def __init__(self, services: Services) -> None:
        self._settings = services.settings
        self._engine = services.engine

    def cluster(self) -> Cluster:
        """Return a cluster of this one server, which needs no lease."""
        settings = self._settings
        name = settings["Name"] or settings["DicomAet"]
        running = [view.id for view in self._engine.views() if view.state is JobState.RUNNING]
        server = ClusterServer(server_identifier(settings), name, 0, "", None, running=tuple(running), is_self=True)
        queue = self._engine.counts()[JobState.PENDING]
        return Cluster((server,), (), queue, dict.fromkeys(running, name))


ROUTES: Sequence[tuple[str, Callable[[Services], object]]] = (("/orthanc-lab/cluster", Servers),)
