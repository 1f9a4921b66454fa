"""One JupyterLab and one profile of Chromium for the tests in a browser; pictures of what was seen are kept.

The pictures go to ``.artefacts/`` of the checkout, or to the folder that the variable ``ARTEFACTS`` names.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.holding_peer import HoldingPeer
from tests.browser.board import CELL, Board
from tests.browser.notebook_page import NotebookPage
from tests.browser.notebooks import Notebooks
from tests.lab.running import Lab
from tests.programs import BROWSERS, program

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

WORKERS = 2  # of the server
ROOT = Path(__file__).parents[2]
SWITCHES = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"]


@pytest.fixture(scope="package")
def artefacts() -> Path:
    """Folder of pictures that a person may want to look at after the tests."""
    folder = Path(os.environ.get("ARTEFACTS", ROOT / ".artefacts"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@pytest.fixture(scope="package")
def profile(tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A profile on disk: only there Chromium keeps the compiled JavaScript of JupyterLab for the next page."""
    # Of the package, not of the session: while it lives, its event loop is the one of this thread.
    playwright = pytest.importorskip("playwright.sync_api", reason="drives the browser: pip install playwright")
    with playwright.sync_playwright() as driver:
        context = driver.chromium.launch_persistent_context(
            tmp_path_factory.mktemp("profile"),
            executable_path=program(*BROWSERS),
            args=SWITCHES,
            viewport={"width": 1280, "height": 1400},
        )
        context.set_default_timeout(60_000)
        yield context
        context.close()


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


@pytest.fixture(scope="package")
def notebooks(profile: BrowserContext, lab: Lab) -> Notebooks:
    """Notebooks of this JupyterLab in this browser."""
    return Notebooks(profile, lab)


@pytest.fixture(scope="package")
def kept(notebooks: Notebooks) -> Iterator[dict[int, NotebookPage]]:
    """The page and the kernel that tests hand on, by how many tests had failed when it was opened."""
    books: dict[int, NotebookPage] = {}
    yield books
    for book in books.values():
        notebooks.close(book)


@pytest.fixture
def open_notebook(kept: dict[int, NotebookPage], notebooks: Notebooks, request: pytest.FixtureRequest) -> NotebookPage:
    """One page and one kernel for many tests; each of them puts its own cells into the notebook.

    What a test that failed has left there, such as a dialog or a cell that runs for ever, is not handed on.
    """
    failed = request.session.testsfailed
    if failed not in kept:
        while kept:
            notebooks.close(kept.popitem()[1])
        kept[failed] = notebooks.open("pass")
    return kept[failed]


@pytest.fixture
def shown(
    open_notebook: NotebookPage, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., NotebookPage]]:
    """Run some cells in the notebook that is open; the page reports no error until the test ends."""
    book = open_notebook
    book.errors.clear()

    def run(*cells: str) -> NotebookPage:
        book.put("import ipywidgets; ipywidgets.Widget.close_all()\n" + cells[0], *cells[1:])
        book.run_all()
        return book

    yield run
    book.page.screenshot(path=artefacts / f"{request.node.name}.png")
    assert book.errors == []
    assert book.area.get_by_text("javascript error").count() == 0


@pytest.fixture
def notebook(
    notebooks: Notebooks, artefacts: Path, request: pytest.FixtureRequest
) -> Iterator[Callable[..., NotebookPage]]:
    """Make a notebook of some cells with a page and a kernel of its own; what was seen last is kept as a picture."""
    books = []

    def open_(*cells: str, heard: Callable[[str | bytes], None] | None = None) -> NotebookPage:
        books.append(notebooks.open(*cells, heard=heard))
        return books[-1]

    yield open_
    for book in books:
        book.page.screenshot(path=artefacts / f"{request.node.name}.png")
        notebooks.close(book)


@pytest.fixture
def open_page(notebooks: Notebooks) -> Iterator[Callable[[str], Page]]:
    """Open an address of JupyterLab."""
    pages = []

    def open_(path: str) -> Page:
        pages.append(notebooks.page(path))
        return pages[-1]

    yield open_
    for page in pages:
        page.close()


@pytest.fixture
def client(lab) -> Iterator[orthanc_lab.Client]:
    """The server, beside the browser: what it holds when the test begins is what it holds in the end."""
    with orthanc_lab.Client(lab.orthanc) as client:
        before = {study.id for study in client.studies}
        count = client.statistics["CountInstances"]
        yield client
        for study in client.studies:
            if study.id not in before:
                study.delete()
        if client.statistics["CountInstances"] != count:  # a sample has been deleted, or a part of it
            client.upload(samples.folder(), progress=False)
        for name in client.modalities:
            client.modalities[name].remove()


@pytest.fixture
def board(shown, artefacts, client) -> Board:
    return Board(shown(CELL), artefacts)


@pytest.fixture
def busy(client) -> Iterator[HoldingPeer]:
    """All workers of the server are busy, until the peer lets go: further jobs stay where they are."""
    with HoldingPeer() as peer:
        client.transport.send("PUT", "/peers/held", json={"Url": peer.url})
        peer.hold()
        resources = [client.instances.find()[0].id]
        jobs = [client.jobs.submit("/peers/held/store", {"Resources": resources}) for _ in range(WORKERS)]
        peer.wait_until_held(WORKERS)
        yield peer
        peer.let_go()
        for job in jobs:
            job.wait()
        client.transport.send("DELETE", "/peers/held")
