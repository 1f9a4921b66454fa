"""The workloads with PostgreSQL behind both servers, or behind ours alone, compared with ours on SQLite."""

from __future__ import annotations

from dataclasses import replace

from orthanc_lab.bench.workload import Workload
from orthanc_lab.bench.workloads import WORKLOADS

__all__ = ["COMPARED_WITH_SQLITE", "ON_POSTGRESQL"]

_GOALS = {
    "upload 4 kB, 1 client": 2.0,
    "upload 4 kB, 4 clients": 3.0,
    "upload CT 512 kB, 1 client": 1.2,
    "upload CT 512 kB, 4 clients": 1.2,
    "upload ZIP of 500 x 4 kB": 5.0,
    "find 1,000 studies, expanded": 2.0,
    "GET /jobs?expand, 10,000 jobs": 5.0,
    "archive of 200 CT, streamed": 15.0,
    "archive of 200 CT, job": 15.0,
}

ON_POSTGRESQL: list[Workload] = [
    replace(workload, target=_GOALS[workload.name]) for workload in WORKLOADS if workload.name in _GOALS
]
"""Against Orthanc with its plug-in on the same PostgreSQL."""

COMPARED_WITH_SQLITE: list[Workload] = [replace(workload, target=0) for workload in ON_POSTGRESQL]
"""One server on PostgreSQL against one on SQLite: what it costs, without a goal."""
