"""The dashboard without a mouse: a study becomes an archive, its job is controlled, slices are looked at."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.board import Board, says

_MOST_STOPS = 60  # of the Tab key, from one end of a panel to the other
_HAS_NAME = """\
(name) => {
    const here = document.activeElement;
    if (!here?.closest('.orthanc-dashboard')) return false;
    return (here.getAttribute('aria-label') ?? here.innerText ?? '').trim().startsWith(name);
}"""
_IS_WITHIN = "(place) => Boolean(document.activeElement?.closest(`.orthanc-dashboard ${place}`))"


class Keys:
    """The keyboard, and where the focus is."""

    def __init__(self, board: Board) -> None:
        self.board = board
        self.page = board.page

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
