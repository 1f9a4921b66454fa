"""Runs notebooks and saves their outputs; where nothing has changed, no byte changes.

``python -m tests.notebooks.record`` does it for all, ``… notebooks/01_quick_tour.ipynb`` for one. An output that
differs only where it may (``sanitize.cfg``) stays as it was; clear it in JupyterLab to have it taken anew.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient
from nbval.plugin import coalesce_streams

from orthanc_lab.client.progress import VARIABLE as PROGRESS
from tests.notebooks.book import ELSEWHERE, code_cells, paths, read, sanitized, with_the_usual_port
from tests.notebooks.slides import set_slides

CELL_SECONDS = 60
IGNORED = "nbval-ignore-output"  # a tag: readers of a lesson do not see it
WIDGET = "application/vnd.jupyter.widget-view+json"  # the name of a model that ends with its kernel
METADATA = {
    "kernelspec": {"display_name": "Python 3 (ipykernel)", "language": "python", "name": "python3"},
    "language_info": {"name": "python"},
}


def run(notebook: nbformat.NotebookNode, folder: Path, **options: object) -> None:
    """Run a notebook on a server of its own; the outputs are put into its cells."""
    NotebookClient(
        notebook, timeout=CELL_SECONDS, kernel_name="python3", resources={"metadata": {"path": str(folder)}}, **options
    ).execute()


def tidy(notebook: nbformat.NotebookNode) -> None:
    """Remove what differs from run to run and says nothing: times of execution, versions, ports, names of widgets.

    What a widget shows without a kernel is its HTML, which stays.
    """
    notebook.metadata = nbformat.from_dict(METADATA)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
    for cell in code_cells(notebook):
        cell.outputs = coalesce_streams(cell.outputs)
        for output in cell.outputs:
            if "text" in output:
                output.text = with_the_usual_port(output.text)
            output.get("data", {}).pop(WIDGET, None)
            for kind, value in output.get("data", {}).items():
                if isinstance(value, str) and not kind.startswith("image/"):
                    output.data[kind] = with_the_usual_port(value)


def is_ignored(cell: nbformat.NotebookNode) -> bool:
    """Tell whether the output of a cell may differ from run to run."""
    return IGNORED in cell.metadata.get("tags", [])


def record(path: Path) -> bool:
    """Run a notebook and save it; return whether the file has changed."""
    before = path.read_text(encoding="utf-8")
    notebook, saved = read(path), read(path)
    with tempfile.TemporaryDirectory() as folder:  # not beside the notebooks, where the score of a student is
        run(notebook, Path(folder))
    tidy(notebook)
    set_slides(notebook)
    for cell, old in zip(code_cells(notebook), code_cells(saved), strict=True):
        if old.outputs and (is_ignored(cell) or _is_the_same(cell, old)):
            cell.outputs = old.outputs  # what may differ stays as it was, so that no byte changes
    after = nbformat.writes(notebook) + "\n"
    if after != before:
        path.write_text(after, encoding="utf-8")
    return after != before


def _is_the_same(cell: nbformat.NotebookNode, old: nbformat.NotebookNode) -> bool:
    first, second = (sanitized(json.dumps(item.outputs, sort_keys=True)) for item in (cell, old))
    return first == second


def main() -> None:
    for name in ELSEWHERE:
        os.environ.pop(name, None)
    os.environ[PROGRESS] = "0"  # bars appear only where the machine is slow
    for path in [Path(name) for name in sys.argv[1:]] or paths():
        print(f"{path.name}: {'new outputs' if record(path) else 'unchanged'}", flush=True)


if __name__ == "__main__":
    main()
