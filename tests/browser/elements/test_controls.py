"""Elements in a real browser: the table, the toolbar, the download."""

from __future__ import annotations

import hashlib

from tests.browser.board import press, says

TABLE = """\
from orthanc_lab.widgets.elements.table import Column, Table

badges = {"Good": ("check", "good")}
columns = [Column("id", "Name"), Column("size", "Size", "number"), Column("state", "State", "badge", badges)]
table = Table(columns, label="Things")
table.rows = [
    {"id": "b", "size": 10, "state": "Good"},
    {"id": "a", "size": 9, "state": ""},
    {"id": "c", "size": None, "state": "Odd"},
]
table.observe(lambda change: setattr(table, "note", "selected: " + " ".join(change["new"])), "selected")
table"""

TOOLBAR = """\
import ipywidgets
from orthanc_lab.widgets.elements.toolbar import Tool, Toolbar

tools = [Tool(key, key.capitalize(), "check") for key in ("one", "two", "three")]
said = ipywidgets.Label("pressed:")

def take(key):
    said.value += " " + key
    bar.offers = {}
    bar.offers = {"one": "", "three": "Really?"}

bar = Toolbar(tools, label="Tools", on_press=take)
bar.offers = {"one": "", "two": "", "three": "Really?"}
ipywidgets.VBox([bar, said])"""

DOWNLOAD = """\
import ipywidgets
from orthanc_lab.widgets import Download

def save(folder, progress):
    path = folder / "whole.bin"
    path.write_bytes(bytes(range(256)) * 20_000)
    return path

def fail(folder, progress):
    raise OSError("the disk is on fire")

class Lossy(Download):
    lost = 0

    def send(self, content, buffers=None):
        if content.get("part") == 2 and not self.lost:
            self.lost += 1
        else:
            super().send(content, buffers)

ipywidgets.VBox([Lossy("Whole", save), Download("Broken", fail), Download("Large", save, limit=1000)])"""


def names(table):
    return [row.split("\t")[0] for row in table.locator("tbody tr").all_inner_texts()]


def test_a_table_is_sorted_by_its_heads(shown):
    table = shown(TABLE).area.get_by_role("grid", name="Things")
    table.locator("tbody tr").nth(2).wait_for()
    assert names(table) == ["b", "a", "c"]
    head = table.get_by_role("columnheader", name="Size")
    order = []
    for _ in range(3):
        head.get_by_role("button").press("Enter")
        order.append((head.get_attribute("aria-sort"), *names(table)))
    assert order == [
        ("ascending", "a", "b", "c"),  # numbers, not texts; what is not known comes last
        ("descending", "c", "b", "a"),
        ("none", "b", "a", "c"),
    ]


def test_rows_are_selected_with_the_mouse(shown):
    table = shown(TABLE).area.locator(".orthanc-lab").first
    rows = table.locator("tbody tr")
    rows.nth(0).click()
    says(table, "selected: b")
    rows.nth(2).click(modifiers=["Shift"])
    says(table, "selected: b a c")
    rows.nth(1).click(modifiers=["ControlOrMeta"])
    says(table, "selected: b c")
    rows.nth(1).click()
    says(table, "selected: a")
    rows.nth(1).click()
    table.get_by_text("selected:", exact=True).wait_for()


def test_rows_are_selected_with_the_keyboard(shown):
    book = shown(TABLE)
    table = book.area.locator(".orthanc-lab").first
    table.locator('tbody tr[tabindex="0"]').focus()  # there is only one: one stop for the Tab key
    for key, selected in (
        ("Space", "b"),
        ("ArrowDown", "b"),
        ("Space", "b a"),
        ("End", "b a"),
        ("Enter", "b a c"),
        ("Home", "b a c"),
        ("Space", "a c"),
        ("Control+a", "b a c"),
    ):
        book.page.keyboard.press(key)
        says(table, f"selected: {selected}")
    book.page.keyboard.press("x")  # is no command of the notebook here, which would cut the cell
    book.page.keyboard.press("Escape")
    table.get_by_text("selected:", exact=True).wait_for()
    assert book.area.locator(".jp-CodeCell").count() == 1


def test_a_toolbar_keeps_the_focus_and_asks(shown):
    book = shown(TOOLBAR)
    page, bar = book.page, book.area.get_by_role("toolbar", name="Tools")
    focused = page.locator("*:focus")
    bar.get_by_role("button", name="One").focus()
    page.keyboard.press("ArrowRight")
    assert focused.inner_text().strip() == "Two"
    page.keyboard.press("Enter")  # is not offered afterwards
    page.wait_for_function("document.activeElement.getAttribute('role') === 'toolbar'")
    for name, is_offered in (("Two", False), ("Three", True)):
        bar.get_by_role("button", name=name, disabled=not is_offered).wait_for()
    page.keyboard.press("End")
    page.keyboard.press("ArrowRight")  # around to the first
    page.keyboard.press("ArrowRight")  # past the one that is not offered
    assert focused.inner_text().strip() == "Three"
    page.keyboard.press("Enter")
    book.area.get_by_role("alertdialog", name="Really?").wait_for()
    assert focused.inner_text() == "Yes, three"
    page.keyboard.press("Escape")
    assert focused.inner_text().strip() == "Three"
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert focused.inner_text() == "No"
    page.keyboard.press("Enter")
    assert focused.inner_text().strip() == "Three"
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    book.area.get_by_role("alertdialog").wait_for(state="hidden")
    says(book.area, "pressed: two three")


def test_a_download_comes_whole_though_a_part_was_lost(shown):
    book = shown(DOWNLOAD)
    with book.page.expect_download() as coming:
        press(book.area, "Whole")
    content = coming.value.path().read_bytes()
    assert coming.value.suggested_filename == "whole.bin"
    assert hashlib.sha256(content).digest() == hashlib.sha256(bytes(range(256)) * 20_000).digest()
    says(book.area, "Downloaded whole.bin (5.1 MB)")


def test_a_download_that_fails_or_is_large_says_so(shown, lab):
    book = shown(DOWNLOAD)
    press(book.area, "Broken")
    says(book.area, "the disk is on fire")
    press(book.area, "Large")
    says(book.area, "Too large for the browser (5.1 MB); saved as")
    assert [path.stat().st_size for path in lab.folder.rglob("whole.bin")] == [5_120_000]
