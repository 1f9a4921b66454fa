"""axe-core finds nothing in any panel, whatever it shows, in both themes of JupyterLab, on a wide and a narrow page."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import axe
from tests.browser.board import Board, fill, press, says

CELL = """\
import orthanc_lab
from orthanc_lab.testing.faults import Faults
from orthanc_lab.widgets import dashboard

faults = Faults()
server = orthanc_lab.serve(faults=faults)
client = orthanc_lab.Client.from_server(server)
client.upload(orthanc_lab.samples.folder())
client.modalities.add("pacs", AET="ARCHIVE", Host="127.0.0.1", Port=1)
client.studies.find()[0].archive_job().wait()
board = dashboard(client, server, faults=faults)
board"""
TITLES = (
    "Jobs", "Browser", "Archive", "Modify", "Upload", "DICOM-ize", "Network", "Metrics", "Timeline", "Server", "Faults",
)  # fmt: skip


@pytest.fixture
def board(shown, artefacts) -> Iterator[Board]:
    board = Board(shown(CELL), artefacts)
    size = board.page.viewport_size
    yield board
    board.page.set_viewport_size(size)
    theme(board, "Light")


def theme(board: Board, name: str) -> None:
    is_light = str(name == "Light").lower()
    if board.page.locator(f"body[data-jp-theme-light={is_light}]").count() == 0:
        board.book.menu("Settings", "Theme", f"JupyterLab {name}")
        board.page.locator(f"body[data-jp-theme-light={is_light}]").wait_for(state="attached")


def fill_panels(board: Board) -> None:
    """Bring the panels to where they show the most: rows, pictures, an error beside a field, open folds."""
    panel = board.tab("Jobs")
    panel.locator("tbody tr").first.click()
    panel = board.tab("Browser")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    panel.locator(".orthanc-gallery [role=option]", has_text="CT · Soft tissue").click()
    says(panel, "Slice 11 of 20")
    panel.get_by_text("Studies", exact=True).first.click()
    says(panel.locator("td"), "LAB001")
    add_label = panel.get_by_label("Add a label", exact=True)
    add_label.fill("teaching")
    add_label.press("Enter")
    panel.get_by_role("button", name="teaching").wait_for()
    panel = board.tab("Archive")
    panel.get_by_role("treeitem", name="Phantom MR").click()
    press(panel, "Job")
    press(panel, "Start the job")
    says(panel, "Success · 100 %")
    panel.locator(".orthanc-code summary").click()
    panel = board.tab("Modify")
    panel.get_by_role("treeitem", name="Phantom US").click()
    press(panel, "Preview")
    panel.get_by_role("grid", name="What happens to the tags of one instance").wait_for()
    panel = board.tab("DICOM-ize")
    panel.locator("input[type=file]").first.set_input_files(
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"}
    )
    says(panel, "notes.txt")
    field = panel.get_by_label("Add a tag", exact=True)
    field.fill("StudyDate · Study Date · DA")
    field.press("Tab")  # which empties it
    fill(panel, "StudyDate", "today")
    says(panel, "'today' is not a date as YYYYMMDD")
    panel = board.tab("Network")
    press(panel, "Echo")
    panel.get_by_text("Add a node").click()
    panel = board.tab("Timeline")
    panel.locator(".orthanc-bar").first.wait_for()
    panel = board.tab("Faults")
    panel.locator("td", has_text="503 without Retry-After").click()
    says(panel, "Send the request again after a pause that grows")


@pytest.mark.long
@pytest.mark.timeout(600)
def test_nothing_keeps_people_out(board):
    fill_panels(board)
    board.page.evaluate(axe.script())
    found: dict[str, list[str]] = {}  # what is wrong: where
    for colours in ("Light", "Dark"):
        theme(board, colours)
        for width in (1280, 800):
            board.page.set_viewport_size({"width": width, "height": 1400})
            for title in TITLES:
                board.tab(title)
                for line in axe.lines_of(board.page.evaluate(axe.expression_for(".orthanc-dashboard"))):
                    found.setdefault(line, []).append(f"{title}, {colours.lower()}, {width} px")
                board.picture(f"axe-{title}-{colours}-{width}")
    assert not found, "\n\n".join(f"{line}\n  in {'; '.join(where)}" for line, where in found.items())
    assert board.faults() == []
