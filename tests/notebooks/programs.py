"""Programs that a notebook needs to give its saved outputs."""

from __future__ import annotations

from pathlib import Path

from tests.programs import program

PROGRAMS = {"06_metrics": "prometheus"}


def need_program(path: Path) -> None:
    """Skip the test if the notebook's program is missing; in CI it fails."""
    if name := PROGRAMS.get(path.stem):
        program(name)
