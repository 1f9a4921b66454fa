"""Three servers with one list of jobs in JupyterLab, in a real browser: one is killed in the panel, its job goes on."""

from __future__ import annotations

import pytest

from orthanc_lab.testing.postgresql_server import MISSING, find_programs
from tests.browser.board import Board, press, says
from tests.browser.test_accessibility import HEIGHT, Looking, theme
from tests.programs import missing

CELL = """\
import tempfile
from pathlib import Path

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.cluster import OrthancCluster
from orthanc_lab.testing.holding_peer import HoldingPeer
from orthanc_lab.testing.postgresql_server import PostgresqlServer
from orthanc_lab.widgets import dashboard

postgresql = PostgresqlServer().__enter__()
peer = HoldingPeer().start()
options = {**postgresql.create_database().settings, "ConcurrentJobs": 1, "OrthancPeers": {"held": [peer.url]}}
cluster = OrthancCluster(3, options, Path(tempfile.mkdtemp()))
client = orthanc_lab.Client.from_server(cluster.servers[0])
client.upload(samples.path("ct/soft_tissue"))
peer.hold()
job = client.jobs.submit("/peers/held/store", {"Resources": [client.studies.find()[0].id]})
peer.wait_until_held()
board = dashboard(client, servers=cluster.servers)
board"""
END = """\
peer.let_go()
print(job.wait().state.value)
board.close()
cluster.stop()
peer.stop()
postgresql.__exit__(None, None, None)"""


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_is_killed_and_its_job_goes_on_elsewhere(notebook, artefacts):
    if find_programs() is None:
        missing(MISSING)
    book = notebook(CELL)
    book.run_all()
    board = Board(book, artefacts)
    panel = board.tab("Cluster")
    running = panel.get_by_role("grid", name="Jobs that run")
    first = running.locator("tbody tr td").first.inner_text()
    looking = Looking(board)
    looking.look("Cluster", "three")
    panel.get_by_role("grid", name="Servers").locator("td", has_text=first).first.click()
    press(panel, "Kill")
    panel.get_by_role("alertdialog").wait_for()
    for colours in ("Dark", "Light"):
        theme(board, colours)
        looking.look("Cluster", f"question-{colours}")
    press(panel, "Yes, kill")
    says(panel, f"Killed: {first}.")
    taken = panel.get_by_role("grid", name="Take-overs").locator("tbody tr")
    taken.first.wait_for()
    looking.look("Cluster", "taken-over")
    panel = board.tab("Jobs")
    says(panel.get_by_role("grid", name="Jobs"), "OrthancPeerStore")
    looking.look("Jobs", "taken-over")
    panel = board.tab("Cluster")
    for colours in ("Light", "Dark"):
        theme(board, colours)
        for width in (1280, 800):
            board.page.set_viewport_size({"width": width, "height": HEIGHT})
            looking.look("Cluster", f"{colours}-{width}")
    board.page.set_viewport_size({"width": 1280, "height": HEIGHT})
    theme(board, "Light")
    press(panel, "Start again")
    says(panel, f"Started again: {first}.")
    looking.check()
