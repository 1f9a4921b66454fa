"""Notebook 07 as a web page without code: Voilà runs it, and its panels work there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE
from orthanc_lab.server.loopback import free_port
from tests.browser.board import press, says

ROOT = Path(__file__).parents[2]
NOTEBOOK = ROOT / "notebooks" / "07_dashboard.ipynb"
SERVING = "Voil\N{LATIN SMALL LETTER A WITH GRAVE} is running at"

pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def voila(tmp_path: Path):
    """Voilà, on the notebook: its address."""
    pytest.importorskip("voila")
    port = free_port()
    words = [NOTEBOOK, "--no-browser", f"--port={port}", "--Voila.ip=127.0.0.1", "--show_tracebacks=True"]
    environment = {name: value for name, value in os.environ.items() if name not in (VARIABLE, LAB_VARIABLE)}
    process = subprocess.Popen(
        [sys.executable, "-m", "voila", *words], cwd=tmp_path, env={**environment, "HOME": str(tmp_path)},
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    )  # fmt: skip
    said = []
    for line in process.stdout:
        said.append(line)
        if SERVING in line:
            break
    else:
        raise AssertionError("".join(said))
    yield f"http://127.0.0.1:{port}/"
    process.terminate()
    process.communicate()


@pytest.mark.long
def test_the_application_works_without_its_code(profile, voila, artefacts):
    page = profile.new_page()
    page.set_default_timeout(90_000)
    page.goto(voila)
    boards = page.locator(".widget-tab")
    application = boards.nth(1)  # the first is the whole dashboard
    application.wait_for()
    assert page.get_by_text("Traceback").count() == 0
    assert page.get_by_text("class ReadingList").count() == 0
    assert page.get_by_text("javascript error").count() == 0

    row = application.locator("tbody tr", has_text="Phantom MR")
    says(row, "unread")
    row.click()
    press(application, "Mark as read")
    row.get_by_text("read", exact=True).wait_for()
    application.screenshot(path=artefacts / "voila-application.png")

    whole = boards.first
    whole.get_by_role("tab", name="Browser", exact=True).click()
    panel = whole.locator(".widget-tab-contents > :not(.lm-mod-hidden)").first
    panel.get_by_role("treeitem", name="Phantom CT").click()
    panel.get_by_text("CT · Soft tissue").locator("visible=true").first.click()
    canvas = panel.locator(".orthanc-frame:not(.orthanc-late) [aria-label*='Slice 11 of 20']")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    panel.locator(".orthanc-readout", has_text="HU").wait_for()
    panel.locator(".orthanc-viewer").get_by_role("button", name="Play").click()
    panel.get_by_role("img", name="CT · Soft tissue · Slice 1 of 20").wait_for()
    panel.locator(".orthanc-viewer").get_by_role("button", name="Stop").click()
    panel.get_by_role("combobox", name="Show", exact=True).select_option("planes")
    panel.get_by_role("img", name="CT · Soft tissue · sagittal 65 of 128").wait_for()
    whole.screenshot(path=artefacts / "voila-viewer.png")
    assert page.get_by_text("javascript error").count() == 0
    page.screenshot(path=artefacts / "voila.png", full_page=True)
    page.close()
