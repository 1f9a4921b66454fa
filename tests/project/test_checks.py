"""The static checks are part of the test command: style, types, the import contract, the types of the JavaScript."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.programs import program

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
    tool, *arguments = COMMANDS[name]
    if ":" in tool:
        module, function = tool.split(":")
        call = [sys.executable, "-c", f"from {module} import {function} as run; run()"]
    else:
        call = [sys.executable, "-m", tool]
    done = subprocess.run([*call, *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_types_of_the_javascript():
    project = Path(__file__).with_name("tsconfig.json")
    done = subprocess.run([program("tsc"), "--project", project], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
