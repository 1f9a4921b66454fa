"""The charts' side in the kernel: what is sent, and what a late view gets."""

from __future__ import annotations

from array import array
from math import isnan, nan

import pytest

from orthanc_lab.widgets.elements.line_charts import Chart, LineCharts
from tests.programs import program
from tests.widgets.javascript import Script

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


@pytest.fixture(scope="module")
def js():
    script = Script(program("node"), "chart_parts/numbers")
    yield script
    script.close()


@pytest.mark.parametrize(
    ("value", "unit", "words"),
    [
        (54_123_456, "bytes/s", "54.1 MB/s"),
        (7.25, "bytes/s", "7.25 bytes/s"),
        (12_345, "bytes", "12.3 kB"),
        (12_345, "1/s", "12.3 k/s"),
        (3, "1/s", "3 1/s"),
        (12_345.6, "ms", "12,346 ms"),
        (7074, "", "7074"),
        (1_234_567, "", "1.23 M"),
        (None, "ms", "–"),
    ],
)
def test_values_in_words(js, value, unit, words):
    assert js("valueText(value ?? NaN, unit)", value=value, unit=unit) == words


def test_lines_that_are_compared_begin_at_zero(js):
    assert js("axisRange(5012, 7074, 2)") == [0, 7074]
    assert js("axisRange(5012, 5074, 1)") == [5012, 5074]
    assert js("axisRange(-3, 7, 2)") == [-3, 7]
    assert js("axisRange(0, 0, 2)") == [0, 1]
    assert js("axisRange(Infinity, -Infinity, 2)") == [0, 1]
