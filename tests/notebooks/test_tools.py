"""The tools of these tests: what the recorder leaves out, and that the validation finds what is wrong."""

from __future__ import annotations

import nbformat
import pytest

from tests.notebooks.record import IGNORED, record
from tests.notebooks.validation import validate

SERVE = "import orthanc_lab\nserver = orthanc_lab.serve(seed=1)\nprint(server.url)\nserver.url"
STOP = "import uuid\nserver.stop()\nprint(uuid.uuid4())  # another one each time"


@pytest.fixture
def notebook(tmp_path):
    path = tmp_path / "lesson.ipynb"

    def write(*sources):
        cells = [nbformat.v4.new_code_cell(source, id=f"cell-{number}") for number, source in enumerate(sources)]
        for cell in cells:
            if cell.source == STOP:
                cell.metadata["tags"] = [IGNORED]
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return write


def test_a_recording_holds_no_port_and_no_time_and_a_second_one_changes_nothing(notebook):
    path = notebook(SERVE, STOP)
    assert record(path)
    first = path.read_bytes()
    saved = nbformat.read(path, as_version=4)
    printed, shown = saved.cells[0].outputs
    assert printed.text == "http://127.0.0.1:8042\n"
    assert shown.data["text/plain"] == "'http://127.0.0.1:8042'"
    assert saved.cells[0].metadata == {}
    assert "version" not in saved.metadata.language_info
    assert not record(path)
    assert path.read_bytes() == first


def test_the_validation_tells_a_difference_from_a_failure(notebook, tmp_path):
    path = notebook(SERVE, "1 + 1", "'the same'", "nothing", STOP)
    saved = nbformat.read(path, as_version=4)
    for number, cell in enumerate(saved.cells, 1):
        cell.execution_count = number
    printed = nbformat.v4.new_output("stream", text="http://127.0.0.1:8042\n")
    saved.cells[0].outputs = [printed, result("'http://127.0.0.1:8042'", 1)]
    saved.cells[1].outputs = [result("3", 2)]
    saved.cells[2].outputs = [result("'the same'", 3)]
    nbformat.write(saved, path)
    found = validate(path, tmp_path)
    assert (found.passed, found.differing, found.failing) == (False, {"cell-1"}, {"cell-3"})
    assert "NameError: name 'nothing' is not defined" in found.report


def result(text, number):
    return nbformat.v4.new_output("execute_result", {"text/plain": text}, execution_count=number)
