"""From panel to panel in JupyterLab in a real browser: a study is anonymized, shown, labelled and compared."""

from __future__ import annotations

import shutil

import pytest

from orthanc_lab import samples
from tests.browser.board import CELL, Board, fill, press, says, unfold


def add_label(panel, text):
    field = panel.get_by_label("Add a label", exact=True)
    field.fill(text)
    field.press("Enter")


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_study_is_anonymized_shown_and_compared(shown, artefacts, client):
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Browser")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    says(panel, "Select a series")
    press(panel, "Modify")
    panel = board.tab("Modify")
    says(panel, "1 resource checked")
    fill(panel, "Keep", "StudyDescripton")
    says(panel, "is not a DICOM keyword")
    board.picture("modify-problem")
    fill(panel, "Keep", "StudyDescription")
    press(panel, "Preview")
    says(panel, "Nothing was stored.")
    says(panel.locator("tr", has_text="PatientName"), "Anonymized1")
    board.picture("modify-preview")
    press(panel, "Start the job")
    says(panel, "Result: Anonymized")
    press(panel, "Show")
    panel = board.tab("Browser")
    says(panel, "Anonymized")
    add_label(panel, "for class")
    says(panel, "Adding the label for class")
    add_label(panel, "teaching")
    says(panel.locator("button"), "teaching")
    made = next(patient for patient in client.patients.find() if patient.labels == ["teaching"])
    assert made.PatientName.startswith("Anonymized")
    panel.locator(".orthanc-gallery [role=option]", has_text="CT · Series 2").click()  # of no other study
    says(panel.locator("tr"), "= CT Image Storage")
    link = panel.locator("a", has_text="(0008,0016)")
    assert link.get_attribute("href").endswith("chapter_6.html#:~:text=(0008%2C0016)")
    board.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    press(panel, "Copy as pydicom")
    says(panel, "Copied as pydicom.")
    assert "ds.Modality = 'CT'" in board.page.evaluate("navigator.clipboard.readText()")
    board.picture("browser-tags")
    press(panel, "Compare")
    panel.get_by_role("treeitem", name="Phantom MR").click()
    says(panel.locator("td"), "Replaced")
    board.picture("browser-compare")
    board.page.set_viewport_size({"width": 800, "height": 1400})
    board.picture("browser-800")
    board.tab("Modify")
    board.picture("modify-800")
    board.page.set_viewport_size({"width": 1280, "height": 1400})
    assert board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_folder_is_uploaded_and_a_study_picked_in_the_table(shown, artefacts, client, tmp_path):
    for study in client.studies.find(PatientID="PHANTOM-US"):
        study.delete()
    shutil.copytree(samples.path("us"), tmp_path / "us")
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Upload")
    panel.get_by_label("Choose a folder: all files in it").set_input_files(tmp_path / "us")
    says(panel, "Instances: ")
    press(panel, "Show")
    panel = board.tab("Browser")
    says(panel, "Phantom US")
    assert panel.locator("iframe").is_hidden()
    client.create_dicom(samples.path("report.pdf"), {"PatientName": "Report^Rita", "StudyDate": "20270101"})
    unfold(panel, "Studies")
    row = panel.locator("tbody tr", has_text="Report Rita")
    row.wait_for()
    board.picture("browser-studies")
    fill(panel, "Modality", "CT")
    row.wait_for(state="detached")
    fill(panel, "Modality", "")
    row.click()
    panel.get_by_role("option", name="OT").click()  # until it comes, the series of another study is there
    panel.locator("iframe[title='Encapsulated PDF'][src^='blob:']").wait_for()
    board.picture("browser-pdf")
    assert board.faults() == []
