"""Programs that a notebook needs to give its saved outputs."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

PROGRAMS = {"06_metrics": "prometheus"}


def need_programs(path: Path) -> None:
    """Skip the test if the notebook's program is missing; in CI it fails."""
    program = PROGRAMS.get(path.stem)
    if program is None or shutil.which(program):
        return
    words = f"the program {program} is not installed; on Debian and Ubuntu: apt-get install {program}"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)
