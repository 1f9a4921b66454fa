"""The servers that share a list of jobs, as the client and the frames show them."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pandas as pd
import pytest

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.client import Client, ClientError, NoClusterError, Study
from orthanc_lab.frames.columns import column_of
from orthanc_lab.protocol.cluster import TakeOver, cluster_document
from tests.client.scripted import Scripted, answer
from tests.told_cluster import NOON, ToldCluster, cluster


@pytest.fixture(scope="module")
def told() -> ToldCluster:
    return ToldCluster()


@pytest.fixture(scope="module")
def shared(told: ToldCluster) -> Iterator[Client]:
    with orthanc_lab.in_process(executor="inline", faults=told) as server:
        client = Client.from_server(server)
        client.upload(samples.path("ct/soft_tissue"))
        yield client


def assert_typed(frame: pd.DataFrame) -> None:
    assert {name: frame[name].dtype for name in frame} == {str(name): column_of(str(name)).dtype for name in frame}


def test_on_its_own_and_at_the_real_server(client: Client, study: Study, server_url: str, request: object) -> None:
    job = study.archive_job().wait(60)
    if "real" in request.node.callspec.id:  # type: ignore[attr-defined]  # pytest's own
        with pytest.raises(NoClusterError, match=f"{server_url} does not tell which servers share its jobs"):
            client.cluster()
    else:
        alone = client.cluster()
        (server,) = alone.servers
        assert (alone.is_shared, alone.me, alone.queue, server.lease_remaining) == (False, server, 0, None)
        assert repr(alone) == f"<Cluster: {server.name} runs 0 jobs; 0 jobs wait for a worker>"
        assert frames.cluster(client).loc[0, "server"] == server.name
        assert_typed(frames.cluster(client))
    assert job.id in frames.jobs(client)["id"].tolist()
    assert "server" not in frames.jobs(client)


def test_several_servers(shared: Client, told: ToldCluster) -> None:
    first, second = (shared.studies.find()[0].archive_job().wait() for _ in range(2))
    told.cluster = cluster(first.id, taken=(TakeOver(second.id, "Bert", "Anna", NOON, 0.7),), queue=1, bert=-0.5)
    seen = shared.cluster()
    assert (seen.is_shared, seen.me) == (True, seen.servers[0])
    assert repr(seen) == "<Cluster: Anna runs 1 job, Bert runs 0 jobs; 1 job waits for a worker>"
    html = seen._repr_html_()
    for words in ("2.4 s left", "ended 0.5 s ago", first.id[:8], "12:00:00 UTC", "1 job waits for a worker"):
        assert words in html
    frame = frames.cluster(shared)
    assert_typed(frame)
    assert frame[["server", "lease_s", "running", "is_self"]].values.tolist() == [
        ["Anna", 2.4, 1, True],
        ["Bert", -0.5, 0, False],
    ]
    jobs = frames.jobs(shared)
    assert jobs["server"].tolist() == ["Anna", "Anna"]
    assert jobs["server"].dtype == "category"
    told.cluster = cluster()
    assert frames.jobs(shared)["server"].isna().all()


def test_names_are_escaped(shared: Client, told: ToldCluster) -> None:
    told.cluster = cluster("<b>job", taken=(TakeOver("x", "<script>", "<i>", NOON, 1.0),))
    html = shared.cluster()._repr_html_()
    assert "<script" not in html
    assert "<i>" not in html
    assert "&lt;b&gt;job" in html


@pytest.mark.parametrize("damage", [{"Servers": 1}, {"Jobs": []}, {"Queue": None}, {"Servers": [{}]}])
def test_a_damaged_answer(damage: dict[str, object]) -> None:
    document = {**cluster_document(cluster()), **damage}
    with Scripted(answer(json.dumps(document).encode())) as server, pytest.raises(ClientError, match="cannot be read"):
        Client(server.url).cluster()
