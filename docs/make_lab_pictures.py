"""Make the screenshots of JupyterLab for README and lesson 07; needs chromium, the extras ``notebook`` and ``test``.

Run ``python docs/make_lab_pictures.py`` in an environment that has the package.
"""

import base64
import io
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import nbformat
from PIL import Image
from playwright.sync_api import Locator, Page, sync_playwright

import orthanc_lab
from orthanc_lab.testing.holding_peer import HoldingPeer

HERE = Path(__file__).resolve().parent
NOTEBOOK = "07_dashboard.ipynb"


@contextmanager
def running_lab(folder: Path) -> Iterator[tuple[str, str]]:
    """Run ``orthanc-lab lab``; yields the addresses of Orthanc and of JupyterLab."""
    command = [sys.executable, "-m", "orthanc_lab", "lab", "--no-browser", "--folder", str(folder)]
    with subprocess.Popen([*command, "--port", "0", "--lab-port", "0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        addresses = {}
        for line in process.stdout:
            label, _, rest = line.partition(":")
            addresses[label] = rest.strip()
            if label == "JupyterLab":
                break
        yield addresses["Orthanc"], addresses["JupyterLab"]
        process.terminate()


@contextmanager
def opened(address: str, height: int) -> Iterator[Page]:
    """Open JupyterLab in a browser."""
    with sync_playwright() as driver:
        browser = driver.chromium.launch(
            executable_path=shutil.which("chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        page = browser.new_page(viewport={"width": 1440, "height": height})
        page.set_default_timeout(60_000)
        page.goto(address.replace("00_start_here.ipynb?", f"{NOTEBOOK}?reset&"))
        yield page
        browser.close()


def run_notebook(page: Page) -> Locator:
    """Run all cells; returns the dashboard."""
    page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()
    page.locator("#jp-MainMenu .lm-MenuBar-item", has_text="Run").first.click()
    page.locator(".lm-Menu-item", has_text="Run All Cells").first.click()
    board = page.locator(".jp-Notebook .widget-tab").first
    board.wait_for()
    page.locator("#jp-bottom-panel").get_by_text("| Idle").wait_for()
    return board


def tab(board: Locator, title: str) -> Locator:
    """Select a tab of the dashboard; returns its panel."""
    board.get_by_role("tab", name=title, exact=True).click()
    panel = board.locator(".widget-tab-contents > :not(.lm-mod-hidden)").first
    panel.wait_for()
    return panel


def lab_picture(page: Page, board: Locator) -> None:
    """Show slices in JupyterLab."""
    panel = tab(board, "Browser")
    panel.get_by_role("treeitem", name="Phantom CT").click()
    panel.get_by_text("Soft tissue").first.click()
    panel.get_by_text("Slice 11 of 20").first.wait_for()
    board.evaluate("node => node.scrollIntoView({block: 'start'})")
    page.screenshot(path=HERE / "lab.png")


def jobs_picture(board: Locator, client: orthanc_lab.Client) -> None:
    """Show jobs in all states."""
    with HoldingPeer() as peer:
        studies = [study.id for study in client.studies]
        client.transport.send("PUT", "/peers/archive-room", json={"Url": peer.url})
        client.studies.find(PatientName="Phantom^MR")[0].archive_job().wait()
        peer.hold()
        sent = [client.jobs.submit("/peers/archive-room/store", {"Resources": studies}) for _ in range(2)]
        peer.let_through(31)
        peer.wait_until_held()
        client.archive_job(client.studies.find()[0], priority=5)
        client.media_job(client.studies.find()[0]).pause()
        client.archive_job(client.studies.find()[1]).cancel()
        panel = tab(board, "Jobs")
        panel.locator("tbody tr", has_text="Paused").click()
        panel.get_by_role("button", name="Resume").and_(panel.locator(":enabled")).wait_for()
        board.screenshot(path=HERE / "jobs.png")
        peer.let_go()
        for job in sent:
            job.wait()


def attach(*names: str) -> None:
    """Put pictures into the first cell of the lesson, with few colors so that it stays small."""
    path = HERE.parent / "notebooks" / NOTEBOOK
    notebook = nbformat.read(path, as_version=4)
    notebook.cells[0].attachments = {name: {"image/png": _small(HERE / name)} for name in names}
    nbformat.write(notebook, path)


def _small(path: Path) -> str:
    with Image.open(path) as picture, io.BytesIO() as out:
        picture.convert("RGB").quantize(64, dither=Image.Dither.NONE).save(out, "png", optimize=True)
        return base64.b64encode(out.getvalue()).decode("ascii")


def main() -> None:
    """Write both images to the folder of this file, and into the lesson."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_lab(Path(folder)) as (orthanc, jupyter),
        opened(jupyter, 1010) as page,
    ):
        board = run_notebook(page)
        lab_picture(page, board)
        jobs_picture(board, orthanc_lab.Client(orthanc))
    attach("lab.png", "jobs.png")


if __name__ == "__main__":
    main()
