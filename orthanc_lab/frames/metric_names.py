"""What the name of a metric reveals: its family, its unit, and whether it is a counter."""

from __future__ import annotations

import re
from functools import cache

from orthanc_lab.protocol.metrics import POLICIES, MetricPolicy

__all__ = ["FAMILIES", "family_of", "kind_of", "short_name", "unit_of"]

_FAMILIES = (
    (r"_lab_cluster_", "Cluster"),
    (r"_count_(patients|studies|series|instances)$", "Resources"),
    (r"_(disk|uncompressed)_size_mb$", "Stored data"),
    (r"_storage_(read|written)_bytes$", "Disk traffic"),
    (r"_jobs_", "Jobs"),
    (r"_duration_ms$", "Durations"),
    (r"_(active|available)_", "Requests and threads"),
    (r"_cache_(hit|miss)_count$", "Cache hits and misses"),
    (r"_cache_count$", "Cached items"),
    (r"_cache_size_mb$", "Cache size"),
    (r"_last_change$", "Last change"),
    (r"_up_time_s$", "Up time"),
)
FAMILIES = tuple(family for _, family in _FAMILIES)
"""The families in the order in which charts show them; others come last."""

_UNITS = (("_ms", "ms"), ("_mb", "MiB"), ("_bytes", "bytes"), ("_bytes_total", "bytes"), ("_s", "s"), ("_seconds", "s"))
_KIND = {MetricPolicy.INCREMENT: "counter", MetricPolicy.MAX_OVER_10_SECONDS: "maximum", MetricPolicy.DIRECTLY: "gauge"}


@cache
def family_of(name: str) -> str:
    """Return the family of a metric; all metrics of a family share a unit."""
    for pattern, family in _FAMILIES:
        if re.search(pattern, name):
            return family
    unit = unit_of(name)
    return f"Other ({unit})" if unit else "Other"


@cache
def unit_of(name: str) -> str:
    """Return the unit of a metric, "" for a plain number."""
    return next((unit for suffix, unit in _UNITS if name.endswith(suffix)), "")


@cache
def kind_of(name: str) -> str:
    """Return ``counter``, ``gauge``, or ``maximum`` (over at least 10 s, Orthanc's MaxOver10Seconds)."""
    if name in POLICIES:
        return _KIND[POLICIES[name]]
    return "counter" if name.endswith("_total") else "gauge"


def short_name(name: str) -> str:
    """Return a short name for the legend, without what the panel's title already says."""
    text = name.removeprefix("orthanc_")
    unit = next((suffix for suffix, _ in _UNITS if text.endswith(suffix)), "")
    text = text.removesuffix(unit).removesuffix("_duration").removesuffix("_count")
    return (
        text.removeprefix("count_")
        .removeprefix("jobs_")
        .removeprefix("lab_cluster_")
        .replace("_", " ")
        .replace("rest api", "REST")
    )
