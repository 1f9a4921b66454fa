"""Tree and tags in a real browser: keyboard, what a screen reader is told, pictures."""

from __future__ import annotations

import pytest

TREE = """\
from orthanc_lab.widgets.elements.tree import Node, Tree

class Numbers:
    def children(self, id):
        return (Node(f"{id}{n}.", f"<b>{id}{n}</b>", parent=id, is_leaf=bool(id)) for n in range(1, 13))

tree = Tree(Numbers(), label="Numbers", mode="check", page=10)
tree"""

TAGS = """\
from orthanc_lab.widgets.elements.tag_table import TagTable
from orthanc_lab.widgets.browser.tag_rows import tag_rows

table = TagTable(lambda row: row.value)
inner = {"0008,0104": {"Name": "CodeMeaning", "Type": "String", "Value": "<i>Brain</i>"}}
table.show(tag_rows({
    "0008,2218": {"Name": "AnatomicRegionSequence", "Type": "Sequence", "Value": [inner]},
    "0020,4000": {"Name": "ImageComments", "Type": "String", "Value": "long " * 100},
}))
table"""


@pytest.fixture
def output(shown):
    """Run one cell and return its output."""
    books = []

    def run(cell: str):
        books.append(shown(cell))
        return books[0].area

    yield run
    assert books[0].area.locator(".jp-Cell").count() == 1  # no key was a command of the notebook


def press(area, *keys: str) -> None:
    for key in keys:
        area.page.keyboard.press(key)


def focused(area) -> str:
    return area.page.evaluate("document.activeElement.getAttribute('aria-label') ?? document.activeElement.textContent")


def state(area, label: str, name: str) -> str | None:
    return area.get_by_role("treeitem", name=label, exact=True).get_attribute(f"aria-{name}")


def test_a_tree_by_keyboard(output):
    area = output(TREE)
    first = area.get_by_role("treeitem", name="<b>1</b>", exact=True)
    first.focus()
    press(area, "ArrowRight")
    area.get_by_role("treeitem", name="<b>1.1</b>", exact=True).wait_for()
    press(area, "ArrowRight", "ArrowDown", "Space")
    assert focused(area) == "<b>1.2</b>"
    area.locator("[aria-checked=mixed]").wait_for()
    assert [state(area, label, "checked") for label in ("<b>1</b>", "<b>1.1</b>", "<b>1.2</b>", "<b>2</b>")] == [
        "mixed",
        "false",
        "true",
        "false",
    ]
    press(area, "ArrowLeft", "ArrowLeft")
    area.locator("[aria-expanded=true]").wait_for(state="detached")
    assert focused(area) == "<b>1</b>"
    press(area, "<", "b", ">", "4", "x", "d", "d")
    press(area, "Home", "ArrowUp")
    assert focused(area) == "<b>1</b>"


LONG = """\
from orthanc_lab.widgets.elements.tree import Node, Tree

class Patients:
    def children(self, id):
        yield Node("1", "Phantom CT", note="PHANTOM-CT · 1 study", is_leaf=True)
        yield Node("2", "Wolfeschlegelsteinhausenbergerdorff Hubert", note="X" * 64, is_leaf=True)

tree = Tree(Patients(), label="Patients", mode="check")
tree.layout.width = "215px"
tree"""


def test_long_names_in_a_narrow_tree(output):
    area = output(LONG)
    short, long = (area.get_by_role("treeitem").nth(number) for number in (0, 1))
    words = """item => {
        const range = document.createRange();
        const text = item.querySelector(".orthanc-label").firstChild;
        range.setStart(text, 0);
        range.setEnd(text, "Phantom".length);
        return range.getClientRects().length;
    }"""
    assert short.evaluate(words) == 1, "a word is broken where there is a space to break at"
    label, box = (long.locator(part).bounding_box() for part in (".orthanc-label", ".orthanc-box"))
    assert label["height"] > 3 * box["height"]
    assert label["y"] <= box["y"] <= label["y"] + box["height"], "the box is at the first line"
    assert long.evaluate("item => item.scrollWidth <= item.clientWidth")


def test_more_of_a_tree(output):
    area = output(TREE)
    area.get_by_role("treeitem", name="<b>3</b>", exact=True).focus()
    assert state(area, "<b>3</b>", "setsize") == "-1"
    press(area, "End")
    assert focused(area) == "Show more …"
    press(area, "Enter")
    area.get_by_role("treeitem", name="<b>12</b>", exact=True).wait_for()
    assert [state(area, "<b>12</b>", name) for name in ("setsize", "posinset", "level")] == ["12", "12", "1"]
    assert focused(area) == "<b>10</b>"
    assert area.get_by_text("Show more …").count() == 0


@pytest.mark.long
def test_a_second_view_and_a_page_that_was_loaded_again_show_the_same(notebook):
    book = notebook(TREE, "tree.opened = ['2.']; tree.toggle('2.3.'); tree")
    book.run_all()
    for area in (book.area, None):
        if area is None:
            book.save()
            book.page.reload()
        trees = book.area.get_by_role("tree", name="Numbers")
        trees.nth(1).wait_for()
        for number in range(2):
            tree = trees.nth(number)
            tree.get_by_role("treeitem", name="<b>2.12</b>", exact=True).or_(
                tree.get_by_text("Show more …")
            ).first.wait_for()
            tree.locator("li[aria-checked=true]", has_text="2.3").first.wait_for()
    assert book.errors == []


def test_tags_open_and_show_all(output):
    area = output(TAGS)
    table = area.get_by_role("treegrid")
    table.get_by_text("AnatomicRegionSequence").wait_for()
    assert table.get_by_text("<i>Brain</i>").is_hidden()
    table.locator("tbody tr").first.focus()
    press(area, "ArrowRight", "ArrowRight", "ArrowRight")
    table.get_by_text("<i>Brain</i>").wait_for()
    press(area, "x", "d", "d")
    table.get_by_role("button", name="Show all of ImageComments").click()
    area.page.wait_for_function(
        "() => [...document.querySelectorAll('[role=treegrid] td')].some(cell => cell.textContent.length === 500)"
    )


GALLERY = """\
from orthanc_lab.widgets.elements.gallery import Gallery, GalleryItem

gallery = Gallery(label="Series")
gallery.show([GalleryItem("a", "OT · Report", words="Encapsulated PDF: <b>Letter</b>")])
gallery"""


def test_the_gallery_says_why_there_is_no_picture(output):
    words = output(GALLERY).get_by_role("option", name="OT · Report").locator(".orthanc-thumbnail")
    assert words.inner_text() == "Encapsulated PDF: <b>Letter</b>"
    assert words.evaluate("words => getComputedStyle(words).color != getComputedStyle(words).backgroundColor")
