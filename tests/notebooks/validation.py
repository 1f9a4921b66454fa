"""Running nbval over one notebook, in a process of its own, and reading what it found."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from xml.etree import ElementTree

import nbformat

from orthanc_lab.client.progress import VARIABLE as PROGRESS
from orthanc_lab.server.embedding.remote import VARIABLE
from tests.notebooks.book import ELSEWHERE, ROOT, SANITIZE, code_cells, read
from tests.notebooks.record import CELL_SECONDS

NOTEBOOK_SECONDS = 60


@dataclass(frozen=True)
class Validation:
    """What nbval says of a notebook."""

    passed: bool
    report: str  # as a person reads it
    differing: frozenset[str]  # names of cells whose output is not the saved one
    failing: frozenset[str]  # names of cells that could not be run to their end
    outputs: dict[str, nbformat.NotebookNode]  # cells with the outputs of this run, by name


def validate(path: Path, folder: Path, orthanc_url: str | None = None) -> Validation:
    """Run nbval over a notebook: on a server of its own, or on the Orthanc at an address.

    Parameters
    ----------
    folder
        Where the results go.
    """
    results, drawn = folder / f"{path.stem}.xml", folder / f"{path.stem}.drawn.ipynb"
    command = [sys.executable, "-m", "pytest", "-p", "tests.notebooks.drawn", f"--drawn={drawn}"]
    command += ["-p", "nbval.plugin", "--nbval", "--nbval-current-env", f"--nbval-sanitize-with={SANITIZE}"]
    command += [f"--nbval-cell-timeout={CELL_SECONDS}", f"--rootdir={ROOT}", f"--config-file={ROOT / 'pyproject.toml'}"]
    command += ["-q", "--color=no", "-p", "no:cacheprovider", "-p", "pytest_timeout"]
    command += [f"--junitxml={results}", str(path)]
    environment = {name: value for name, value in os.environ.items() if name not in ELSEWHERE} | {PROGRESS: "0"}
    environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    environment |= {} if orthanc_url is None else {VARIABLE: orthanc_url}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    report = re.sub(r"\x1b\[[\d;]*m", "", done.stdout)
    if not results.exists():
        return Validation(False, report + done.stderr, frozenset(), frozenset(), {})
    cells = code_cells(read(drawn))
    cases = ElementTree.parse(results).getroot().findall(".//testcase")
    faults = [(cells[_number(case)].id, node) for case in cases for node in case if node.tag != "skipped"]
    words = {name: "".join(node.itertext()) for name, node in faults}
    differing = frozenset(name for name, text in words.items() if "Cell outputs differ" in text)
    outputs = {cell.id: cell for cell in cells}
    return Validation(done.returncode == 0, report, differing, frozenset(words) - differing, outputs)


def _number(case: ElementTree.Element) -> int:
    return int((case.get("name") or "").removeprefix("Cell "))
