"""axe-core finds nothing in any panel, whatever it shows, in both themes of JupyterLab, on a wide and a narrow page."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from orthanc_lab import samples
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
WITH_A_PROCESS = """\
import orthanc_lab
from orthanc_lab.widgets import dashboard

server = orthanc_lab.serve(process=True)
client = orthanc_lab.Client.from_server(server)
client.upload(orthanc_lab.samples.path("us"))
client.studies.find()[0].archive_job().wait()
dashboard(client, server)"""
HEIGHT = 1400
_CUT = """\
[...document.querySelectorAll('.orthanc-dashboard .orthanc-scroll')]
    .filter((table) => table.scrollWidth > table.clientWidth)
    .map((table) => `cut at the right: ${table.innerText.slice(0, 60)}`)"""
TITLES = (
    "Browser", "Archive", "Modify", "Upload", "DICOM-ize", "Jobs", "Network", "Metrics", "Timeline", "Server", "Faults",
)  # fmt: skip


@pytest.fixture
def open_board(shown, artefacts) -> Iterator[Callable[[str], Board]]:
    boards = []

    def open_(cell: str) -> Board:
        boards.append(Board(shown(cell), artefacts))
        return boards[-1]

    yield open_
    for board in boards:
        board.page.set_viewport_size({"width": 1280, "height": HEIGHT})
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
    panel.get_by_text("Keys", exact=True).click()
    panel.get_by_text("Studies", exact=True).locator("visible=true").first.click()
    says(panel.locator("td"), "LAB001")
    add_label = panel.get_by_label("Add a label", exact=True)
    add_label.fill("teaching")
    add_label.press("Enter")
    panel.get_by_role("button", name="teaching").wait_for()
    panel = board.tab("Upload")
    panel.locator("input[type=file]").first.set_input_files(samples.dicom_files("us")[0])
    says(panel, "Instances: ")
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
        [
            {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"},
            {"name": "chart.png", "mimeType": "image/png", "buffer": samples.path("chart.png").read_bytes()},
        ]
    )
    says(panel, "notes.txt")
    says(panel, "PNG, 480 × 360, color")
    field = panel.get_by_label("Add a tag", exact=True)
    field.fill("StudyDate · Study Date · DA")
    field.press("Tab")  # which empties it
    fill(panel, "StudyDate", "today")
    says(panel, "'today' is not a date in the form YYYYMMDD")
    panel = board.tab("Network")
    press(panel, "Echo")
    says(panel, "No answer from pacs")
    panel = board.tab("Timeline")
    panel.locator(".orthanc-bar").first.wait_for()
    panel = board.tab("Faults")
    panel.locator("td", has_text="503 without Retry-After").click()
    says(panel, "Send the request again after a pause that grows")


class Looking:
    """What axe-core has found, and where."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.found: dict[str, list[str]] = {}
        board.page.evaluate(axe.script())

    def look(self, title: str, where: str) -> None:
        """Check what is shown now."""
        lines = axe.lines_of(self.board.page.evaluate(axe.expression_for(".orthanc-dashboard")))
        for line in lines:
            self.found.setdefault(line, []).append(f"{title}, {where}")
        for line in self.board.page.evaluate(_CUT) if "800" in where else ():
            self.found.setdefault(line, []).append(f"{title}, {where}")
        if lines:
            self.board.picture(f"axe-{title}-{where}")

    def walk(self, where: str, *, unfolds: bool) -> None:
        """Check all panels, and each with any of its folds open."""
        for title in TITLES:
            panel = self.board.tab(title)
            self.look(title, where)
            if not unfolds:
                continue
            for fold in panel.locator(".orthanc-fold").all():
                if "mod-active" not in fold.get_attribute("class"):
                    fold.click()
                    self.look(f"{title}-{fold.inner_text().strip()}", where)

    def check(self) -> None:
        assert not self.found, "\n\n".join(f"{line}\n  in {'; '.join(where)}" for line, where in self.found.items())
        assert self.board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(1800)
def test_nothing_keeps_people_out(open_board):
    board = open_board(CELL)
    fill_panels(board)
    looking = Looking(board)
    for colours in ("Light", "Dark"):
        theme(board, colours)
        for width in (1280, 800):
            board.page.set_viewport_size({"width": width, "height": HEIGHT})
            looking.walk(f"{colours}-{width}", unfolds=width == 800)
    looking.check()


@pytest.mark.long
@pytest.mark.timeout(300)
def test_nothing_keeps_people_out_while_the_server_is_away(open_board):
    board = open_board(WITH_A_PROCESS)
    panel = board.tab("Jobs")
    panel.locator("tbody tr").first.wait_for()
    looking = Looking(board)
    panel = board.tab("Server")
    press(panel, "Kill")
    panel.get_by_role("alertdialog").wait_for()
    for colours in ("Light", "Dark"):
        theme(board, colours)
        looking.look("question", colours)
    press(panel, "Yes, kill")
    says(panel, "Killed")
    for colours in ("Light", "Dark"):
        theme(board, colours)
        for title in ("Server", "Jobs", "Browser"):
            panel = board.tab(title)
            says(panel, "No Orthanc answers at" if title != "Server" else "Killed")
            looking.look(f"away-{title}", colours)
    looking.check()
