"""What bash completes, with the script that the command prints."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="no bash")

ASK = """
source <(orthanc-lab completion) || exit 1
ask() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _orthanc_lab "$1" "${!#}"; echo "${COMPREPLY[@]}"; }
"""


def test_commands_lessons_and_options(tmp_path: Path) -> None:
    (tmp_path / "demonstration.json").touch()
    asked = "ask orthanc-lab dem; ask orthanc-lab lab 0; ask orthanc-lab grade --for; ask orthanc-lab --no-; "
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-c", f"{ASK}{asked}"], cwd=tmp_path, env={**os.environ, "PATH": path}, capture_output=True,
        text=True, timeout=60, check=True,
    )  # fmt: skip
    commands, lessons, format_, jobs = (line.split() for line in done.stdout.splitlines())
    assert commands == ["demo", "demonstration.json"]
    assert lessons[:3] == ["00", "01", "02"]
    assert set(format_) == {"--format"}
    assert set(jobs) == {"--no-jobs"}
