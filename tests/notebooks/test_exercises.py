"""An exercise that nobody has solved is not taken for solved."""

from __future__ import annotations

import pytest

from orthanc_lab.server.remote import VARIABLE
from tests.notebooks.book import paths, read, tagged
from tests.notebooks.record import run
from tests.notebooks.validation import NOTEBOOK_SECONDS


@pytest.mark.timeout(3 * NOTEBOOK_SECONDS)
@pytest.mark.parametrize("path", paths(), ids=lambda path: path.stem)
def test_without_an_answer_each_check_fails_with_a_hint(path, monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)
    notebook = read(path)
    solutions = {cell.id for cell in tagged(notebook, "solution")}
    notebook.cells = [cell for cell in notebook.cells if cell.id not in solutions]
    run(notebook, path.parent, allow_errors=True)
    for cell in tagged(notebook, "check"):
        (error,) = (output for output in cell.outputs if output.output_type == "error")
        assert (error.ename, error.evalue != "") == ("AssertionError", True), cell.id
