"""The viewer in the Browser panel: real series, seen as a person looks at them."""

from __future__ import annotations

import pytest

from tests.browser.board import CELL, Board, says

pytestmark = pytest.mark.timeout(300)


@pytest.mark.long
def test_a_person_measures_compares_and_plays(shown, artefacts):
    board = Board(shown(CELL), artefacts)
    panel = board.tab("Browser")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    panel.get_by_text("CT · Soft tissue").first.click()
    says(panel, "Slice 11 of 20")
    canvas = panel.get_by_role("img", name="CT · Soft tissue · Slice 11 of 20")
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
    panel.get_by_text("US · Cine loop").first.click()
    says(panel, "Frame 9 of 16")
    says(panel, "Its slices do not say where they lie.")
    arrangement.select_option("one")
    panel.get_by_role("button", name="Play").click()
    panel.get_by_role("img", name="US · Cine loop · Frame 3 of 16").wait_for()
    panel.get_by_role("button", name="Stop").click()
    assert board.faults() == []
