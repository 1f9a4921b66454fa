"""Programs that a notebook needs to give its saved outputs."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.testing.postgresql_server import MISSING, find_programs
from tests.programs import missing, program

PROGRAMS = {"06_metrics": "prometheus"}


def need_program(path: Path) -> None:
    """Skip the test if the notebook's program is missing; in CI it fails."""
    if path.stem == "10_several_servers" and find_programs() is None:
        missing(MISSING)
    if name := PROGRAMS.get(path.stem):
        program(name)
