"""The DICOM-ize panel in JupyterLab in a real browser."""

from __future__ import annotations

from collections.abc import Iterator

import pydicom
import pytest

import orthanc_lab
from orthanc_lab import samples
from tests.browser.board import press, says

CELL = """\
import orthanc_lab
from orthanc_lab.widgets import DicomizePanel

DicomizePanel(orthanc_lab.Client("{url}"))"""


@pytest.fixture(scope="module")
def server() -> Iterator[orthanc_lab.Client]:
    """A server that has a CT study, and no dictionary of private tags."""
    with orthanc_lab.serve() as server:
        client = orthanc_lab.Client(server.url)
        client.upload(samples.path("ct"))
        yield client


def fill(panel, field, text):
    panel.get_by_label(field, exact=True).fill(text)
    panel.get_by_label(field, exact=True).press("Tab")


@pytest.mark.long
def test_a_picture_with_a_private_tag_then_a_document(notebook, artefacts, server, tmp_path):
    book = notebook(CELL.format(url=server.url))
    book.run_all()
    panel = book.area.locator(".jp-OutputArea-output").first
    files = panel.locator("input[type=file]").first
    files.set_input_files([samples.path("chart.png"), samples.dicom_files()[0]])
    says(panel, "PNG, 480 × 360, color")
    says(panel, "is already a DICOM file")

    fill(panel, "PatientID", "BROWSER")
    fill(panel, "Add a tag", "StudyDate · Study Date · DA")
    fill(panel, "StudyDate", "today")
    says(panel, "'today' is not a date in the form YYYYMMDD")
    panel.get_by_text("Private tags", exact=True).click()
    fill(panel, "Creator", "My Company")
    press(panel, "Add a private tag")
    fill(panel, "Value", "hello")
    says(panel, "PrivateCreatorForMyCompany")
    press(panel, "Make DICOM")
    says(panel, "Not sent")
    assert panel.get_by_label("StudyDate", exact=True).evaluate("field => field === document.activeElement")
    fill(panel, "StudyDate", "20260131")
    press(panel, "Make DICOM")
    says(panel, "The server does not know 0405,1001")
    panel.get_by_alt_text("Thumbnail of the new instance").wait_for()
    panel.screenshot(path=artefacts / "dicomize-picture.png")
    with book.page.expect_download() as download:
        press(panel, "DICOM file")
    download.value.save_as(tmp_path / "picture.dcm")
    made = pydicom.dcmread(tmp_path / "picture.dcm")
    assert (made.PatientID, made.StudyDate, made.Rows) == ("BROWSER", "20260131", 360)
    assert made.private_block(0x0405, "My Company")[0x01].value == b"hello\0"  # of unknown type

    files.set_input_files(samples.path("report.pdf"))
    says(panel, "PDF, 1 page")
    panel.get_by_label("Parent", exact=True).select_option("Study")
    panel.get_by_text("Phantom CT · CT quality phantom").wait_for(state="attached")
    panel.get_by_label("Found", exact=True).select_option(label="Phantom CT · CT quality phantom · 2026-01-05 · LAB001")
    panel.locator(".widget-text:has-text('PatientID') input:disabled").wait_for()
    press(panel, "Make DICOM")
    with book.page.expect_download() as download:
        press(panel, "PDF")
    panel.screenshot(path=artefacts / "dicomize-document.png")
    assert download.value.path().read_bytes().startswith(b"%PDF-")
    (study,) = server.studies.find(PatientName="Phantom^CT")
    assert "OT" in [series.Modality for series in study.series]
    assert book.errors == []
