"""What a real Prometheus recorded is the same frame, and the same chart."""

from __future__ import annotations

import http.server
import json
import subprocess
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.frames import charts
from orthanc_lab.frames.prometheus_server import _moments
from orthanc_lab.server.loopback import free_port
from tests.client.scripted import Scripted, answer
from tests.programs import program
from tests.waiting import until

DATA = Path(__file__).parents[2] / "data"


@pytest.fixture
def prometheus(tmp_path, orthanc):
    """Prometheus that scrapes every second."""
    text = (DATA / "prometheus.yml").read_text()
    text = text.replace("localhost:8042", f"127.0.0.1:{orthanc.port}").replace("10s", "1s")
    (tmp_path / "prometheus.yml").write_text(text)
    port = free_port()
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                program("prometheus"),
                f"--config.file={tmp_path / 'prometheus.yml'}",
                f"--storage.tsdb.path={tmp_path / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(20)


def test_a_real_prometheus(orthanc, prometheus):
    orthanc_lab.Client.from_server(orthanc).upload(samples.path("ct/soft_tissue"))
    begin = datetime.now(UTC) - timedelta(seconds=30)

    def ask():
        try:
            frame = frames.query_range(prometheus, start=begin, end=datetime.now(UTC), step=1)
        except frames.PrometheusError:  # it is not ready yet
            return None
        counts = frame.loc[frame["name"] == "orthanc_count_instances", "value"]
        return (frame,) if (counts == 20).sum() >= 3 else None  # a frame has no truth of its own

    (frame,) = until(ask, seconds=60)
    scraped = frames.metrics(orthanc_lab.Client.from_server(orthanc))
    assert frame.dtypes.astype(str).tolist() == scraped.dtypes.astype(str).tolist()
    assert frame.columns.tolist() == scraped.columns.tolist()
    assert frame["time"].min() == pd.Timestamp(begin).round("ms")
    counts = frame[frame["name"] == "orthanc_count_instances"]
    assert counts["value"].isna().any()  # from before Prometheus started: a gap, not zero
    assert (counts["time"].diff().dropna() == pd.Timedelta(seconds=1)).all()
    assert counts["labels"].str.contains(f'instance="127.0.0.1:{orthanc.port}"').all()
    assert "Resources" in [axes.get_title(loc="left") for axes in charts.metrics_over_time(frame)]
    assert len(charts.storage_growth(frame)) == 2
    up = frames.query_range(prometheus, "sum(up)", begin, datetime.now(UTC), 1)
    assert set(up["name"]) == {"sum(up)"}
    with pytest.raises(frames.PrometheusError, match="parse error"):
        frames.query_range(prometheus, "sum(")
    with pytest.raises(frames.PrometheusError, match="11,000 points"):
        frames.query_range(prometheus, step=0.01)


def test_no_prometheus_and_something_else_say_so(orthanc):
    with pytest.raises(frames.PrometheusError, match="No Prometheus answers"):
        frames.query_range(f"http://127.0.0.1:{free_port()}")
    with pytest.raises(frames.PrometheusError, match="Is the address right"):
        frames.query_range(orthanc.url)


def test_times_need_a_zone_and_users_a_password():
    with pytest.raises(ValueError, match="time zone"):
        frames.query_range("http://127.0.0.1:1", start=datetime(2026, 1, 1))
    with pytest.raises(TypeError, match=r"start and end are datetimes, .*, not 'yesterday'"):
        frames.query_range("http://127.0.0.1:1", start="yesterday")
    with pytest.raises(TypeError, match="auth is a user name and a password"):
        frames.query_range("http://127.0.0.1:1", auth="admin")
    with pytest.raises(ValueError, match="step"):
        frames.query_range("http://127.0.0.1:1", step=0)


def test_prometheus_reckons_in_milliseconds():
    for first in range(1_795_000_000_000, 1_795_000_002_000, 7):
        moments = (datetime.fromtimestamp(instant / 1000, UTC) for instant in (first, first + 2800))
        assert len(_moments(*moments, 0.2)) == 15


def test_missing_steps_and_odd_numbers():
    body = (
        b'{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"__name__":"a","x":"1"},'
        b'"values":[[1000,"1"],[1010.001,"NaN"],[1030,"+Inf"]]}]}}'
    )

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            moments = [datetime.fromtimestamp(seconds, UTC) for seconds in (1000, 1030)]
            frame = frames.query_range(f"http://127.0.0.1:{server.server_port}/", "a", *moments, 10)
        finally:
            server.shutdown()
            thread.join()
    np.testing.assert_array_equal(frame["value"], [1, np.nan, np.nan, np.inf])
    assert frame["labels"].tolist() == ['{x="1"}'] * 4


@pytest.mark.parametrize(
    "result",
    [
        None,
        [{}],
        [{"metric": None, "values": []}],
        [{"metric": {}, "values": [[1e300, "1"]]}],
        [{"metric": {}, "values": [[-1e6, "1"]]}],
        [{"metric": {}, "values": [[float("nan"), "1"]]}],
        [{"metric": {}, "values": [[1767225600, "x"]]}],
        [{"metric": {}, "values": [[None, None]]}],
    ],
)
def test_values_that_nobody_asked_for(result):
    body = json.dumps({"status": "success", "data": {"result": result}}).encode()
    with Scripted(answer(body)) as server, pytest.raises(frames.PrometheusError, match="sent values that cannot be"):
        frames.query_range(server.url, start=datetime(2026, 1, 1, tzinfo=UTC), end=datetime(2026, 1, 2, tzinfo=UTC))


@pytest.mark.parametrize("body", [b"<html>", b"[" * 100_000, b'{"status":' + b"1" * 5000 + b"}"])
def test_a_body_that_is_no_document_of_prometheus(body):
    with Scripted(answer(body)) as server, pytest.raises(frames.PrometheusError, match="not like Prometheus"):
        frames.query_range(server.url)
