"""The site is built by the commands of the README, with nothing installed but what they install."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import venv
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]


def commands() -> list[list[str]]:
    """Return the README's commands that install and run Sphinx."""
    found = re.findall(r"`([^`\n]+)`", (ROOT / "README.md").read_text("utf-8"))
    return [shlex.split(command) for command in found if ".venv/bin/python " in command and "docs" in command]


def test_the_readme_installs_what_builds_the_site():
    install, build = commands()
    assert install == ["pip", "--python", ".venv/bin/python", "install", ".[docs]"]  # the environment has no pip
    assert build == [".venv/bin/python", "-m", "sphinx", "docs", "build/site"]


@pytest.mark.timeout(1800)
def test_they_build_the_site_in_a_fresh_environment(tmp_path, request):
    if not request.config.option.long:
        pytest.skip("installs hundreds of megabytes: --long")
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode != 0:
        pytest.skip("copies the files that git knows: run it in a clone")
    for name in listed.stdout.split("\0")[:-1]:
        if (ROOT / name).is_file():
            (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, tmp_path / name)
    venv.create(tmp_path / ".venv", with_pip=False, symlinks=True)
    for command in commands():
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
        assert "WARNING:" not in done.stderr, done.stderr
    assert (tmp_path / "build" / "site" / "index.html").is_file()
