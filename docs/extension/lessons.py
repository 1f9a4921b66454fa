"""The notebooks as pages of the site: copied next to the other pages, and shown as saved."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable
from pathlib import Path

from project_tables import Row, Table
from sphinx.application import Sphinx

from orthanc_lab.lab.lesson_index import read_head

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PLACE = Path("tutorial", "notebooks")

_LINKS = (b'.ipynb\\"', b'.html\\"')  # in the HTML of an output; those in the text are changed by Sphinx


def copy(app: Sphinx) -> None:
    """Update the copies; Sphinx requires all pages in one folder, and follows no links out of it."""
    place = Path(app.srcdir) / PLACE
    place.mkdir(exist_ok=True)
    found: dict[str, bytes] = {}
    for path in NOTEBOOKS.glob("*.ipynb"):
        found |= _pages(path)
    for stale in (path for path in place.iterdir() if path.name not in found):
        stale.unlink()
    for name, content in found.items():
        if not (place / name).exists() or (place / name).read_bytes() != content:
            (place / name).write_bytes(content)


def _pages(path: Path) -> dict[str, bytes]:
    """Return the copy of a notebook, and the pictures attached to its cells as files, which is what Sphinx shows."""
    notebook = json.loads(path.read_bytes())
    files: dict[str, bytes] = {}
    for cell in notebook["cells"]:
        text = "".join(cell["source"])
        for name, forms in cell.pop("attachments", {}).items():
            files[f"{path.stem}-{name}"] = base64.b64decode(forms["image/png"])
            text = text.replace(f"](attachment:{name})", f"]({path.stem}-{name})")
        cell["source"] = text
    return {path.name: json.dumps(notebook).encode().replace(*_LINKS), **files}


class Lessons(Table):
    """What each notebook teaches and how long it takes, taken from its first cell."""

    heads = ("Notebook", "You will learn", "Time")
    widths = (28, 54, 18)

    def rows(self) -> Iterable[Row]:
        """One row for each notebook."""
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            try:
                head = read_head(path)
            except ValueError as error:
                raise self.error(str(error)) from error
            yield f"[{head.title}](notebooks/{path.name})", head.learn, f"{head.minutes} minutes"


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", copy)
    app.add_directive("lessons", Lessons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
