"""Metrics: the text, recordings with outages, rates, wide and long."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.frames.metric_names import family_of, kind_of, unit_of
from orthanc_lab.protocol.metrics import POLICIES
from orthanc_lab.protocol.ports import ManualClock
from tests.frames.gates import GatedWait, SteppedWait

NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)


def values(frame, name):
    return frame.loc[frame["name"] == name, "value"].tolist()


def series_of(*numbers, name="orthanc_storage_read_bytes", step="10s", **others):
    times = pd.date_range(NOON, periods=len(numbers), freq=step)
    return frames.long(pd.DataFrame({name: numbers, **others}, index=times, dtype="float64"))


def test_each_metric_is_a_row(filled):
    frame = frames.metrics(filled)
    assert frame["name"].is_unique
    assert set(frame["name"]) <= set(POLICIES)
    assert values(frame, "orthanc_count_instances") == [31]
    assert values(frame, "orthanc_storage_written_bytes")[0] > 0
    ages = frame["time"] - frame["updated"]
    assert ages.dt.total_seconds().between(-5, 60).all()
    assert frame["labels"].eq("").all()


def test_times_of_update_are_kept_to_the_millisecond():
    frame = frames.read_text('a 1 1767225600123\nb{x="1",c="ü"} NaN\nc +Inf 5\n', NOON)
    assert frame["updated"][0] == pd.Timestamp("2026-01-01T00:00:00.123Z")
    assert frame["updated"].isna().tolist() == [False, True, False]
    assert frame["labels"].tolist() == ["", '{c="ü", x="1"}', ""]
    assert frame["value"].tolist()[2] == float("inf")


@pytest.mark.parametrize("text", ["orthanc_jobs_running 2 17672", "a b c d\n", "<html>\n", "a one\n"])
def test_a_text_that_is_cut_off_or_no_metrics_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        frames.read_text(text, NOON)


@pytest.mark.parametrize("text", ['a{="x"} 1\n', f"a 1 {'9' * 400}\n", f"a {'9' * 400}\n"])
def test_a_text_on_which_the_parser_stumbles_is_refused(text):
    with pytest.raises(ValueError, match=r"."):
        frames.read_text(text, NOON)


@pytest.mark.parametrize("label", ['b="' + '\\"' * 5000 + '"', ",".join(f'b{number}="x"' for number in range(2000))])
def test_a_line_that_no_metric_needs_is_refused(label):
    """The parser's time grows with the square of the length."""
    with pytest.raises(ValueError, match="has more than 8192 characters"):
        frames.read_text(f"a{{{label}}} 1\n", NOON)


@pytest.mark.parametrize("moment", ["1767225600000000000000000", "-1767225600000000000000000", "1e300"])
def test_times_of_update_that_have_no_place_in_a_column_are_left_out(moment):
    frame = frames.read_text(f"a 1 {moment}\n", NOON)
    assert frame["value"].tolist() == [1.0]
    assert frame["updated"].isna().all()


def test_more_metrics_than_fit_into_16_bits():
    text = "".join(f"metric_{number} {number}\n" for number in range(33_000))
    assert len(frames.read_text(text, NOON)) == 33_000


def test_every_metric_of_orthanc_has_a_family_and_a_unit():
    assert {name for name in POLICIES if family_of(name).startswith("Other")} == set()
    assert unit_of("orthanc_disk_size_mb") == "MiB"
    assert unit_of("orthanc_jobs_failed") == ""
    assert kind_of("orthanc_storage_cache_hit_count") == "counter"
    assert kind_of("something_total") == "counter"
    for family in {family_of(name) for name in POLICIES}:
        assert len({unit_of(name) for name in POLICIES if family_of(name) == family}) == 1, family


def test_a_recording_has_a_scrape_at_each_time(filled):
    clock = ManualClock(NOON)
    frame = frames.record(filled, interval=0.5, duration=2, clock=clock, wait=SteppedWait(clock))
    assert sorted(set(frame["time"])) == [pd.Timestamp(NOON + timedelta(seconds=0.5 * n)) for n in range(5)]
    assert values(frame, "orthanc_count_instances") == [31] * 5


def test_further_scrapes_are_waited_for(filled):
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    with frames.Recorder(filled, capacity=1, clock=clock, wait=wait) as recorder, ThreadPoolExecutor(1) as pool:
        wait.looked()
        with pytest.raises(TimeoutError, match=r"0 of 2 scrapes arrived in 0\.01 s"):
            recorder.wait_for(2, timeout=0.01)
        waiting = pool.submit(recorder.wait_for, 2)
        further = 0
        while not waiting.done():
            wait.next()
            further += 1
        waiting.result()
    assert further >= 2
    with pytest.raises(RuntimeError, match=r"is not running: call start\(\)"):
        recorder.wait_for(1)


@pytest.mark.parametrize(("interval", "capacity"), [(0, 1), (-1, 1), (float("nan"), 1), (1, 0)])
def test_impossible_settings_are_refused(filled, interval, capacity):
    with pytest.raises(ValueError, match="must be"):
        frames.Recorder(filled, interval, capacity)
    with pytest.raises(TypeError, match="interval is a number of seconds, such as 60, not '1s'"):
        frames.Recorder(filled, "1s")


def test_metrics_that_are_switched_off_are_a_gap_that_says_why(filled):
    filled.transport.send("PUT", "/tools/metrics", data="0")
    assert len(frames.metrics(filled)) == 0
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    with frames.Recorder(filled, clock=clock, wait=wait) as recorder:
        wait.looked()
        assert "switched off" in recorder.gap
        filled.transport.send("PUT", "/tools/metrics", data="1")
        wait.next()
        assert recorder.gap == ""
    assert np.isnan(values(recorder.frame(), "orthanc_count_instances")).tolist() == [True, False]


def test_an_interrupt_returns_what_there_is(orthanc):
    clock = ManualClock(NOON)

    def interrupted(stop: threading.Event, seconds: float) -> bool:
        clock.advance(seconds)
        if clock.monotonic() > 2:
            raise KeyboardInterrupt
        return False

    client = orthanc_lab.Client.from_server(orthanc)
    assert frames.record(client, 1, 100, clock=clock, wait=interrupted)["time"].nunique() == 3


def test_an_outage_is_a_gap_and_a_restart_a_reset(tmp_path):
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    with orthanc_lab.serve(folder=tmp_path / "data") as server:
        port = server.port
        client = orthanc_lab.Client(server.url)
        client.upload(samples.path("ct/soft_tissue"))
        recorder = frames.Recorder(client, 1.0, clock=clock, wait=wait).start()
        wait.looked()
        wait.next()
    wait.next()
    assert "No Orthanc answers" in recorder.gap
    with orthanc_lab.serve(folder=tmp_path / "data", HttpPort=port) as server:
        client.upload(samples.path("mr"))
        wait.next()
        client.upload(samples.path("ct/sharp"))
        wait.next()
        recorder.close()
    assert not recorder.is_running
    frame = recorder.frame()
    counts = values(frame, "orthanc_count_instances")
    assert counts[:2] == [20, 20]
    assert np.isnan(counts[2])
    assert counts[4] - counts[3] == 10
    assert frame.groupby("time")["value"].count().eq(0).tolist() == [False, False, True, False, False]
    rate = values(frames.rates(frame), "orthanc_storage_written_bytes")
    assert np.isnan(rate).tolist() == [True, False, True, True, False]
    assert rate[1] == 0
    assert rate[4] > 300_000


def test_a_look_that_comes_late_leaves_a_gap(orthanc):
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    client = orthanc_lab.Client.from_server(orthanc)
    get = client.transport.send

    def slow(*arguments, **options):
        if clock.monotonic() == 1:
            clock.advance(3.5)
        return get(*arguments, **options)

    client.transport.send = slow
    with frames.Recorder(client, 1.0, clock=clock, wait=wait) as recorder:
        assert wait.looked() == 1
        assert wait.next() == 0.5
        assert wait.next() == 1
    offsets = [(scrape.time - NOON).total_seconds() for scrape in recorder.scrapes]
    assert offsets == [0, 1, 2, 5]
    assert [bool(scrape.reason) for scrape in recorder.scrapes] == [False, False, True, False]


def test_the_ring_keeps_the_last_ones(orthanc):
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    with frames.Recorder(orthanc_lab.Client.from_server(orthanc), 1.0, capacity=3, clock=clock, wait=wait) as recorder:
        wait.looked()
        for _ in range(4):
            wait.next()
        assert len(recorder) == 3
        assert "3 scrapes, every 1 s" in repr(recorder)
        assert recorder.frame()["time"].min() == pd.Timestamp(NOON + timedelta(seconds=2))
        recorder.clear()
        assert len(recorder.frame()) == 0
    assert threading.active_count() == len(threading.enumerate())
    assert not [thread for thread in threading.enumerate() if thread.name == "orthanc-lab frames"]


def test_a_start_right_after_an_end_goes_on(orthanc):
    clock = ManualClock(NOON)
    wait = GatedWait(clock)
    client = orthanc_lab.Client.from_server(orthanc)
    get, begun, go = client.transport.send, threading.Event(), threading.Event()

    def slow(*arguments, **options):
        begun.set()
        assert go.wait(20)
        return get(*arguments, **options)

    client.transport.send = slow
    recorder = frames.Recorder(client, 1.0, clock=clock, wait=wait).start()
    assert begun.wait(20)
    recorder.end()
    recorder.start()
    go.set()
    wait.looked()  # of the poll that was in progress
    wait.looked()
    wait.next()
    assert len(recorder) == 3
    recorder.close()
    assert not recorder.is_running


def test_a_recorder_without_a_thread_is_closed_and_started_again(orthanc, monkeypatch):
    recorder = frames.Recorder(orthanc_lab.Client.from_server(orthanc))

    def refuse(thread):
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", refuse)
        with pytest.raises(RuntimeError, match="can't start"):
            recorder.start()
    recorder.close()
    with recorder:
        recorder.wait_for(1)


def test_what_nobody_expected_is_raised_at_the_end(orthanc):
    client = orthanc_lab.Client.from_server(orthanc)

    def broken(*_: object, **__: object):
        raise RuntimeError("a bug")

    client.transport.send = broken
    recorder = frames.Recorder(client).start()
    recorder._thread.join(20)
    with pytest.raises(RuntimeError, match="a bug"):
        recorder.close()
    recorder.close()


def test_rates():
    assert frames.rates(series_of(0, 100, 100, 400))["value"].tolist()[1:] == [10, 0, 30]
    assert set(frames.rates(series_of(0, 1))["unit"]) == {"bytes/s"}
    assert set(frames.rates(series_of(0, 1, name="orthanc_storage_cache_hit_count"))["unit"]) == {"1/s"}
    assert len(frames.rates(series_of(1, 2, name="orthanc_jobs_failed"))) == 0
    assert frames.rates(series_of(1, 21, name="other"), counters=["other"])["value"].tolist()[1] == 2


def test_a_reset_is_seen_by_the_counter_or_by_the_up_time():
    assert frames.rates(series_of(500, 600, 50))["value"].tolist()[1:] == [10, 5]
    young = series_of(500, 900, 1000, orthanc_up_time_s=[100, 3, 13])
    assert frames.rates(young)["value"].tolist()[1:] == [90, 10]


def test_nothing_is_invented_in_a_gap():
    rate = frames.rates(series_of(0, 100, np.nan, 300, 400))["value"]
    assert rate.isna().tolist() == [True, False, True, True, False]


@given(st.lists(st.floats(0, 1e12), min_size=2, max_size=30))
def test_a_rate_is_never_negative_and_sums_up(numbers):
    rate = frames.rates(series_of(*numbers))["value"].dropna()
    assert (rate >= 0).all()
    if sorted(numbers) == numbers:
        assert rate.sum() * 10 == pytest.approx(numbers[-1] - numbers[0], abs=1e-2)


def test_wide_and_long_are_each_others_inverse(filled):
    clock = ManualClock(NOON)
    frame = frames.record(filled, interval=1, duration=3, clock=clock, wait=SteppedWait(clock))
    table = frames.wide(frame)
    assert table.shape == (4, frame["name"].nunique())
    back = frames.long(table)
    pd.testing.assert_frame_equal(back.drop(columns="updated"), frame.drop(columns="updated"), check_categorical=False)


def test_wide_tells_labels_apart():
    frame = frames.read_text('a{x="1"} 1\na{x="2"} 2\nb 3\n', NOON)
    table = frames.wide(frame)
    assert table.columns.tolist() == ['a{x="1"}', 'a{x="2"}', "b"]
    assert frames.long(table)["labels"].tolist() == frame["labels"].tolist()
