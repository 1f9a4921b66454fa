"""JupyterLab itself: a cell with a widget, and the tile that opens the server's page."""

from __future__ import annotations

import re

import pytest

from orthanc_lab import samples

pytestmark = pytest.mark.timeout(300)

BUTTON = """\
import ipywidgets
button, answer = ipywidgets.Button(description="Press me"), ipywidgets.Label("not yet")
button.on_click(lambda _: setattr(answer, "value", "pressed"))
ipywidgets.VBox([button, answer])"""


def test_a_button_calls_the_kernel(shown):
    book = shown(BUTTON)
    book.area.get_by_role("button", name="Press me").click()
    book.area.get_by_text("pressed", exact=True).wait_for()


def test_the_tile_opens_the_page_of_the_server(open_page, artefacts):
    page = open_page("lab?reset")
    tile = page.locator(".jp-LauncherCard", has_text="Orthanc")
    tile.locator("img").wait_for()
    page.wait_for_function("picture => picture.naturalWidth > 0", arg=tile.locator("img").element_handle())
    page.screenshot(path=artefacts / "launcher.png")
    assert tile.inner_text().strip() == "Orthanc"
    tile.click()
    shown = page.locator(".jp-ServerProxy iframe").element_handle().content_frame()
    shown.wait_for_url(re.compile(r"/orthanc/app/explorer\.html"))
    shown.locator("#study-list > details").nth(2).wait_for()
    shown.locator("#server-name", has_text="orthanc-lab").wait_for()

    before = shown.locator("#study-list > details").count()
    shown.locator("#file-input").set_input_files([samples.path("chart.png")])
    shown.get_by_text("1 of 1 files were stored.").wait_for()
    shown.wait_for_function(f"document.querySelectorAll('#study-list > details').length == {before + 1}")
    with page.expect_download() as download:
        shown.locator("#study-list > details").first.locator("summary").click()
        shown.get_by_role("button", name="Download ZIP").first.click()
    assert download.value.path().read_bytes()[:2] == b"PK"
    assert shown.locator("#notice").is_hidden()

    shown.locator("#file-input").set_input_files([samples.path("report.pdf")])
    shown.wait_for_function(f"document.querySelectorAll('#study-list > details').length == {before + 2}")
    shown.locator("#study-list > details:not([open])", has_text="Uploaded").locator("summary").first.click()
    study = shown.locator("#study-list > details", has_text="report.pdf")
    with page.expect_download() as download:
        study.locator("details", has_text="report.pdf").locator("summary").first.click()
        study.get_by_text("Download the document").click()
    assert download.value.path().read_bytes()[:5] == b"%PDF-"
    page.screenshot(path=artefacts / "tile.png")
