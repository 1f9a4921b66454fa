"""A lesson as slides: which cell begins one, is revealed by a key, or is left out."""

from __future__ import annotations

import nbformat

LEFT_OUT = ("## Stop", "## What next?")


def set_slides(notebook: nbformat.NotebookNode) -> None:
    """Write into each cell what ``jupyter nbconvert --to slides`` makes of it."""
    section = ""
    for cell in notebook.cells:
        if cell.cell_type == "markdown" and cell.source.startswith("#"):
            section = cell.source
        kind = "skip" if section.startswith(LEFT_OUT) else _slide_type(cell)
        cell.metadata.pop("slideshow", None)
        if kind:
            cell.metadata["slideshow"] = nbformat.from_dict({"slide_type": kind})


def _slide_type(cell: nbformat.NotebookNode) -> str:
    """Return the type of a slide that begins here; "" for what is shown along with the cell before it."""
    tags = cell.metadata.get("tags", [])
    if cell.cell_type == "markdown":
        return "slide" if cell.source.startswith(("# ", "## ")) else "subslide"
    if "check" in tags or cell.id == "score":
        return "skip"
    return "fragment" if "solution" in tags else ""
