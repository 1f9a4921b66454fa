"""The notebooks as files: where they are, their cells by name, what may differ in their outputs."""

from __future__ import annotations

import re
from pathlib import Path

import nbformat
from nbval.plugin import get_sanitize_patterns

from orthanc_lab.server.embedding.remote import LAB_VARIABLE, VARIABLE

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "notebooks"
SANITIZE = Path(__file__).with_name("sanitize.cfg")
ELSEWHERE = (VARIABLE, LAB_VARIABLE)  # they lead a notebook to a server that runs already


def paths() -> list[Path]:
    """Return all notebooks, in the order in which they are read."""
    return sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))


def lessons() -> list[Path]:
    """Return the notebooks with exercises: all but the index."""
    return [path for path in paths() if not path.name.startswith("00_")]


def read(path: Path) -> nbformat.NotebookNode:
    return nbformat.read(path, as_version=4)


def code_cells(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    """Return the code cells; nbval counts them from 0 and calls them ``Cell 0`` …."""
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def tagged(notebook: nbformat.NotebookNode, tag: str) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if tag in cell.metadata.get("tags", [])]


def with_the_usual_port(text: str) -> str:
    """Replace the port that a server happened to take, as the section ``port`` of the sanitizer says."""
    section = SANITIZE.read_text(encoding="utf-8").partition("[port]")[2]
    regex, replace = re.search(r"^regex: (.*)\nreplace: (.*)$", section, re.MULTILINE).groups()
    return re.sub(regex, replace, text)


def sanitized(text: str) -> str:
    """Return a text without what may differ, as nbval compares it."""
    for regex, replace in get_sanitize_patterns(SANITIZE.read_text(encoding="utf-8")):
        text = re.sub(regex, replace, text)
    return text
