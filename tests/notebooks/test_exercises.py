"""A notebook as its reader gets it, with the exercises unsolved: what it draws, and what its checks say."""

from __future__ import annotations

import functools

import pytest
from PIL import Image, ImageDraw

from tests.notebooks.book import ELSEWHERE, code_cells, paths, read, tagged
from tests.notebooks.pictures import look_alike, pictures_of
from tests.notebooks.record import IGNORED, run
from tests.notebooks.validation import NOTEBOOK_SECONDS

every_notebook = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
pytestmark = pytest.mark.timeout(3 * NOTEBOOK_SECONDS)


@functools.cache
def unsolved(path):
    """Return the notebook after a run without its solutions."""
    notebook = read(path)
    solutions = {cell.id for cell in tagged(notebook, "solution")}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in solutions]
    run(notebook, path.parent, allow_errors=True)
    return notebook


@pytest.fixture(autouse=True)
def own_server(monkeypatch):
    for name in ELSEWHERE:
        monkeypatch.delenv(name, raising=False)


@every_notebook
def test_without_an_answer_each_check_fails_with_a_hint(path):
    for cell in tagged(unsolved(path), "check"):
        (error,) = (output for output in cell.outputs if output.output_type == "error")
        assert (error.ename, error.evalue != "") == ("AssertionError", True), cell.id


@every_notebook
def test_its_saved_pictures_are_those_that_it_draws(path):
    drawn = {cell.id: list(pictures_of(cell)) for cell in code_cells(unsolved(path))}
    for cell in code_cells(read(path)):
        if cell.id in drawn and IGNORED not in cell.source:
            saved = list(pictures_of(cell))
            assert len(saved) == len(drawn[cell.id]), cell.id
            assert all(map(look_alike, saved, drawn[cell.id])), cell.id


def test_pictures_that_do_not_look_alike_are_told_apart():
    empty, bar = (Image.new("RGB", (600, 300), "white") for _ in range(2))
    ImageDraw.Draw(bar).rectangle((100, 100, 300, 160), fill="blue")
    assert look_alike(bar, bar.copy())
    assert not look_alike(empty, bar)
    assert not look_alike(bar, bar.resize((600, 350)))
