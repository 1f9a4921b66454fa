"""Elements in a real browser: the drop zone, the charts."""

from __future__ import annotations

import hashlib
import os

import pytest

from orthanc_lab import samples
from tests.browser.board import press, says

ZONE = """\
import hashlib
from orthanc_lab.widgets.elements.drop_zone import DropZone

names = []

def take(file):
    names.append(file.name)
    zone.label = f"{len(names)} came, the last is {file.name} with {hashlib.sha256(file.read()).hexdigest()}"

zone = DropZone(label="Files", on_file=take, max_size=20_000_000, chunk_size=300_000)
zone"""

LOSSY = ZONE.replace(
    "zone = DropZone(",
    """\
class Lossy(DropZone):
    heard = said = 0

    def receive(self, content, buffers):
        self.heard += 1
        if self.heard != 2:
            super().receive(content, buffers)

    def send(self, content, buffers=None):
        self.said += 1
        if self.said != 3:
            super().send(content, buffers)

zone = Lossy(""",
)

LOSSY_DOWNLOAD = """\
from orthanc_lab.widgets.elements.download import Download

class Lossy(Download):
    lost = {"start", "part", "done"}

    def _loses(self, kind):
        try:
            return kind in self.lost
        finally:
            self.lost.discard(kind)

    def _on_message(self, widget, content, buffers):
        if content["ask"] == "part" or not self._loses(content["ask"]):
            super()._on_message(widget, content, buffers)

    def send(self, content, buffers=None):
        if "part" not in content or not self._loses("part"):
            super().send(content, buffers)

def save(folder, progress):
    (folder / "whole.bin").write_bytes(bytes(range(256)) * 20_000)
    return folder / "whole.bin"

Lossy("Fetch", save)"""

CHARTS = """\
from math import nan
from orthanc_lab.widgets.elements.line_charts import Chart, LineCharts

charts = LineCharts(label="Load", window=60)
lines = {"read": "read", "written": "written"}
samples = [(time, {"read": time / 10, "written": nan if time == 30 else 5.0}) for time in range(10, 60)]
charts.show([Chart("Traffic", "bytes/s", lines)], [(1767268800.0 + time, values) for time, values in samples])
charts"""


@pytest.fixture
def zone(shown):
    return shown(ZONE).area.locator(".drop-zone").first


def file(name: str, content: bytes) -> dict[str, object]:
    return {"name": name, "mimeType": "application/octet-stream", "buffer": content}


def test_files_come_whole_and_in_the_order_of_their_names(zone):
    large = os.urandom(5_000_001)
    zone.locator("input").first.set_input_files([file("10.bin", large), file("9.bin", b"9")])
    says(zone, f"2 came, the last is 10.bin with {hashlib.sha256(large).hexdigest()}")
    zone.locator(".running").wait_for(state="hidden")


def test_a_chunk_that_is_lost_or_whose_answer_is_lost_is_sent_again(shown):
    zone = shown(LOSSY).area.locator(".drop-zone").first
    large = os.urandom(1_000_001)
    zone.locator("input").first.set_input_files(file("lost.bin", large))
    says(zone, f"1 came, the last is lost.bin with {hashlib.sha256(large).hexdigest()}")
    zone.locator(".running").wait_for(state="hidden")


def test_what_is_lost_of_a_download_is_asked_for_again(shown, tmp_path):
    book = shown(LOSSY_DOWNLOAD)
    button = book.area.locator(".orthanc-download").first
    with book.page.expect_download() as saved:
        press(button, "Fetch")
    saved.value.save_as(tmp_path / "whole.bin")
    assert (tmp_path / "whole.bin").read_bytes() == bytes(range(256)) * 20_000
    says(button, "Downloaded whole.bin (5.1 MB)")


def test_too_large_and_empty_files_are_refused_in_words(zone):
    zone.locator("input").first.set_input_files(
        [file("large", bytes(20_000_001)), file("empty", b""), file("good", b"x")]
    )
    says(zone, "large has 20.0 MB; at most 20.0 MB are accepted here")
    says(zone, "empty is empty")
    says(zone, "1 came, the last is good")


def test_a_folder_is_dropped(zone):
    box = zone.locator(".zone").bounding_box()
    drag = zone.page.context.new_cdp_session(zone.page)
    data = {"items": [], "files": [str(samples.path("ct/sharp"))], "dragOperationsMask": 1}
    for kind in ("dragEnter", "dragOver", "drop"):
        drag.send("Input.dispatchDragEvent", {"type": kind, "x": box["x"] + 20, "y": box["y"] + 10, "data": data})
    last = samples.dicom_files("ct/sharp")[-1]
    says(zone, f"{len(samples.dicom_files('ct/sharp'))} came, the last is sharp/{last.name}")


@pytest.mark.long
def test_while_a_cell_runs_it_says_so_and_can_be_cancelled(notebook, lab):
    gate = lab.folder / "gate"
    os.mkfifo(gate)
    book = notebook(ZONE, "open('gate').read()")
    zone = book.area.locator(".drop-zone").first
    book.menu("Run", "Run All Cells")
    zone.wait_for()
    zone.locator("input").first.set_input_files(file("waits.bin", bytes(10_000_000)))
    says(zone, "waiting for the kernel")
    press(zone, "Cancel")
    says(zone, "Canceled: one file was not sent")
    gate.write_text("")
    zone.locator("input").first.set_input_files(file("next.bin", b"next"))
    says(zone, "1 came, the last is next.bin")
    gate.unlink()
    assert book.errors == []


@pytest.mark.long
def test_a_kernel_that_was_restarted_is_said(notebook, lab):
    os.mkfifo(lab.folder / "closed")
    book = notebook(ZONE, "open('closed').read()")
    zone = book.area.locator(".drop-zone").first
    book.menu("Run", "Run All Cells")
    zone.wait_for()
    zone.locator("input").first.set_input_files(file("waits.bin", bytes(10_000_000)))
    says(zone, "waiting for the kernel")
    book.menu("Kernel", "Restart Kernel…")
    press(book.page.get_by_role("dialog"), "Restart")
    says(zone, "Interrupted: the kernel stopped before everything was sent; run the cell again")
    zone.locator(".running").wait_for(state="hidden")
    assert book.errors == []


def test_charts_show_gaps_last_values_and_the_value_under_the_cursor(shown, artefacts):
    book = shown(CHARTS, "charts", "charts.add(1767268860.0, {'read': 7.25})")
    first, late = (book.area.locator(".line-charts").nth(number) for number in (0, 1))
    for view in (first, late):
        plot = view.get_by_role("img", name="Traffic").first
        plot.wait_for()
        book.page.wait_for_function(
            "node => node.getAttribute('aria-label').endsWith('now read 7.25 bytes/s, written no value')",
            arg=plot.element_handle(),
        )
        read, written = (plot.locator(f"path.colour{number}") for number in (0, 1))
        assert [line.get_attribute("d").count("M") for line in (read, written)] == [1, 2]
    plot.focus()
    plot.press("ArrowLeft")
    plot.press("ArrowLeft")
    assert late.locator(".tip").inner_text().splitlines() == ["12:00:59 UTC", "read 5.9 bytes/s", "written 5 bytes/s"]
    late.screenshot(path=artefacts / "charts.png")
    plot.press("Escape")
    assert late.locator(".tip").is_hidden()
