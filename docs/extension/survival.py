"""The survival matrices, as ``python -m orthanc_lab.testing.survival`` recorded them."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

DOCS = Path(__file__).parents[1]
SIGNS = {"survives": "✓ survives", "says so": "! says so", "wrong": "✗ wrong", "hangs": "∞ hangs", "not met": "–"}
OURS = "orthanc-lab"


@cache
def matrix(name: str) -> dict[str, Any]:
    """Return a record."""
    found: dict[str, Any] = json.loads((DOCS / name).read_text("utf-8"))
    return found


def table(heads: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table in Markdown."""
    lines = [list(heads)]
    lines += [["---"] * len(lines[0]), *map(list, rows)]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)


def task_table(record: dict[str, Any], task: str) -> str:
    """Return the faults that a task has met, with the outcome for each client."""
    clients = list(record["versions"])
    faults: dict[str, dict[str, str]] = {}
    for cell in record["cells"]:
        if cell["task"] == task:
            faults.setdefault(cell["fault"], {})[cell["client"]] = cell["result"]
    met = {fault: results for fault, results in faults.items() if set(results.values()) != {"not met"}}
    rows = ([fault, *(SIGNS[results[client]] for client in clients)] for fault, results in met.items())
    return table(["Fault", *clients], rows)


class Survival(SphinxDirective):
    """The versions, a table for each task, and the words of our own client, from a record (argument)."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        """Return the sections."""
        found = matrix(self.arguments[0])
        versions = ", ".join(f"{name} {version}" for name, version in found["versions"].items())
        limit = f"a cell may take {found['limit']:g} s"
        parts = [f"Recorded on {found['day']} with the server {found['server']}: {versions}; {limit}."]
        for task in dict.fromkeys(cell["task"] for cell in found["cells"]):
            parts.append(f"### {task[0].upper()}{task[1:]}\n\n{task_table(found, task)}")
        said = [
            (cell["fault"], cell["task"], f"`` {cell['words']} ``")
            for cell in found["cells"]
            if cell["client"] == OURS and cell["result"] == "says so"
        ]
        parts.append(f"### What orthanc-lab says\n\n{table(('Fault', 'Task', 'Words'), said)}")
        return self.parse_text_to_nodes("\n\n".join(parts), allow_section_headings=True)


def setup(app: Sphinx) -> dict[str, bool]:
    """Called by Sphinx."""
    app.add_directive("survival", Survival)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
