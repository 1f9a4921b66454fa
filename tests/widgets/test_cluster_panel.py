"""The panel of a cluster, and the servers of jobs in the panel of jobs, without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

import orthanc_lab
from orthanc_lab import Client, samples
from orthanc_lab.protocol.cluster import TakeOver
from orthanc_lab.widgets import ClusterPanel, JobsPanel, dashboard
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


@pytest.fixture(scope="module")
def alone() -> Iterator[orthanc_lab.ChildServer]:
    """A server in a process of its own, on SQLite."""
    with orthanc_lab.serve(process=True, Name="Anna") as server:
        yield server


def test_servers_jobs_and_take_overs(shared, told):
    first, second = (shared.studies.find()[0].archive_job().wait() for _ in range(2))
    taken = TakeOver(second.id, "Bert", "Anna", NOON, 0.75)
    told.cluster = cluster(first.id, "gone", taken=(taken,), queue=3, bert=-1)
    panel = ClusterPanel(shared)
    anna, bert = panel.table.rows
    assert (anna["state"], anna["lease"], anna["left"], anna["runs"]) == ("Live", 80, 2.4, 2)
    assert (bert["state"], bert["lease"], bert["left"], bert["runs"]) == ("Lease ended", 0, 0.0, 0)
    assert [(row["server"], row["type"], row["job"]) for row in panel.running.rows] == [
        ("Anna", "Archive", first.id[:8])
    ]
    assert panel.take_overs.rows[0] | {"id": ""} == {
        "id": "", "at": "2030-01-01T12:00:00", "job": second.id[:8], "from": "Bert", "to": "Anna", "seconds": 0.75
    }  # fmt: skip
    assert panel.facts == "2 servers · 2 jobs run · 3 jobs wait for a worker · 1 job taken over so far"
    for words in ("Lease ended", first.id[:8], "Bert"):
        assert words in panel.snapshot()
    panel.table.selected = ["Bert"]
    assert panel.toolbar.offers == {}  # this program did not start it
    panel.close()


def test_the_jobs_panel_shows_servers_as_soon_as_there_are_several(shared, told):
    job = shared.studies.find()[0].archive_job().wait()
    both = cluster(job.id)
    told.cluster = replace(both, servers=both.servers[:1])
    panel = JobsPanel(shared)
    panel.table.selected = [job.id]
    assert "Server" not in [column["head"] for column in panel.table.columns]
    told.cluster = both
    panel.refresh()
    assert [column["head"] for column in panel.table.columns][:3] == ["State", "Type", "Server"]
    assert {row["id"]: row["server"] for row in panel.table.rows}[job.id] == "Anna"
    assert panel.table.selected == [job.id]
    assert "Anna" in panel.snapshot()
    panel.close()


def test_the_dashboard_has_the_panel_where_there_are_several_servers(shared, told, alone):
    told.cluster = cluster()
    board = dashboard(shared)
    assert board["Cluster"].table.rows[1]["name"] == "Bert"
    board.close()
    board = dashboard(Client.from_server(alone))
    assert "Cluster" not in [panel.title for panel in board.panels]
    board.close()


def test_a_server_is_killed_and_started_again(alone):
    panel = ClusterPanel(Client.from_server(alone, retries=0), [alone])
    assert [(row["name"], row["state"], row["lease"]) for row in panel.table.rows] == [("Anna", "On its own", None)]
    panel.table.selected = ["Anna"]
    assert "Kill Anna, like kill -9?" in panel.toolbar.offers["kill"]
    panel.toolbar.press("kill")
    panel.act("", lambda: None).result()
    assert not alone.is_running
    assert panel.is_away  # nobody is left to ask
    assert set(panel.toolbar.offers) == {"start"}
    assert panel.code_view.python.strip().endswith("servers[0].kill()")
    panel.control("start").result()
    assert (panel.status.text, panel.is_away) == ("Started again: Anna.", False)
    assert panel.table.rows[0]["state"] == "On its own"
    panel.close()


def test_another_server_answers_for_one_that_is_gone(shared, told, alone):
    with orthanc_lab.serve(process=True, Name="Bert") as bert:
        panel = ClusterPanel(Client.from_server(bert, retries=0), [bert, alone])
        bert.kill()
        panel.refresh()
        assert not panel.is_away
        assert [(row["name"], row["state"]) for row in panel.table.rows] == [
            ("Anna", "On its own"),
            ("Bert", "Stopped"),
        ]
        panel.close()
