"""The notebooks as pages of the site: copied next to the other pages, and shown as saved."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from project_tables import Row, Table
from sphinx.application import Sphinx

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
PLACE = Path("tutorial", "notebooks")

_TITLE = re.compile(r"^# *(.+)$", re.M)
_LEARN = re.compile(r"\*\*You will learn\*\*\s*(.+?)\s*\*\*Time", re.S)
_TIME = re.compile(r"\*\*Time:?\*\*:?\s*([^.*]+)\.")


def copy(app: Sphinx) -> None:
    """Update the copies; Sphinx requires all pages in one folder, and follows no links out of it."""
    place = Path(app.srcdir) / PLACE
    place.mkdir(exist_ok=True)
    found = {path.name: path for path in NOTEBOOKS.glob("*.ipynb")}
    for stale in (path for path in place.iterdir() if path.name not in found):
        stale.unlink()
    for name, path in found.items():
        if not (place / name).exists() or (place / name).read_bytes() != path.read_bytes():
            shutil.copyfile(path, place / name)


class Lessons(Table):
    """What each notebook teaches and how long it takes, taken from its first cell."""

    heads = ("Notebook", "You will learn", "Time")
    widths = (28, 54, 18)

    def rows(self) -> Iterable[Row]:
        """One row for each notebook."""
        for path in sorted(NOTEBOOKS.glob("*.ipynb")):
            first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
            title, learn, time = (self._words(pattern, first, path) for pattern in (_TITLE, _LEARN, _TIME))
            yield f"[{title}](notebooks/{path.name})", learn[0].upper() + learn[1:], time

    def _words(self, pattern: re.Pattern[str], text: str, path: Path) -> str:
        found = pattern.search(text)
        if found is None:
            raise self.error(f"The first cell of {path.name} does not match {pattern.pattern}")
        return " ".join(found[1].split())


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.connect("builder-inited", copy)
    app.add_directive("lessons", Lessons)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
