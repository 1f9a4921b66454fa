"""Lessons as slides for a class, made by nbconvert, without the network."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest
from nbconvert import SlidesExporter

from tests.notebooks.book import code_cells, lessons, paths, read, tagged
from tests.notebooks.slides import LEFT_OUT, set_slides

BEGINNINGS = ("slide", "subslide")
LONGEST = 60  # lines of code on a slide, without its outputs
every_lesson = pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)


def kind(cell):
    return cell.metadata.get("slideshow", {}).get("slide_type", "-")


def slides_in(html):
    """Count the sections that begin with a cell; there are also those around a topic, and those of panels."""
    return len(re.findall(r'<section>\s*<div class="jp-Cell', html))


@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_slides_are_arranged_as_record_does_it(path):
    notebook = read(path)
    set_slides(notebook)
    assert notebook == read(path), f"python -m tests.notebooks.record notebooks/{path.name}"


@every_lesson
def test_topics_begin_slides_and_machinery_is_left_out(path):
    notebook = read(path)
    assert kind(notebook.cells[0]) == "slide"
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("## "):
            assert kind(cell) == ("skip" if cell.source.startswith(LEFT_OUT) else "slide"), cell.id
    assert {kind(cell) for cell in tagged(notebook, "solution")} == {"fragment"}, "a class thinks first"
    assert {kind(cell) for cell in tagged(notebook, "check")} == {"skip"}
    assert [kind(cell) for cell in code_cells(notebook) if cell.id == "score"] == ["skip"]


@every_lesson
def test_no_slide_is_without_words_or_too_long(path):
    lines = 0
    for cell in read(path).cells:
        if kind(cell) in BEGINNINGS:
            assert cell.cell_type == "markdown", cell.id
            lines = 0
        elif kind(cell) != "skip":
            lines += cell.source.count("\n") + 1
        assert lines <= LONGEST, cell.id


@pytest.mark.timeout(120)
def test_the_command_of_the_how_to_page_makes_slides(tmp_path):
    path = lessons()[1]
    command = [sys.executable, "-m", "nbconvert", "--to", "slides", "--SlidesExporter.reveal_scroll=True"]
    subprocess.run([*command, str(path), "--output-dir", str(tmp_path)], check=True, capture_output=True)
    html = (tmp_path / f"{path.stem}.slides.html").read_text(encoding="utf-8")
    assert slides_in(html) == sum(kind(cell) in BEGINNINGS for cell in read(path).cells)


@pytest.mark.long
@every_lesson
def test_slides_need_no_network_to_be_made(path, monkeypatch):
    monkeypatch.setattr("socket.socket.connect", lambda *args: pytest.fail(f"It asks the network: {args}"))
    html, _ = SlidesExporter().from_filename(str(path))
    assert slides_in(html) == sum(kind(cell) in BEGINNINGS for cell in read(path).cells)
    assert "# The check" not in re.sub(r"<[^>]+>", "", html)
