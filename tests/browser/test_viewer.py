"""The viewer in the Browser panel: real series, seen as a person looks at them."""

from __future__ import annotations

import io

import pydicom
import pytest
from pydicom.encaps import encapsulate, generate_frames

from orthanc_lab import samples
from tests.browser.board import CELL, Board, fill, press, says
from tests.browser.elements.test_viewer import play_all

pytestmark = pytest.mark.timeout(300)


@pytest.mark.long
def test_a_person_measures_compares_and_plays(shown, artefacts):
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Browser")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    panel.get_by_text("CT · Soft tissue").locator("visible=true").first.click()
    says(panel, "Slice 11 of 20")
    canvas = panel.locator(".orthanc-frame:not(.orthanc-late) [aria-label*='Slice 11 of 20']")
    box = canvas.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    board.page.mouse.move(*middle)
    panel.get_by_text("HU · column 64, row 6").wait_for()
    panel.get_by_role("radio", name="Region").click()
    board.page.mouse.move(middle[0] - 20, middle[1] - 20)
    board.page.mouse.down()
    board.page.mouse.move(middle[0] + 20, middle[1] + 20)
    board.page.mouse.up()
    panel.locator(".orthanc-live").get_by_text("mm²").wait_for(state="attached")
    board.picture("viewer-measured")

    arrangement = panel.get_by_role("combobox", name="Show", exact=True)
    arrangement.select_option("beside")
    panel.get_by_role("combobox", name="Second series").select_option(label="CT · Sharp")
    panel.get_by_role("img", name="CT · Sharp · Slice").wait_for()
    board.picture("viewer-beside")
    arrangement.select_option("over")
    panel.get_by_role("spinbutton", name="Opacity, %").fill("30")
    board.picture("viewer-over")
    arrangement.select_option("planes")
    panel.get_by_role("img", name="CT · Soft tissue · sagittal 65 of 128").wait_for()
    board.picture("viewer-planes")

    panel.get_by_role("treeitem", name="Phantom US").click()
    panel.get_by_text("US · Cine loop").locator("visible=true").first.click()
    says(panel, "Frame 9 of 16")
    says(panel, "Its slices do not say where they lie.")
    arrangement.select_option("one")
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("img", name="US · Cine loop · Frame 3 of 16").wait_for()
    panel.get_by_role("button", name="Stop").click()
    assert board.faults() == []


def long_cine() -> bytes:
    """Return the cine loop of the samples with 1,000 frames."""
    dataset = pydicom.dcmread(samples.dicom_files("us/cine")[0])
    frames = list(generate_frames(dataset.PixelData, number_of_frames=16))
    dataset.PixelData = encapsulate([frames[number % 16] for number in range(1000)])
    dataset.NumberOfFrames = 1000
    dataset.PatientID, dataset.PatientName, dataset.SeriesDescription = "LONG", "Long^Cine", "Long loop"
    dataset.StudyInstanceUID, dataset.SeriesInstanceUID = (pydicom.uid.generate_uid() for _ in range(2))
    dataset.SOPInstanceUID = dataset.file_meta.MediaStorageSOPInstanceUID = pydicom.uid.generate_uid()
    out = io.BytesIO()
    dataset.save_as(out)
    return out.getvalue()


@pytest.mark.long
def test_a_thousand_frames_are_played_over_and_over(shown, artefacts, client):
    client.upload(long_cine(), progress=False)
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Browser")
    panel.get_by_role("treeitem", name="Long Cine").click()
    panel.get_by_text("US · Long loop").locator("visible=true").first.click()
    says(panel, "Frame 501 of 1000")
    fill(panel, "Slices per second", "60")
    press(panel, "Play")
    play_all(board.page, 1000)
    panel.locator(".orthanc-viewer").get_by_role("button", name="Stop").click()
    assert board.faults() == []
