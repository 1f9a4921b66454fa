"""Scraped metrics as line charts: one chart for each family, counters as rates."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from math import isfinite

from orthanc_lab.frames.counters import rates
from orthanc_lab.frames.metric_names import FAMILIES, family_of, kind_of, short_name, unit_of
from orthanc_lab.frames.metric_table import Scrape, metrics_frame
from orthanc_lab.widgets.elements.line_charts import Chart

__all__ = ["charts_of", "families_of", "keys_of", "samples_of"]


def keys_of(scrapes: Iterable[Scrape]) -> set[tuple[str, str]]:
    """Return the name and labels of each metric in the scrapes."""
    return {key for scrape in scrapes for key in scrape.readings}


def families_of(keys: Iterable[tuple[str, str]]) -> list[str]:
    """Return the families, in the order in which charts show them."""
    order = {family: number for number, family in enumerate(FAMILIES)}
    return sorted({family_of(name) for name, _ in keys}, key=lambda family: (order.get(family, len(order)), family))


def charts_of(keys: Collection[tuple[str, str]], families: Collection[str]) -> list[Chart]:
    """Return a chart for each family that has a metric."""
    charts = []
    for family in families_of(keys):
        members = sorted(key for key in keys if family_of(key[0]) == family)
        if family in families:
            name = members[0][0]
            unit = unit_of(name)
            if kind_of(name) == "counter":
                unit = f"{unit or '1'}/s"
            charts.append(Chart(family, unit, {"".join(key): f"{short_name(key[0])}{key[1]}" for key in members}))
    return charts


def samples_of(scrapes: Sequence[Scrape]) -> list[tuple[float, dict[str, float]]]:
    """Return Unix time and values of each scrape: counters as rates since the previous scrape, no values in a gap."""
    frame = metrics_frame(scrapes)
    values: dict[datetime, dict[str, float]] = {scrape.time: {} for scrape in scrapes}
    for part in (frame[frame["kind"] != "counter"], rates(frame)):
        for time, name, labels, value in zip(part["time"], part["name"], part["labels"], part["value"], strict=True):
            if isfinite(value):
                values[time][name + labels] = value
    return [(time.timestamp(), row) for time, row in values.items()]
