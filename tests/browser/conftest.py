"""One JupyterLab and one Chromium for all tests in a browser; pictures of what was seen are kept.

The pictures go to ``.artefacts/`` of the checkout, or to the folder that the variable ``ARTEFACTS`` names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import nbformat
import pytest
import requests

from tests.browser.notebook_page import NotebookPage
from tests.lab.running import Lab
from tests.programs import BROWSERS, program

ROOT = Path(__file__).parents[2]
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@pytest.fixture(scope="package")
def artefacts() -> Path:
    """Folder of pictures that a person may want to look at after the tests."""
    folder = Path(os.environ.get("ARTEFACTS", ROOT / ".artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def chromium() -> Iterator[object]:
    # Of the package, not of the session: while it lives, its event loop is the one of this thread.
    playwright = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=program(*BROWSERS), args=SWITCHES)
        yield browser
        browser.close()


@pytest.fixture(scope="package")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """JupyterLab on a copy of the notebooks, beside a server on sample data."""
    pytest.importorskip("jupyterlab")
    folder = tmp_path_factory.mktemp("lab")
    running = Lab(folder, "--port", "0", "--lab-port", "0")
    try:
        yield running.start()
    finally:
        running.kill()


@pytest.fixture
def open_page(chromium, lab: Lab, artefacts: Path, request: pytest.FixtureRequest) -> Iterator[Callable[..., object]]:
    """Open an address of JupyterLab in a fresh profile; what the test saw last is kept as a picture."""
    contexts = []

    def open_(path: str = "lab", heard: Callable[[str | bytes], None] | None = None, **options: object):
        context = chromium.new_context(viewport={"width": 1280, "height": 1400}, accept_downloads=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(60_000)
        if heard is not None:  # what comes over web sockets: the messages of kernels
            page.on("websocket", lambda socket: socket.on("framereceived", heard))
        joint = "&" if "?" in path else "?"
        page.goto(f"{lab.jupyter}/{path}{joint}token={lab.token}")
        return page

    yield open_
    for context in contexts:
        for page in context.pages:
            page.screenshot(path=artefacts / f"{request.node.name}.png")
        context.close()


@pytest.fixture
def notebook(open_page, lab: Lab) -> Iterator[Callable[..., NotebookPage]]:
    """Make a notebook of some cells, or take one of the lessons, and open it in JupyterLab."""

    def open_(*cells: str, name: str = "", **options: object) -> NotebookPage:
        if not name:
            name = f"test-{len(list(lab.folder.glob('test-*.ipynb')))}.ipynb"
            made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
            made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
            nbformat.write(made, lab.folder / name)
        return NotebookPage(open_page(f"lab/tree/{name}?reset", **options), lab.folder / name)

    yield open_
    headers = {"Authorization": f"token {lab.token}"}
    for session in requests.get(f"{lab.jupyter}/api/sessions", headers=headers, timeout=30).json():
        path = f"{lab.jupyter}/api/sessions/{session['id']}"
        assert requests.delete(path, headers=headers, timeout=60).status_code == 204
