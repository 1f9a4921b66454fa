"""The table of studies in the Browser, without a browser."""

from __future__ import annotations

import pytest

from orthanc_lab import samples
from orthanc_lab.widgets import BrowserPanel
from orthanc_lab.widgets.browser import study_list
from orthanc_lab.widgets.browser.study_list import study_query


@pytest.fixture
def panel(client, study):
    client.upload([samples.path("mr"), samples.path("us")], progress=False)
    tags = {"PatientName": "Old^Study", "PatientID": "9", "StudyDate": "19991231", "AccessionNumber": "X7"}
    client.create_dicom(None, {**tags, "Modality": "OT"})
    made = BrowserPanel(client)
    made.studies_part.selected_index = 0
    made.studies.wait_until_shown()
    yield made
    made.close()


def listed(panel, column="patient"):
    panel.studies.wait_until_shown()
    return [row[column] for row in panel.studies.table.rows]


def test_recent_studies_come_first_and_are_filtered(panel):
    studies = panel.studies
    dates = listed(panel, "date")
    assert dates == sorted(dates, reverse=True)
    assert dates[-1] == "1999-12-31"
    assert sorted(listed(panel, "modalities")) == ["CT", "MR", "OT", "US"]
    studies.modality.value = "mr us"
    assert sorted(listed(panel)) == ["Phantom MR", "Phantom US"]
    studies.modality.value = ""
    studies.accession.value = "X7"
    assert listed(panel) == ["Old Study"]
    studies.accession.value = ""
    studies.date.value = "2026"
    assert len(listed(panel)) == 3
    studies.date.value = "soon"
    listed(panel)
    assert panel.status.text.startswith("Listing the studies: 'soon' is not a date")


def test_a_study_is_picked(panel, study):
    panel.studies.table.selected = [study.id]
    panel.wait_until_shown()
    panel.wait_until_shown()
    assert panel.tree.current == study.id
    assert "Phantom CT" in panel.heading.value


def test_a_page_at_a_time(panel, monkeypatch):
    monkeypatch.setattr(study_list, "_PAGE", 2)
    panel.studies.load(2)
    assert len(listed(panel)) == 2
    assert panel.studies.table.note == "The latest 2 studies"
    panel.studies.more_button.click()
    assert len(listed(panel)) == 4
    assert panel.studies.more_button.layout.display == "none"


def test_it_follows_the_server_while_it_is_open(panel, client, study):
    study.delete()
    panel.refresh()
    assert len(listed(panel)) == 3
    panel.studies_part.selected_index = None
    client.studies.find()[0].delete()
    panel.refresh()
    assert len(listed(panel)) == 3


def test_empty_filters_match_everything():
    assert study_query("", " ", "") == {}
