"""Charts: what they show, their words, and that nothing leaks."""

from __future__ import annotations

import io
import re
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.frames import charts
from orthanc_lab.frames.style import OKABE_ITO
from orthanc_lab.protocol.ports import ManualClock
from tests.frames.gates import SteppedWait
from tests.frames.test_spans import job


@pytest.fixture
def recorded(filled):
    clock = ManualClock()
    return frames.record(filled, 1, 5, clock=clock, wait=SteppedWait(clock))


@pytest.fixture
def jobs():
    return frames.jobs_frame(
        [job(str(n), n, n + 3, state="Failure" if n % 5 == 0 else "Success") for n in range(20)]
        + [job("paused", 0, 60, runtime=4.0)]
    )


def picture(chart):
    return np.asarray(Image.open(io.BytesIO(chart._repr_png_())).convert("L"))


def texts(axes):
    legend = axes.get_legend()
    return [text.get_text() for text in legend.get_texts()] if legend else []


def test_metrics_have_a_panel_for_each_family(recorded):
    shown = charts.metrics_over_time(recorded)
    titles = [axes.get_title(loc="left") for axes in shown]
    assert titles[:2] == ["Resources", "Stored data"]
    assert len(set(titles)) == len(titles)
    by_title = dict(zip(titles, shown, strict=True))
    assert by_title["Disk traffic"].get_ylabel() == "bytes per second"
    assert by_title["Stored data"].get_ylabel() == "MiB"
    assert texts(by_title["Jobs"]) == ["completed", "failed", "pending", "running", "success"]
    counts = {line.get_label(): line.get_ydata().tolist() for line in by_title["Resources"].lines}
    assert counts == {"instances": [31] * 6, "patients": [1] * 6, "series": [3] * 6, "studies": [1] * 6}
    assert all(line.get_color() in OKABE_ITO for axes in shown for line in axes.lines)
    assert picture(shown).std() > 5


def test_a_gap_breaks_the_line(recorded):
    times = sorted(set(recorded["time"]))
    recorded.loc[recorded["time"] == times[2], "value"] = np.nan
    (axes,) = charts.metrics_over_time(recorded, families=["Resources"])
    assert np.isnan(axes.lines[0].get_ydata()).tolist() == [False, False, True, False, False, False]


@pytest.mark.parametrize(
    ("name", "values", "begins_at_zero"),
    [
        ("orthanc_count_instances", [43, 43, 43, 43], True),
        ("orthanc_count_instances", [1000, 1002, 1009, 1010], False),  # ten new ones are to be seen
        ("orthanc_storage_written_bytes", [0, 330, 670, 1000], True),  # a rate that hardly changes
    ],
)
def test_small_changes_of_a_large_number_are_seen_and_nothing_else_is_stretched(name, values, begins_at_zero):
    times = pd.date_range("2026-01-01", periods=4, freq="10s", tz="UTC")
    (axes,) = charts.metrics_over_time(frames.long(pd.DataFrame({name: values}, index=times)))
    low, high = axes.get_ylim()
    assert (low == 0) == begins_at_zero
    assert low < axes.lines[0].get_ydata()[-1] < high


@pytest.mark.parametrize("seconds", [2, 5, 7, 9, 20, 45, 100, 300, 420, 540, 3000, 20_000])
def test_the_axis_of_time_has_a_few_ticks(seconds):
    times = pd.date_range("2026-01-01 11:59:57", periods=9, freq=f"{seconds / 8}s", tz="UTC")
    (axes,) = charts.metrics_over_time(frames.long(pd.DataFrame({"orthanc_last_change": range(9)}, index=times)))
    low, high = axes.get_xlim()
    assert 3 <= sum(low <= tick <= high for tick in axes.get_xticks()) <= 7


def test_the_timeline_has_a_row_for_each_worker(jobs):
    axes = charts.jobs_timeline(jobs, workers=3)
    labels = [label.get_text() for label in axes.get_yticklabels()]
    assert labels[:4] == ["worker 1", "worker 2", "worker 3", "paused"]
    assert axes.get_title(loc="left") == "Jobs by worker (inferred)"
    assert axes.get_xlabel() == "time (UTC)"
    bars = sum(len(collection.get_paths()) for collection in axes.collections[:3])
    assert bars == 21
    assert picture(axes).std() > 5


def test_a_worker_that_is_always_busy_looks_so_however_short_its_jobs_are():
    """Ten thousand bars of less than a pixel, whose white edges hid them."""
    starts = pd.Timestamp("2026-11-28T16:11:36Z") + pd.to_timedelta(np.arange(10_000), "ms")
    frame = pd.DataFrame({"id": [str(number) for number in range(10_000)], "type": "Archive", "state": "Running"})
    frame = frame.assign(start=starts, end=starts + pd.Timedelta("1ms"), worker=1, observed=True)
    shown = picture(charts.jobs_timeline(frame))
    assert shown[shown.shape[0] // 3, shown.shape[1] // 2] < 128


def test_the_timeline_by_name_shows_when_each_job_waited_and_ran(jobs):
    spans = frames.job_spans(jobs, workers=3)
    paused, other = spans[spans["state"] == "Paused"]["id"].iloc[0], spans["id"].iloc[0]
    axes = charts.jobs_timeline(spans, names={other: "research (priority -5)", paused: "emergency"})
    assert [label.get_text() for label in axes.get_yticklabels()] == ["research (priority -5)", "emergency"]
    legend = axes.get_legend()
    assert {"ran", "was paused"} <= {text.get_text() for text in legend.get_texts()}
    assert axes.get_title(loc="left") == "Jobs (inferred)"
    assert picture(axes).std() > 5
    assert charts.jobs_timeline(spans, names={"unknown": "x"}).texts[0].get_text() == "no jobs in this frame"


def test_ticks_say_the_whole_time_and_the_end_of_the_axis_the_date():
    times = pd.to_datetime(["2026-11-28T16:11:36Z", "2026-11-28T16:11:41Z"])
    frame = pd.DataFrame(
        {"id": ["1"], "type": "Archive", "state": "Running", "start": times[:1], "end": times[1:], "worker": 1}
    ).assign(observed=True)
    axes = charts.jobs_timeline(frame)
    axes.get_figure().draw_without_rendering()
    ticks = [label.get_text() for label in axes.get_xticklabels()]
    assert all(re.fullmatch(r"16:11:\d\d", tick) for tick in ticks), ticks
    assert axes.xaxis.get_offset_text().get_text() == "2026-11-28"


def test_throughput_counts_each_job_that_ended(jobs):
    upper, lower = charts.throughput(jobs)
    assert texts(upper) == ["success (17)", "failure (4)"]
    assert sum(patch.get_height() for patch in upper.containers[0]) == 17
    assert upper.get_ylabel() == "jobs per 2 s"
    assert [text.split(":")[0] for text in texts(lower)] == ["queued", "ran", "paused"]
    assert "median 56 s" in texts(lower)[2]


def test_growth_of_metrics_and_of_instances_agree(filled, recorded):
    for frame in (recorded, frames.instances(filled)):
        size, count = charts.storage_growth(frame)
        assert size.lines[0].get_ydata()[-1] == pytest.approx(int(filled.statistics["TotalDiskSize"]) / 2**20, rel=1e-6)
        assert count.lines[0].get_ydata()[-1] == 31
        assert (size.get_ylabel(), count.get_ylabel()) == ("MiB", "number")


def test_a_montage_shows_slices_by_their_window(filled):
    study = next(iter(filled.studies))
    shown = charts.montage(study, count=9, columns=3, window=(40, 400))
    assert len(shown) == 9
    titles = [axes.get_title() for axes in shown]
    assert titles[0] == "CT 1 · 1/1"
    assert titles[1].startswith("CT 2 · 1/20")
    assert titles[-1] == "CT 3 · 10/10"
    narrow = charts.montage(study.series[1], count=1, window=(40, 1))
    pixels = narrow[0].images[0].get_array()
    assert set(np.unique(pixels)) <= {0, 255}
    assert len(charts.montage(study, count=2)) == 2
    assert len(charts.montage(study.series[0], count=50)) == 1
    for wrong in ({"count": 0}, {"columns": 0}, {"window": (1, 0)}):
        with pytest.raises(ValueError, match="must be"):
            charts.montage(study, **wrong)
    for no_images in (filled, filled.studies.find()):
        with pytest.raises(TypeError, match=r"Expected a study, a series or a volume, not (Client|Found)"):
            charts.montage(no_images)


@pytest.mark.parametrize(
    ("takes", "source"),
    [
        (charts.jobs_timeline, "frames.jobs"),
        (charts.throughput, "frames.jobs"),
        (frames.job_spans, "frames.jobs"),
        (charts.metrics_over_time, "frames.record"),
        (charts.storage_growth, "frames.record or frames.instances"),
        (frames.rates, "frames.record"),
        (frames.wide, "frames.record"),
    ],
)
def test_what_is_another_frame(filled, takes, source):
    with pytest.raises(ValueError, match=f"Expected a frame as {source} returns it; this one has no column '"):
        takes(frames.studies(filled))
    with pytest.raises(TypeError, match=f"Expected a frame as {source} returns it, not Client"):
        takes(filled)


def test_a_montage_of_colors_speaks_of_no_window(filled):
    gray = charts.montage(filled.series.find(SeriesDescription="Soft tissue")[0], count=1)
    assert gray[0].figure.get_suptitle() == "Soft tissue (window as stored)"
    with orthanc_lab.in_process() as server:
        client = orthanc_lab.Client.from_server(server)
        picture = client.create_dicom(samples.path("chart.png"), {"SeriesDescription": "Chart"})
        (color,) = charts.montage(picture.series)
        assert color.figure.get_suptitle() == "Chart"


def test_a_montage_of_a_volume_shows_it_from_all_sides(filled):
    volume = next(iter(filled.studies)).series[1].volume()
    assert [axes.get_title() for axes in charts.montage(volume, count=2)] == ["slice 1/20", "slice 20/20"]
    (cut,) = charts.montage(volume, count=1, axis="row", window=(40, 400))
    drawn = cut.images[0]
    assert (drawn.get_array() == volume.array[::-1, 0]).all()  # the head is above
    assert drawn.get_clim() == (-160, 240)
    assert cut.get_aspect() == pytest.approx(volume.spacing[0] / volume.spacing[2])
    with pytest.raises(ValueError, match="axes slice, row, column"):
        charts.montage(volume, axis="z")


def test_what_has_no_picture_says_so(client):
    document = client.create_dicom(None, {"PatientName": "Text", "Modality": "SR"})
    (axes,) = charts.montage(document.series)
    assert axes.texts[0].get_text() == "no image"


@pytest.mark.parametrize("kind", ["timeline", "throughput", "metrics", "growth", "arrivals"])
def test_an_empty_frame_gives_a_chart_that_says_so(orthanc, kind):
    client = orthanc_lab.Client.from_server(orthanc)
    jobs, nothing = frames.jobs(client), frames.metrics_frame([])
    chart = {
        "timeline": lambda: charts.jobs_timeline(jobs),
        "throughput": lambda: charts.throughput(jobs),
        "metrics": lambda: charts.metrics_over_time(nothing),
        "growth": lambda: charts.storage_growth(nothing),
        "arrivals": lambda: charts.storage_growth(frames.instances(client)),
    }[kind]()
    first = chart[0] if isinstance(chart, tuple) else chart
    assert first.texts[0].get_text().startswith("no ")
    assert picture(chart).std() > 1


def test_own_axes_are_used(jobs):
    mine = Figure().add_subplot()
    assert charts.jobs_timeline(jobs, axes=mine) is mine


def test_the_same_chart_gives_the_same_bytes(jobs):
    assert charts.throughput(jobs)._repr_png_() == charts.throughput(jobs)._repr_png_()


def test_pyplot_and_heavy_modules_stay_out():
    code = (
        "import sys, orthanc_lab; orthanc_lab.Client; "
        "assert not {'pandas', 'matplotlib', 'prometheus_client', 'pyarrow'} & set(sys.modules), sys.modules.keys(); "
        "import orthanc_lab.frames; assert 'matplotlib' not in sys.modules; "
        "import orthanc_lab.frames.charts; assert 'matplotlib.pyplot' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


def test_many_jobs_of_one_moment():
    frame = frames.jobs_frame([job(str(n), 0, 1) for n in range(50)])
    assert picture(charts.jobs_timeline(frame)).std() > 5
    assert picture(charts.throughput(frame)).std() > 5
    assert isinstance(charts.throughput(frame).figure, Figure)
    assert pd.notna(frames.job_spans(frame)["start"]).all()
