"""The charts' side in the kernel: what is sent, and what a late view gets."""

from __future__ import annotations

from array import array
from math import isnan, nan

import pytest

from orthanc_lab.widgets.elements.line_charts import Chart, LineCharts

JOBS = Chart("Jobs", "", {"running": "running", "pending": "pending"})


@pytest.fixture
def charts(monkeypatch):
    said = []
    monkeypatch.setattr(LineCharts, "send", lambda self, content, buffers=None: said.append((content, buffers)))
    made = LineCharts(label="Load", capacity=3)
    made.said = said
    return made


def numbers(buffer):
    return array("d", buffer).tolist()


def test_a_sample_is_one_message_and_a_gap_is_null(charts):
    charts.show([JOBS], [])
    charts.said.clear()
    charts.add(1.0, {"running": 2.0})
    assert charts.said == [({"kind": "one", "time": 1.0, "values": [2.0, None]}, None)]


def test_a_new_view_gets_all(charts):
    charts.show([JOBS], [(0.0, {"pending": 1.0})])
    charts.add(1.0, {"running": 2.0, "pending": nan})
    charts.said.clear()
    charts._handle_custom_msg({"kind": "view"}, [])
    [(content, buffers)] = charts.said
    assert content == {"kind": "all", "charts": [{"title": "Jobs", "unit": "", "lines": ["running", "pending"]}]}
    times, running, pending = map(numbers, buffers)
    assert times == [0.0, 1.0]
    assert isnan(running[0])
    assert running[1] == 2.0
    assert pending[0] == 1.0
    assert isnan(pending[1])


def test_without_samples_the_columns_are_empty(charts):
    charts.show([JOBS], [])
    assert charts.said[-1][1] == [b"", b"", b""]


def test_the_oldest_go(charts):
    charts.show([JOBS], [(float(time), {}) for time in range(5)])
    assert [time for time, _ in charts.samples] == [2.0, 3.0, 4.0]
    charts.add(5.0, {})
    assert [time for time, _ in charts.samples] == [3.0, 4.0, 5.0]
