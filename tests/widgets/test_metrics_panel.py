"""The metrics panel, without a browser."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from math import isnan, nan

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab import Client, frames, samples
from orthanc_lab.frames.metric_table import Scrape, metrics_frame
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.widgets import MetricsPanel
from orthanc_lab.widgets.metrics.metric_lines import charts_of, families_of, samples_of
from tests.examples import examples
from tests.widgets.dropping import settle


@pytest.fixture
def panel(client):
    made = MetricsPanel(client, clock=ManualClock())
    yield made
    made.close()


def look(panel, count=1):
    for _ in range(count):
        panel.clock.advance(1)
        panel.refresh()


def last(panel):
    keys = [key for chart in panel.charts.charts for key in chart.lines]
    return dict(zip(keys, panel.charts.samples[-1][1], strict=True))


def test_each_look_is_a_sample(panel, study):
    look(panel, 2)
    assert len(panel.charts.samples) == 3
    assert last(panel)["orthanc_count_studies"] == 1
    assert panel.status.text == ""


def test_counters_are_shown_as_rates(panel, client):
    look(panel)
    client.upload(samples.path("ct/soft_tissue"))
    look(panel)
    chart = next(chart for chart in panel.charts.charts if chart.title == "Disk traffic")
    assert chart.unit == "bytes/s"
    rates = frames.rates(panel.frame())
    expected = rates.loc[rates["name"] == "orthanc_storage_written_bytes", "value"].iloc[-1]
    assert last(panel)["orthanc_storage_written_bytes"] == pytest.approx(expected, nan_ok=True)


def test_families_are_chosen(panel, study):
    look(panel)
    for box in panel.boxes.values():
        box.value = False
    assert panel.charts.charts == ()
    panel.boxes["Stored data"].value = True
    assert [chart.title for chart in panel.charts.charts] == ["Stored data"]
    assert panel.families == ["Stored data"]
    assert len(panel.charts.samples) == 2


def test_a_pause_stops_the_charts_and_not_the_recording(panel):
    panel.pause.value = True
    look(panel, 2)
    assert len(panel.charts.samples) == 1
    assert panel.frame()["time"].nunique() == 3
    panel.pause.value = False
    assert len(panel.charts.samples) == 3


def test_window_and_interval(panel):
    panel.window.value = 3600
    assert panel.charts.window == 3600
    panel.start()
    panel.rate.value = 10
    assert (panel.interval, panel.is_live) == (10, True)


def test_it_records_in_a_tab_in_the_background(panel):
    panel.is_in_front = False
    panel.status._handle_custom_msg({"view": "1", "here": True}, [])
    assert panel.is_live
    panel.status._handle_custom_msg({"view": "1", "here": False}, [])
    assert not panel.is_live


def test_a_missed_look_is_a_gap(panel):
    look(panel)
    panel.clock.advance(5)
    panel._poll_at(panel.clock.now() - timedelta(seconds=4), True)
    assert all(isnan(value) for value in last(panel).values())


def test_while_nobody_sees_it_there_is_a_gap(panel):
    look(panel)
    panel.clock.advance(60)
    panel.start()
    panel.stop()
    panel.refresh()
    gaps = [all(isnan(value) for value in values) for _, values in panel.charts.samples]
    assert gaps == [False, False, True, False]


def test_a_saved_notebook_has_the_last_values(panel, study):
    look(panel)
    assert '<td style="text-align:left">studies</td>' in panel._repr_mimebundle_()["text/html"]


def test_metrics_that_are_switched_off_are_said_and_switched_on(panel, client):
    client.transport.send("PUT", "/tools/metrics", data="0")
    look(panel)
    assert "switched off" in panel.status.text
    assert panel.switch_on.layout.display == ""
    assert isnan(last(panel)["orthanc_count_studies"])
    panel.clock.advance(1)
    panel.switch_on.click()
    settle(panel)
    assert panel.status.text == "The metrics are switched on."
    assert panel.switch_on.layout.display == "none"
    assert last(panel)["orthanc_count_studies"] == 0


def test_a_dead_server_is_a_gap_that_is_said_and_ends():
    with orthanc_lab.serve(process=True) as server:
        panel = MetricsPanel(Client.from_server(server), clock=ManualClock())
        server.kill()
        look(panel)
        assert panel.status.is_warning
        assert "No Orthanc answers" in panel.status.text
        server.restart()
        look(panel, 2)
        assert panel.status.text == "The server is back."
        up = panel.frame().query("name == 'orthanc_jobs_running'")["value"].tolist()
        assert [isnan(value) for value in up] == [False, True, False, False]
        panel.close()


@pytest.mark.parametrize("name", ["metrics.parquet", "metrics.csv"])
def test_the_recording_is_saved(panel, tmp_path, name):
    look(panel)
    panel.save(tmp_path / name)
    settle(panel)
    assert f"2 samples to {tmp_path / name}" in panel.status.text
    assert len(frames.load(tmp_path / name)) == len(panel.frame())


def test_a_bad_file_name_is_said(panel, tmp_path):
    panel.save(tmp_path / "metrics.txt")
    settle(panel)
    assert "must end in .parquet or .csv" in panel.status.text


NAMES = ("orthanc_storage_read_bytes", "orthanc_up_time_s", "orthanc_jobs_running", "orthanc_storage_cache_hit_count")
READINGS = st.dictionaries(st.tuples(st.sampled_from(NAMES), st.just("")), st.tuples(st.integers(0, 99), st.just(nan)))


@examples(40)
@given(st.lists(READINGS, min_size=1, max_size=8))
def test_one_by_one_samples_are_those_of_all_together(readings):
    start = datetime(2026, 1, 1, tzinfo=UTC)
    scrapes = [Scrape(start + timedelta(seconds=0.1 * number), row) for number, row in enumerate(readings)]
    together = samples_of(scrapes)
    one_by_one = [samples_of(scrapes[max(0, number - 1) : number + 1])[-1] for number in range(len(scrapes))]
    assert one_by_one == together
    rates = frames.rates(metrics_frame(scrapes)).pivot_table(
        index="time", columns="name", values="value", observed=True
    )
    for name in rates:
        for (_, row), expected in zip(together, rates[name].reindex([scrape.time for scrape in scrapes]), strict=True):
            np.testing.assert_equal(row.get(name, nan), expected)


def test_charts_are_in_the_order_of_the_families():
    keys = {("orthanc_up_time_s", ""), ("orthanc_jobs_failed", ""), ("x_total", '{a="1"}'), ("x_total", '{a="2"}')}
    assert families_of(keys) == ["Jobs", "Up time", "Other"]
    charts = charts_of(keys, families_of(keys))
    assert [(chart.title, chart.unit) for chart in charts] == [("Jobs", ""), ("Up time", "s"), ("Other", "1/s")]
    assert charts[2].lines == {'x_total{a="1"}': 'x total{a="1"}', 'x_total{a="2"}': 'x total{a="2"}'}
