"""The table of arrows in ARCHITECTURE.md is what the code imports, and the files that it names are there."""

from __future__ import annotations

import re
from pathlib import Path

import grimp

ROOT = Path(__file__).parents[2]
NAME = re.compile(r"`([\w./]+\.(?:ipynb|md|py|sql|txt))`")
ROW = re.compile(r"^\| `([\w.]+)` \| (`[^|]+) \|", re.M)


def room_of(module: str) -> str | None:
    """Return the room of a module; None for what stands beside the rooms (the samples, the front door)."""
    _, *names = module.split(".")
    if names[:2] == ["jobs", "kinds"]:
        return "jobs.kinds"
    return names[0] if names and (ROOT / "orthanc_lab" / names[0]).is_dir() else None


def test_every_arrow_is_in_the_table() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    drawn = {
        room: set(re.findall(r"`([\w.]+)`", imports)) for room, imports in ROW.findall(text.split("## Borders")[0])
    }
    graph = grimp.build_graph("orthanc_lab", exclude_type_checking_imports=False)
    found: dict[str, set[str]] = {room: set() for room in drawn}
    for module in graph.modules:
        room = room_of(module)
        for imported in graph.find_modules_directly_imported_by(module):
            other = room_of(imported)
            if room and other and room != other:
                found.setdefault(room, set()).add(other)
    assert found == drawn


def test_every_file_that_it_names_is_there() -> None:
    named = set(NAME.findall((ROOT / "ARCHITECTURE.md").read_text("utf-8")))
    folders = ("docs", "notebooks", "orthanc_lab", "tests")
    files = [path.as_posix() for folder in folders for path in (ROOT / folder).rglob("*.*")]
    assert len(named) > 50
    assert {name for name in named if not any(file.endswith(f"/{name}") for file in files)} == set()
