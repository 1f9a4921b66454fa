"""The static checks are part of the test command: style, types, the import contract."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COMMANDS = {
    "ruff check": ["ruff", "check", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    "mypy": ["mypy"],
    "import contract": ["importlinter.cli:lint_imports_command"],
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", COMMANDS)
def test_check_passes(name):
    program, *arguments = COMMANDS[name]
    if ":" in program:
        module, function = program.split(":")
        call = [sys.executable, "-c", f"from {module} import {function} as run; run()"]
    else:
        call = [sys.executable, "-m", program]
    done = subprocess.run([*call, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
