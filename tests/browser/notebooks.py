"""Notebooks that tests make, open in JupyterLab and close with their kernels."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.browser.notebook_page import NotebookPage, write
from tests.lab.running import Lab

__all__ = ["Notebooks"]


class Notebooks:
    """The notebooks of one JupyterLab in one profile of a browser."""

    def __init__(self, profile: Any, lab: Lab) -> None:
        self._profile = profile
        self._lab = lab
        self._made = 0

    def page(self, path: str, heard: Callable[[str | bytes], None] | None = None) -> Any:
        """Open an address of JupyterLab; what comes over its web sockets is passed to `heard`."""
        page = self._profile.new_page()
        if heard is not None:
            page.on("websocket", lambda socket: socket.on("framereceived", heard))
        joint = "&" if "?" in path else "?"
        page.goto(f"{self._lab.jupyter}/{path}{joint}token={self._lab.token}")
        return page

    def open(self, *cells: str, heard: Callable[[str | bytes], None] | None = None) -> NotebookPage:
        """Make a notebook of some cells and open it in a new page."""
        self._made += 1
        path = self._lab.folder / f"test-{self._made}.ipynb"
        write(path, *cells)
        return NotebookPage(self.page(f"lab/tree/{path.name}?reset", heard), path)

    def close(self, book: NotebookPage) -> None:
        """End the kernel of a notebook and close its page."""
        book.page.close()
        sessions = f"{self._lab.jupyter}/api/sessions"
        for session in self._lab.session.get(sessions, timeout=30).json():
            if session["path"] == book.path.name:
                assert self._lab.session.delete(f"{sessions}/{session['id']}", timeout=60).status_code == 204
