"""Every notebook runs from top to bottom, and gives the outputs that are saved in it.

nbval compares text and HTML letter by letter (what may differ stands in ``sanitize.cfg``). It does not compare
pictures: their bytes depend on the versions of matplotlib and of the compression library, so that how they look is
compared here. In the same run each check is also tried before its exercise is solved, with answers of other kinds: it
must fail with a hint.
"""

from __future__ import annotations

import copy
import re

import nbformat
import pytest
from PIL import Image, ImageDraw

from tests.notebooks.book import code_cells, paths, read, sanitized, tagged
from tests.notebooks.pictures import LIVE, are_charts_of_the_same, look_alike, pictures_of
from tests.notebooks.programs import need_program
from tests.notebooks.record import is_ignored, run
from tests.notebooks.validation import NOTEBOOK_SECONDS, validate

UNSOLVED = """\
shown = False
for wrong in (None, "text", -1, [None], {{}}, ...):
    {name} = wrong
    try:
        exec({check!r}, globals())
    except AssertionError as error:
        assert isinstance(error.__cause__ or error, AssertionError), f"a check that cannot handle {{wrong!r}}"
        assert str(error.__cause__ or error), "a check without a hint"
    else:
        raise AssertionError(f"a check that is content with {{wrong!r}}")
    finally:
        {name} = ...
"""


def with_unsolved_exercises(notebook: nbformat.NotebookNode) -> nbformat.NotebookNode:
    """Try each check also before the solution above it, without an answer and with answers of any other kind."""
    for exercise, check in zip(tagged(notebook, "exercise"), tagged(notebook, "check"), strict=True):
        (name,) = re.findall(r"^(\w+) = \.\.\.$", exercise.source, re.MULTILINE)
        source = UNSOLVED.format(check=check.source, name=name)
        cell = nbformat.v4.new_code_cell(source, execution_count=1, id=f"{check.id}-first")
        notebook.cells.insert(notebook.cells.index(check) - 1, cell)
    return notebook


EVERY = 8  # in the usual run: 01, 09


@pytest.mark.timeout(3 * NOTEBOOK_SECONDS)
@pytest.mark.parametrize(
    "path",
    [
        pytest.param(path, id=path.stem, marks=[] if number % EVERY == 1 else pytest.mark.long)
        for number, path in enumerate(paths())
    ],
)
def test_a_run_gives_what_is_saved_and_checks_give_hints(path, tmp_path):
    need_program(path)
    copy = tmp_path / path.name
    nbformat.write(with_unsolved_exercises(read(path)), copy)
    found = validate(copy, tmp_path)
    assert found.passed, found.report
    for cell in code_cells(read(path)):
        if not is_ignored(cell):
            saved, drawn = list(pictures_of(cell)), list(pictures_of(found.outputs[cell.id]))
            assert len(saved) == len(drawn), cell.id
            same = are_charts_of_the_same if LIVE in cell.metadata.get("tags", []) else look_alike
            assert all(map(same, saved, drawn)), cell.id


def test_a_check_that_gives_no_hint_is_found(tmp_path):
    sources = {
        "exercise": "answer = ...",
        "solution": "if answer is ...:\n    answer = 1",
        "check": "assert answer == 1",
    }
    notebook = nbformat.v4.new_notebook()
    for tag, source in sources.items():
        notebook.cells.append(
            nbformat.v4.new_code_cell(source, id=tag, execution_count=1, metadata={"tags": [tag]}),
        )
    nbformat.write(with_unsolved_exercises(notebook), tmp_path / "lesson.ipynb")
    found = validate(tmp_path / "lesson.ipynb", tmp_path)
    assert found.failing == {"check-first"}
    assert "a check without a hint" in found.report


def test_pictures_that_do_not_look_alike_are_told_apart():
    empty, bar = (Image.new("RGB", (600, 300), "white") for _ in range(2))
    ImageDraw.Draw(bar).rectangle((100, 100, 300, 160), fill="blue")
    assert look_alike(bar, bar.copy())
    assert not look_alike(empty, bar)
    assert not look_alike(bar, bar.resize((600, 350)))


def test_live_charts_may_differ_in_where_their_lines_are_but_not_in_what_they_show():
    empty, early, late, many = (Image.new("RGB", (600, 300), "white") for _ in range(4))
    ImageDraw.Draw(early).rectangle((10, 100, 300, 160), fill="blue")
    ImageDraw.Draw(late).rectangle((250, 200, 580, 250), fill="blue")
    ImageDraw.Draw(many).rectangle((0, 0, 580, 250), fill="blue")
    ImageDraw.Draw(empty).rectangle((10, 100, 300, 160), fill="grey")
    assert not look_alike(early, late)
    assert are_charts_of_the_same(early, late)
    assert not are_charts_of_the_same(early, many)
    assert not are_charts_of_the_same(early, empty)
    assert not are_charts_of_the_same(empty, empty)
    assert not are_charts_of_the_same(early, early.resize((600, 350)))


@pytest.mark.long
def test_private_tags_are_unknown_at_first_in_a_second_run_in_the_same_kernel(tmp_path):
    (path,) = (path for path in paths() if path.stem == "05_private_tags")
    notebook = read(path)
    cells = code_cells(notebook)
    notebook.cells = [*cells, *copy.deepcopy(cells)]
    run(notebook, tmp_path)
    assert [printed(cell) for cell in notebook.cells[len(cells) :]] == [printed(cell) for cell in cells]


def printed(cell):
    """Return the text that a cell has given."""
    words = [output.get("text") or output.get("data", {}).get("text/plain", "") for output in cell.outputs]
    return sanitized("".join(words))
