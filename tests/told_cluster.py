"""A server that says of its cluster what a test tells it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from wsgiref.types import WSGIApplication

from orthanc_lab.protocol.cluster import Cluster, ClusterServer, TakeOver
from orthanc_lab.rest.application import make_application
from orthanc_lab.rest.services import Services
from orthanc_lab.server.environment import Environment

NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)


class ToldCluster:
    """Goes into ``serve(faults=…)``; what `cluster` holds is what the server then says."""

    def __init__(self) -> None:
        self.cluster = cluster()

    def around(self, environment: Environment) -> Environment:
        """Return the environment that the server gets."""

        def application(usual: WSGIApplication, services: Services) -> WSGIApplication:
            return make_application(replace(services, cluster=lambda: self.cluster))

        return replace(environment, application=application)


def cluster(*running: str, taken: tuple[TakeOver, ...] = (), queue: int = 0, bert: float = 1.5) -> Cluster:
    """Return a cluster of Anna, who is asked and runs these jobs, and Bert."""
    servers = (
        ClusterServer("a", "Anna", 1, "http://10.0.0.1:8042", 2.4, running, is_self=True),
        ClusterServer("b", "Bert", 2, "http://10.0.0.2:8042", bert, (), is_self=False),
    )
    jobs = {**dict.fromkeys(running, "Anna"), **{take.job: take.to_server for take in taken}}
    return Cluster(servers, taken, queue, jobs, len(taken), 3.0)
