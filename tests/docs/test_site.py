"""The site builds without a warning, and everything that is public is on it."""

from __future__ import annotations

import csv
import importlib
import io
import json
import posixpath
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from sphinx.util.inventory import InventoryFile

from orthanc_lab.frames.columns import COLUMNS
from orthanc_lab.server.api_document import cheat_sheet
from orthanc_lab.server.options.option_table import OPTIONS

pytestmark = [pytest.mark.long, pytest.mark.timeout(300)]

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
PUBLIC = [
    "orthanc_lab",
    "orthanc_lab.client",
    "orthanc_lab.frames",
    "orthanc_lab.frames.charts",
    "orthanc_lab.samples",
    "orthanc_lab.testing.plugin",
    "orthanc_lab.widgets",
]


class Page(HTMLParser):
    """What can be pointed at on a page, and what it points at."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.anchors: set[str] = {""}
        self.links: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        self.anchors |= {name for name in (named.get("id"), named.get("name")) if name}
        self.links += [link for link in (named.get("href"), named.get("src")) if link]

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.fixture(scope="module")
def pages(site: Path) -> dict[str, Page]:
    return {path.relative_to(site).as_posix(): Page(path.read_text("utf-8")) for path in sorted(site.rglob("*.html"))}


@pytest.fixture(scope="module")
def documented(site: Path) -> set[str]:
    """Dotted names of all objects on the site."""
    inventory = InventoryFile.loads((site / "objects.inv").read_bytes(), uri="").data
    return {name for kind, names in inventory.items() if kind.startswith("py:") for name in names}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_name_is_on_the_site(module: str, documented: set[str]) -> None:
    missing = [name for name in getattr(importlib.import_module(module), "__all__", ()) if not _is_on(name, documented)]
    assert missing == []


def _is_on(name: str, documented: set[str]) -> bool:
    return any(full.rpartition(".")[2] == name for full in documented)


def test_every_option_is_on_the_site(pages: dict[str, Page]) -> None:
    words = set(pages["reference/settings.html"].text.split())
    assert set(OPTIONS) - words == set()


def test_every_route_is_on_the_site(pages: dict[str, Page]) -> None:
    words = set(pages["reference/routes.html"].text.split())
    assert {row["Path"] for row in csv.DictReader(io.StringIO(cheat_sheet()))} - words == set()


def test_every_column_is_on_the_site(pages: dict[str, Page]) -> None:
    words = set(pages["reference/columns.html"].text.split())
    assert set(COLUMNS) - words == set()


def test_every_accepted_difference_is_on_the_site(pages: dict[str, Page]) -> None:
    from orthanc_lab.testing.ledger import Ledger
    from orthanc_lab.testing.scenarios import LEDGER

    text = " ".join(pages["reference/differences.html"].text.split())
    lines = Ledger.read(LEDGER).lines
    assert lines
    assert [line.reason for line in lines if " ".join(line.reason.split()) not in text] == []


def test_no_link_inside_the_site_is_broken(site: Path, pages: dict[str, Page]) -> None:
    links = list(_links(pages))
    assert len(links) > 100
    broken = []
    for page, link in links:
        target, fragment = _target(page, link)
        if not (site / target).is_file() or (target in pages and fragment not in pages[target].anchors):
            broken.append(f"{page}: {link}")
    assert broken == []


def _links(pages: dict[str, Page]) -> Iterator[tuple[str, str]]:
    for name, page in pages.items():
        for link in page.links:
            if not urlsplit(link).scheme and not urlsplit(link).netloc:
                yield name, link


def _target(page: str, link: str) -> tuple[str, str]:
    parts = urlsplit(link)
    path = posixpath.normpath(posixpath.join(posixpath.dirname(page), unquote(parts.path))) if parts.path else page
    return path, unquote(parts.fragment)


def test_nothing_is_fetched_from_elsewhere(pages: dict[str, Page], site: Path) -> None:
    """A page shows itself without the network: no script, style or font of another host."""
    for name in pages:
        parser = Sources()
        parser.feed((site / name).read_text("utf-8"))
        assert parser.remote == [], name


class Sources(HTMLParser):
    """What a browser would fetch from another host to show a page."""

    def __init__(self) -> None:
        super().__init__()
        self.remote: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        named = dict(attributes)
        fetched = named.get("src") or (named.get("href") if tag == "link" and named.get("rel") != "canonical" else None)
        if fetched and urlsplit(fetched).netloc:
            self.remote.append(fetched)


def test_tables_of_cards_have_room_between_their_columns(site: Path) -> None:
    (style,) = site.rglob("site.css")
    (page,) = site.rglob("01_quick_tour.html")
    assert 'class="output text_html"' in page.read_text("utf-8")
    assert ".cell_output .text_html :is(th, td) { padding: " in style.read_text("utf-8"), (
        "JupyterLab does so, not Sphinx"
    )


def test_the_picture_in_the_lesson_shows_the_state_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(NOTEBOOKS.parent / "docs" / "extension"))
    states = importlib.import_module("job_states")
    lesson = json.loads((NOTEBOOKS / "02_jobs.ipynb").read_text("utf-8"))
    (cell,) = [cell for cell in lesson["cells"] if cell["id"] == "states-words"]
    assert f"![{states.in_words(states.arrows())}](attachment:states.png)" in "".join(cell["source"]), (
        "python docs/make_states_picture.py"
    )
    assert list(cell["attachments"]) == ["states.png"]


@pytest.mark.parametrize("notebook", sorted(path.stem for path in NOTEBOOKS.glob("*.ipynb")))
def test_what_a_notebook_has_saved_is_on_its_page(notebook: str, pages: dict[str, Page]) -> None:
    shown = "".join(pages[f"tutorial/notebooks/{notebook}.html"].text.split())
    cells = json.loads((NOTEBOOKS / f"{notebook}.ipynb").read_text("utf-8"))["cells"]
    texts = [text for cell in cells for output in cell.get("outputs", ()) for text in _texts(output)]
    assert texts
    assert [text for text in texts if "".join(text.split()) not in shown] == []


def _texts(output: dict[str, Any]) -> Iterator[str]:
    if "text" in output:
        yield from "".join(output["text"]).splitlines()
    elif "text/html" in output["data"]:
        yield Page("".join(output["data"]["text/html"])).text
