"""What all notebooks have in common: how they begin, their exercises, their outputs."""

from __future__ import annotations

import json
import re

import pytest

from tests.notebooks.book import ROOT, code_cells, lessons, paths, read, tagged
from tests.notebooks.record import is_ignored

LARGEST = 500_000  # bytes
RAISES = "raises-exception"
MACHINE = re.compile(rf"/home/|/root/|/tmp/|/Users/|/var/folders/|site-packages|{re.escape(str(ROOT))}")
PORT = re.compile(r"(?:127\.0\.0\.1|localhost):(?!8042\b)\d+")
MOMENT = re.compile(r"20\d\d-?[01]\d-?[0-3]\d[T ][0-2]\d:?[0-5]\d")
MANUAL = "20260101"  # the day of ManualClock

every_notebook = pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)


def outputs(notebook):
    """Give each output as text, without the bytes of pictures."""
    for cell in code_cells(notebook):
        for output in cell.outputs:
            data = {kind: value for kind, value in output.get("data", {}).items() if not kind.startswith("image/")}
            text = json.dumps({**output, "data": data}, ensure_ascii=False)
            yield cell.id, re.sub(r"data:image/png;base64,[A-Za-z0-9+/=]+", "", text)


def test_there_are_notebooks():
    assert paths()


@every_notebook
def test_it_opens_with_what_one_learns_and_how_long_it_takes(path):
    first = read(path).cells[0]
    assert first.cell_type == "markdown"
    assert first.source.startswith(f"# {path.stem[:2]} · ")
    assert "**You will learn**" in first.source
    assert re.search(r"\*\*Time:\*\* about \d+ minutes", first.source)


@pytest.mark.parametrize("path", lessons(), ids=lambda path: path.stem)
def test_it_ends_with_exercises_whose_answers_are_checked(path):
    notebook = read(path)
    titles = [cell.source for cell in notebook.cells if cell.cell_type == "markdown"]
    assert any(title.startswith("## Exercises") for title in titles)
    exercises, solutions, checks = (tagged(notebook, tag) for tag in ("exercise", "solution", "check"))
    assert len(exercises) == len(solutions) == len(checks) >= 2
    order = [cell.id for cell in code_cells(notebook)]
    (score,) = [cell for cell in code_cells(notebook) if cell.id == "score"]
    assert f'exercises = Exercises("{path.stem[:2]}", {len(exercises)}' in score.source
    assert "".join(titles).count("<summary>Hint ") >= 2 * len(exercises)
    for number, (exercise, solution, check) in enumerate(zip(exercises, solutions, checks, strict=True), 1):
        place = order.index(exercise.id)
        assert order[place : place + 3] == [exercise.id, solution.id, check.id]
        (name,) = re.findall(r"^(\w+) = \.\.\.$", exercise.source, re.MULTILINE)
        assert solution.source.startswith(f"# A solution\nif shown := ({name} is ...):\n"), (
            "an answer must not be replaced"
        )
        start, end = (
            rf"# The check\nwith exercises\.check\({number}, shown\):\n+    ",
            rf"\nif shown:\n    {name} = \.\.\.$",
        )
        assert re.match(start, check.source), "one call says what is right"
        assert re.search(end, check.source), "who gives no answer is not told to be right later on"
        assert re.search(r"^\s+assert ", check.source, re.MULTILINE)
        assert not re.search(r"^\s+shown = ", check.source, re.MULTILINE), "a right answer would be taken back"
        for cell in (solution, check):
            assert cell.metadata.jupyter.source_hidden, "tests are out of a reader's sight"


@every_notebook
def test_few_outputs_are_ignored_and_each_with_its_reason(path):
    cells = code_cells(read(path))
    ignored = [cell for cell in cells if is_ignored(cell)]
    assert len(ignored) <= len(cells) / 10
    for cell in ignored:
        assert len(cell.metadata["ignored_because"]) > 10, cell.id
    for cell in cells:
        assert "nbval-skip" not in cell.metadata.get("tags", []), cell.id
        assert "NBVAL" not in cell.source, f"{cell.id}: what only the tests need is a tag"


@every_notebook
def test_it_is_small_enough_for_a_web_page(path):
    assert path.stat().st_size <= LARGEST


@every_notebook
def test_its_outputs_are_saved(path):
    cells = code_cells(read(path))
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    assert any(cell.outputs for cell in cells)


@every_notebook
def test_its_outputs_show_no_errors_but_those_that_are_meant(path):
    for cell in code_cells(read(path)):
        kinds = {output.output_type for output in cell.outputs}
        assert ("error" in kinds) == (RAISES in cell.metadata.get("tags", [])), cell.id
        assert not any(output.get("name") == "stderr" for output in cell.outputs), cell.id


@every_notebook
def test_its_outputs_tell_nothing_of_the_machine_and_the_moment(path):
    for id, text in outputs(read(path)):
        assert not MACHINE.search(text), (id, text)
        assert not PORT.search(text), (id, text)
        assert all(found.replace("-", "").startswith(MANUAL) for found in MOMENT.findall(text)), (id, text)


@every_notebook
def test_its_links_to_other_notebooks_lead_somewhere(path):
    for cell in read(path).cells:
        if cell.cell_type == "markdown":
            for name in re.findall(r"\]\((?!https?://|#)([^)#]+)", cell.source):
                attached = name.removeprefix("attachment:") in cell.get("attachments", {})
                assert attached or (path.parent / name).exists(), name
