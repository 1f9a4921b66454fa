"""The network panel, without a browser."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.server.loopback import free_port
from orthanc_lab.widgets import NetworkPanel
from orthanc_lab.widgets.network.query_form import QueryForm
from tests.waiting import until


@pytest.fixture
def panel(network):
    with_panel = NetworkPanel(network)
    yield with_panel
    with_panel.close()


def lights(panel):
    return {row["name"]: row["light"] for row in panel.nodes.rows}


def ended(panel):
    """Wait for the end of the transfers that the panel shows, and return their rows."""

    def look():
        panel.refresh()
        rows = panel.jobs.rows
        return rows and all(row["state"] in ("Success", "Failure") for row in rows) and rows

    return until(look)


def test_nodes_have_lights(panel, network, archive):
    assert lights(panel) == {"archive": "not tried"}
    panel.node_tools.press("echo")
    panel.act("", lambda: None).result()
    assert lights(panel) == {"archive": "answers"}
    archive.refuse_association()
    panel.echo().result()
    assert lights(panel) == {"archive": "fails"}
    assert "does the node know the AE title of this server" in panel.nodes.rows[0]["words"]
    assert panel.status.text == "No answer from archive: the table says why."


def test_a_node_is_added_and_removed(panel, network):
    form = panel.node_form
    panel.add().result()
    assert panel.status.text == "Adding the node: Name, AE title, Host missing: fill in the form first"
    form.name.value, form.aet.value, form.host.value, form.port.value = "down", "DOWN", "127.0.0.1", free_port()
    panel.add().result()
    assert lights(panel) == {"archive": "not tried", "down": "fails"}
    words = next(row["words"] for row in panel.nodes.rows if row["name"] == "down")
    assert words.startswith("Connection refused. No program listens at that address")
    panel.nodes.selected = ["down"]
    assert panel.node_tools.offers["remove"] == "Have the server forget down?"
    panel.node_tools.press("remove")
    panel.act("", lambda: None).result()
    assert lights(panel) == {"archive": "not tried"}
    assert list(network.modalities) == ["archive"]


def test_a_study_is_found_and_retrieved(panel, network):
    panel.query_form.name.value = "phantom"
    panel.ask().result()
    assert panel.status.text == "1 answer"
    assert panel.answers.rows == [
        {
            "id": "0",
            "PatientName": "Phantom MR",
            "PatientID": "PHANTOM-MR",
            "StudyDate": "2026-01-05",
            "StudyDescription": "MR shells",
            "ModalitiesInStudy": "",
            "AccessionNumber": "LAB002",
        }
    ]
    panel.answers.selected = ["0"]
    panel.answer_tools.press("below")
    panel.act("", lambda: None).result()
    assert [row["Modality"] for row in panel.answers.rows] == ["MR"]
    panel.method.value = "C-GET"
    panel.answer_tools.press("retrieve")
    panel.act("", lambda: None).result()
    assert [(row["type"], row["state"]) for row in ended(panel)] == [("DicomGetScu", "Success")]
    assert len(network.series.find(Modality="MR")[0].instances) == 12


def test_a_query_that_fails_is_reported(panel, archive):
    panel.query_form.date.value = "yesterday"
    panel.ask().result()
    assert "'yesterday' is not a date" in panel.status.text
    panel.query_form.date.value = ""
    archive.refuse("C-FIND", 0xA700)
    panel.ask().result()
    assert panel.status.is_warning
    assert "out of resources" in panel.status.text


def test_a_checked_study_is_sent_and_a_failed_transfer_resubmitted(panel, archive):
    assert panel.send_button.disabled
    archive.refuse("C-STORE", 0xA700, times=1)
    panel.tree.toggle(panel.tree.level()[0].id)
    assert not panel.send_button.disabled
    panel.send_checked().result()
    (row,) = ended(panel)
    assert row["state"] == "Failure"
    assert "DIMSE status 0xA700" in row["words"]
    panel.jobs.selected = [row["id"]]
    panel.job_tools.press("resubmit")
    panel.act("", lambda: None).result()
    assert [(row["state"], row["words"]) for row in ended(panel)] == [("Success", "10 instances to ARCHIVE")]
    assert len(archive.instances) == 10


def test_a_server_that_is_away_offers_nothing(panel, network, monkeypatch):
    monkeypatch.setattr(panel.poll_client.transport, "url", f"http://127.0.0.1:{free_port()}")
    panel.refresh()
    assert panel.is_away
    assert panel.node_tools.offers == panel.answer_tools.offers == panel.job_tools.offers == {}
    assert panel.query_form.button.disabled


def test_what_is_shown_is_saved_with_the_notebook(panel):
    assert "ARCHIVE" in panel.snapshot()


def test_the_query_asks_for_what_belongs_to_its_level():
    form = QueryForm(lambda: None)
    form.modality.value = "ct"
    assert form.tags["ModalitiesInStudy"] == "CT"
    form.level.value = Level.SERIES
    assert form.tags["Modality"] == "CT"
    assert "PatientName" not in form.tags
