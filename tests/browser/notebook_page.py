"""A notebook in JupyterLab, as a person uses it: menus, cells, outputs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nbformat

__all__ = ["NotebookPage", "write"]


def write(path: Path, *cells: str) -> None:
    """Write a notebook of code cells."""
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)


# What anywidget says when a page got no processor for two seconds while it loaded a module. A test of what that widget
# shows fails by itself then; one that does not look at it has no fault to report.
_NO_PROCESSOR = "[anywidget] Failed to initialize model."


class NotebookPage:
    """One notebook in its own browser page.

    Attributes
    ----------
    page
        The page of playwright.
    path
        The file.
    errors
        Exceptions in the page that nothing has caught.
    """

    def __init__(self, page: Any, path: Path) -> None:
        self.page = page
        self.path = path
        self.errors: list[str] = []
        page.on("pageerror", lambda error: self._note(str(error)))
        self.area = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self._dialog = page.locator(".jp-Dialog")
        self.area.locator(".jp-Cell").first.wait_for()
        # Only then the kernel has answered; a cell that is run before asks which kernel is meant.
        page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()

    def _note(self, error: str) -> None:
        if error != _NO_PROCESSOR:
            self.errors.append(error)

    def menu(self, *words: str) -> None:
        """Choose from the menu bar: ``menu("Run", "Run All Cells")``."""
        bar, *items = words
        self.page.locator("#jp-MainMenu .lm-MenuBar-item", has_text=bar).first.click()
        for item in items:
            self.page.locator(".lm-Menu-item", has=self.page.locator(f"text=/^{item}/")).first.click()

    def put(self, *cells: str) -> None:
        """Replace the cells by others: they are written to disk, and the notebook is read from there."""
        first = self.area.locator(".jp-Cell").first.element_handle()
        write(self.path, *cells)
        self.menu("File", "Reload Notebook from Disk")
        # What has not been saved, such as an output of a panel that still polls, has to be confirmed.
        self.page.wait_for_function("cell => !cell.isConnected || document.querySelector('.jp-Dialog')", arg=first)
        if self._dialog.count():
            self._dialog.locator(".jp-mod-accept").click()
        self.page.wait_for_function("cell => !cell.isConnected", arg=first)
        self.area.locator(".jp-Cell").nth(len(cells) - 1).wait_for()

    def run_all(self) -> None:
        """Run all cells, and wait until the last one has run."""
        self.menu("Run", "Run All Cells")
        prompts = self.area.locator(".jp-CodeCell .jp-InputArea-prompt")
        self.page.wait_for_function(
            r"cells => cells.length && cells.every(cell => /\[\d+\]/.test(cell.textContent))",
            arg=prompts.element_handles(),
        )

    def save(self) -> None:
        """Save the notebook, and wait until it is on disk."""
        with self.page.expect_response(
            lambda answer: answer.request.method == "PUT" and "/api/contents/" in answer.url
        ) as saved:
            self.menu("File", "Save Notebook")
        assert saved.value.ok
