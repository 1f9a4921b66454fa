"""The servers that share a list of jobs: the record, the route, the metrics."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import orthanc_lab
from orthanc_lab.protocol.cluster import Cluster, ClusterServer, TakeOver, cluster_document, read_cluster
from orthanc_lab.protocol.ports import ManualClock
from orthanc_lab.protocol.published_metrics import PublishedMetrics
from orthanc_lab.server.gauges import add_gauges

TEXT = st.text(max_size=8)
SECONDS = st.floats(-9, 9, allow_nan=False)
SERVERS = st.builds(
    ClusterServer, TEXT, TEXT, st.integers(0, 9), TEXT, SECONDS | st.none(), st.lists(TEXT).map(tuple), st.booleans()
)
TIMES = st.datetimes(datetime(2000, 1, 1), timezones=st.just(UTC))
TAKE_OVERS = st.builds(TakeOver, TEXT, TEXT, TEXT, TIMES, SECONDS)


@pytest.fixture
def server() -> Iterator[orthanc_lab.InProcessServer]:
    with orthanc_lab.in_process(executor="inline", Name="Anna") as made:
        yield made


def ask(server: orthanc_lab.InProcessServer) -> Any:
    return server.session.get(f"{server.url}/orthanc-lab/cluster").json()


@settings(max_examples=30)
@given(
    st.builds(
        Cluster,
        st.lists(SERVERS, max_size=3).map(tuple),
        st.lists(TAKE_OVERS, max_size=3).map(tuple),
        st.integers(0),
        st.dictionaries(TEXT, TEXT, max_size=3),
        st.integers(0),
        SECONDS | st.none(),
    )
)
def test_the_record_comes_back_from_its_document(cluster: Cluster) -> None:
    assert read_cluster(cluster_document(cluster)) == cluster


def test_a_server_on_its_own_is_a_cluster_of_one_without_a_lease(server: orthanc_lab.InProcessServer) -> None:
    system = server.session.get(f"{server.url}/system").json()
    assert ask(server) == {
        "Servers": [
            {
                "ID": system["DatabaseServerIdentifier"],
                "Name": "Anna",
                "Epoch": 0,
                "Address": "",
                "LeaseRemaining": None,
                "Running": [],
                "Self": True,
            }
        ],
        "TakeOvers": [],
        "Queue": 0,
        "Jobs": {},
        "TakenOver": 0,
        "LeaseDuration": None,
    }
    assert "orthanc_lab_cluster" not in server.session.get(f"{server.url}/tools/metrics-prometheus").text


def test_a_server_without_a_name_is_called_by_its_title() -> None:
    with orthanc_lab.in_process(executor="inline", Name="", DicomAet="WARD") as server:
        assert ask(server)["Servers"][0]["Name"] == "WARD"


def test_the_metrics_of_a_cluster(server: orthanc_lab.InProcessServer) -> None:
    servers = (
        ClusterServer("a", "Anna", 3, "", 2.5, ("job",), True),
        ClusterServer("b", "Bert", 1, "", -0.5, (), False),
    )
    metrics = PublishedMetrics(ManualClock())
    add_gauges(metrics, replace(server.services, cluster=lambda: Cluster(servers, (), 7, {}, 4, 3.0)))
    told = dict(line.split()[:2] for line in metrics.exposition().splitlines() if "cluster" in line)
    assert told == {
        "orthanc_lab_cluster_leases": "1",
        "orthanc_lab_cluster_queue": "7",
        "orthanc_lab_cluster_running": "1",
        "orthanc_lab_cluster_servers": "2",
        "orthanc_lab_cluster_take_overs_total": "4",
    }
