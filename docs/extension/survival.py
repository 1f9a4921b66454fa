"""The survival matrix, as ``python -m orthanc_lab.testing.survival docs/survival.json`` recorded it."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

RECORD = Path(__file__).parents[1] / "survival.json"
SIGNS = {"survives": "✓ survives", "says so": "! says so", "wrong": "✗ wrong", "hangs": "∞ hangs", "not met": "–"}
OURS = "orthanc-lab"


@cache
def matrix() -> dict[str, Any]:
    """Return the record."""
    found: dict[str, Any] = json.loads(RECORD.read_text("utf-8"))
    return found


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def task_table(task: str) -> str:
    """Return the faults that a task has met, with the outcome for each client."""
    clients = list(matrix()["versions"])
    faults: dict[str, dict[str, str]] = {}
    for cell in matrix()["cells"]:
        if cell["task"] == task:
            faults.setdefault(cell["fault"], {})[cell["client"]] = cell["result"]
    met = {fault: results for fault, results in faults.items() if set(results.values()) != {"not met"}}
    rows = ([fault, *(SIGNS[results[client]] for client in clients)] for fault, results in met.items())
    return table(["Fault", *clients], rows)


class Survival(SphinxDirective):
    """The versions, a table for each task, and the words of our own client."""

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        found = matrix()
        versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        parts = [f"Recorded on {found['day']}: {versions}; a cell may take {found['limit']:g} s."]
        for task in dict.fromkeys(cell["task"] for cell in found["cells"]):
            parts.append(f"## {task[0].upper()}{task[1:]}\n\n{task_table(task)}")
        said = [
            (cell["fault"], cell["task"], f"`` {cell['words']} ``")
            for cell in found["cells"]
            if cell["client"] == OURS and cell["result"] == "says so"
        ]
        parts.append(f"## What orthanc-lab says\n\n{table(('Fault', 'Task', 'Words'), said)}")
        return self.parse_text_to_nodes("\n\n".join(parts), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("survival", Survival)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
