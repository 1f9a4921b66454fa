"""A server's jobs, changes, resources and metrics, and the answers of DICOM nodes, as tidy pandas frames.

They need the extra ``frames``: ``pip install 'orthanc-lab[frames]'``. The charts are in `orthanc_lab.frames.charts`.
"""

import importlib
from types import ModuleType

from orthanc_lab.protocol.optional import needs_extra

with needs_extra("orthanc_lab.frames", "frames", "pandas", "prometheus_client"):
    from orthanc_lab.frames.answer_table import answers
    from orthanc_lab.frames.change_table import changes
    from orthanc_lab.frames.cluster_table import cluster
    from orthanc_lab.frames.columns import describe
    from orthanc_lab.frames.counters import long, rates, wide
    from orthanc_lab.frames.event_table import events
    from orthanc_lab.frames.files import load, save
    from orthanc_lab.frames.job_spans import job_spans
    from orthanc_lab.frames.job_table import jobs, jobs_frame
    from orthanc_lab.frames.job_watch import JobWatch
    from orthanc_lab.frames.metric_table import metrics, metrics_frame, read_text
    from orthanc_lab.frames.prometheus_server import PrometheusError, query_range
    from orthanc_lab.frames.recorder import Recorder, record
    from orthanc_lab.frames.resource_table import instances, patients, series, studies

__all__ = [
    "JobWatch",
    "PrometheusError",
    "Recorder",
    "answers",
    "changes",
    "cluster",
    "describe",
    "events",
    "instances",
    "job_spans",
    "jobs",
    "jobs_frame",
    "load",
    "long",
    "metrics",
    "metrics_frame",
    "patients",
    "query_range",
    "rates",
    "read_text",
    "record",
    "save",
    "series",
    "studies",
    "wide",
]


def __getattr__(name: str) -> ModuleType:
    if name == "charts":  # only then: it loads matplotlib
        return importlib.import_module(f"{__name__}.charts")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted([*__all__, "charts"])
