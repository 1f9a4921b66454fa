"""The dashboard without a mouse: a study becomes an archive, its job is controlled, slices are looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from orthanc_lab import samples
from tests.browser.board import Board, says
from tests.browser.test_faults import CELL as WITH_FAULTS

WITH_A_PROCESS = """\
import orthanc_lab
from orthanc_lab.widgets import dashboard

server = orthanc_lab.serve(process=True)
board = dashboard(orthanc_lab.Client.from_server(server), server)
board"""

_MOST_STOPS = 60  # of the Tab key, from one end of a panel to the other
_HAS_NAME = """\
(name) => {
    const here = document.activeElement;
    if (!here?.closest('.orthanc-dashboard')) return false;
    const label = here.getAttribute('aria-label') ?? here.labels?.[0]?.innerText ?? here.innerText ?? '';
    return label.trim().startsWith(name);
}"""
_HAS_TEXT = "(text) => document.activeElement?.closest('.orthanc-dashboard tr')?.innerText.includes(text) ?? false"
_IS_WITHIN = "(place) => Boolean(document.activeElement?.closest(`.orthanc-dashboard ${place}`))"


class Keys:
    """The keyboard, and where the focus is."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.page = board.page
        # Chromium hands the dialogs of files over from some moment after somebody listens.
        self.page.on("filechooser", lambda chooser: None)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def go(self, key: str, script: str, goal: str) -> None:
        """Press a key until something has the focus."""
        for _ in range(_MOST_STOPS):
            if self.page.evaluate(script, goal):
                return
            self.press(key)
        here = self.page.evaluate("document.activeElement.outerHTML.slice(0, 300)")
        raise AssertionError(f"{key} does not reach {goal}, but {here}")

    def to(self, name: str, key: str = "Tab") -> None:
        """Reach a control by its name."""
        self.go(key, _HAS_NAME, name)

    def into(self, place: str, key: str = "Tab") -> None:
        """Reach a part of the panel by its selector."""
        self.go(key, _IS_WITHIN, place)

    def choose(self, file: Path) -> None:
        """Choose a file in the dialog that the button with the focus opens."""
        with self.page.expect_file_chooser() as chooser:
            self.press("Enter")
        chooser.value.set_files(file)

    def type(self, name: str, text: str) -> None:
        """Reach a field by its name and type into it."""
        self.to(name)
        self.page.keyboard.type(text)

    def open(self, title: str) -> Any:
        """Go back to the tabs and choose one; returns its panel."""
        self.into(".widget-tab-bar", "Shift+Tab")
        self.press("Home")
        self.to(title, "ArrowRight")
        self.press("Enter")
        return self.board.area.locator(".widget-tab-contents > :not(.lm-mod-hidden)").first


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_study_is_archived_and_looked_at(board, client, busy):
    keys = Keys(board)
    board.page.keyboard.press("Escape")  # the focus is in the cell
    keys.into(".widget-tab-bar")

    panel = keys.open("Archive")
    panel.get_by_role("treeitem", name="Phantom CT").wait_for()
    keys.into("[role=treeitem]")
    keys.to("Phantom CT", "ArrowDown")
    keys.press("Enter")
    says(panel, "31 instances")
    keys.to("Job")
    keys.press("Enter")
    keys.to("Start the job")
    keys.press("Enter")
    says(panel, "Pending")
    keys.to("Pause")
    keys.press("Enter")
    says(panel, "Paused")
    (job,) = (job for job in client.jobs.list() if job.type == "Archive" and not job.state.is_final)
    keys.to("Resume")
    keys.press("Enter")
    says(panel, "Pending")
    board.picture("keyboard-archive")
    busy.let_go()
    says(panel, "Success · 100 %")

    panel = keys.open("Jobs")
    row = panel.locator(f"tr[data-id='{job.id}']")
    says(row, "Success")
    keys.into("tbody tr")
    keys.press("Home")
    keys.go("ArrowDown", _IS_WITHIN, f"tr[data-id='{job.id}']")
    keys.press(" ")
    panel.locator(f"tr[data-id='{job.id}'][aria-selected=true]").wait_for()
    board.picture("keyboard-jobs")
    keys.into("[role=toolbar]", "Shift+Tab")
    keys.to("Delete", "ArrowRight")
    keys.press("Enter")
    row.wait_for(state="detached")

    panel = keys.open("Browser")
    panel.get_by_role("treeitem", name="Phantom CT").wait_for()
    keys.into("[role=treeitem]")
    keys.to("Phantom CT", "ArrowDown")
    keys.press("Enter")
    panel.get_by_role("option", name="CT · Soft tissue").wait_for()
    keys.into("[role=option]")
    keys.to("CT · Soft tissue", "ArrowRight")
    says(panel, "Slice 11 of 20")
    keys.into("canvas")
    keys.press(".", ".")
    says(panel, "Slice 13 of 20")
    keys.press("Home")
    says(panel, "Slice 1 of 20")
    board.picture("keyboard-slices")
    assert board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_files_are_uploaded_changed_and_made(board, client):
    for study in client.studies.find(PatientID="PHANTOM-US"):
        study.delete()
    keys = Keys(board)
    board.page.keyboard.press("Escape")
    keys.into(".widget-tab-bar")

    panel = keys.open("Upload")
    keys.to("Choose files")
    keys.choose(samples.dicom_files("us")[0])
    says(panel, "Instances: 1 new")

    panel = keys.open("Modify")
    panel.get_by_role("treeitem", name="Phantom US").wait_for()
    keys.into("[role=treeitem]")
    keys.to("Phantom US", "ArrowDown")
    keys.press("Enter")
    says(panel, "1 resource checked")
    keys.to("Preview")
    keys.press("Enter")
    says(panel, "Nothing was stored.")
    keys.to("Start the job")
    keys.press("Enter")
    says(panel, "Result: Anonymized")

    panel = keys.open("DICOM-ize")
    keys.to("Choose files")
    keys.choose(samples.path("chart.png"))
    says(panel, "PNG, 480 × 360, color")
    keys.type("PatientID", "KEYS")
    keys.to("Make DICOM")
    keys.press("Enter")
    panel.get_by_role("button", name="Show").wait_for()
    assert client.patients.find(PatientID="KEYS").one().studies[0].series[0].Modality == "OT"
    assert board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_and_its_nodes_are_watched(board, client):
    client.studies.find()[0].archive_job().wait(progress=False)
    keys = Keys(board)
    board.page.keyboard.press("Escape")
    keys.into(".widget-tab-bar")

    panel = keys.open("Metrics")
    panel.get_by_role("img", name="Resources").wait_for()
    keys.to("Up time")
    keys.press(" ")
    panel.get_by_role("img", name="Up time").wait_for()
    keys.into("svg[role=img]")
    keys.press("ArrowLeft")
    panel.locator(".tip").locator("visible=true").first.wait_for()

    panel = keys.open("Timeline")
    end = client.transport.get("/orthanc-lab/events")["Last"]
    slider = panel.get_by_role("slider").first.element_handle()
    shows = "([slider, event]) => slider.value === String(event)"
    board.page.wait_for_function(shows, arg=[slider, end])  # until then it follows what happens
    keys.to("Earlier")
    keys.press("Enter")
    board.page.wait_for_function(shows, arg=[slider, end - 1])

    panel = keys.open("Network")
    keys.to("Add a node")
    keys.press("Enter")
    for name, text in (("Name", "pacs"), ("AE title", "ARCHIVE"), ("Host", "127.0.0.1"), ("Port", "1")):
        keys.type(name, text)
    keys.to("Add")
    keys.press("Enter")
    row = panel.locator("tr", has_text="ARCHIVE")
    row.wait_for()
    keys.into("tbody tr", "Shift+Tab")
    keys.press(" ")
    keys.to("Echo", "Shift+Tab")
    keys.press("Enter")
    says(panel, "No answer from pacs")
    assert board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_server_is_killed_and_started_again(shown, artefacts):
    board = Board(shown(WITH_A_PROCESS), artefacts)
    keys = Keys(board)
    board.page.keyboard.press("Escape")
    keys.into(".widget-tab-bar")

    panel = keys.open("Server")
    keys.into("[role=toolbar]")
    keys.to("Kill", "ArrowRight")
    keys.press("Enter")
    panel.get_by_role("alertdialog").wait_for()
    keys.to("Yes, kill")
    keys.press("Enter")
    says(panel, "Killed")
    board.picture("keyboard-server-killed")
    keys.into("[role=toolbar]", "Shift+Tab")
    keys.to("Start", "ArrowLeft")
    keys.press("Enter")
    says(panel, "Running")
    keys.to("Configuration")
    keys.press("Enter")
    panel.locator(".orthanc-fold.mod-active", has_text="Configuration").wait_for()
    assert board.faults() == []


@pytest.mark.long
@pytest.mark.timeout(300)
def test_a_fault_is_switched_on_and_off(shown, artefacts):
    board = Board(shown(WITH_FAULTS), artefacts)
    keys = Keys(board)
    board.page.keyboard.press("Escape")
    keys.into(".widget-tab-bar")

    panel = keys.open("Faults")
    panel.locator("td", has_text="503 without Retry-After").wait_for()
    keys.into("tbody tr")
    keys.press("Home")
    keys.go("ArrowDown", _HAS_TEXT, "503 without Retry-After")
    keys.press(" ")
    says(panel, "Send the request again after a pause that grows")
    keys.type("where", "GET /jobs")
    keys.type("times", "1")
    keys.to("Switch on", "Shift+Tab")
    keys.press("Enter")
    says(panel, "Switched on: 503 without Retry-After.")
    board.picture("keyboard-faults")
    keys.to("Switch off", "ArrowRight")
    keys.press("Enter")
    says(panel, "Switched off: 503 without Retry-After.")
    assert board.faults() == []
