"""environment.yml asks for what pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

ROOT = Path(__file__).parents[2]
CONDA_NAMES = {"isal": "python-isal"}


def conda_requirements():
    text = (ROOT / "environment.yml").read_text(encoding="utf-8")
    return {line.strip()[2:] for line in text.splitlines() if re.match(r"  - [a-z]", line)} - {
        "pip",
        "pip:",
        "conda-forge",
    }


def test_environment_asks_for_what_the_package_asks_for():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = {f"python{project['requires-python']}"}
    for requirement in project["dependencies"]:
        name, version = re.fullmatch(r"([A-Za-z0-9_-]+)([^;]*?)(?:;.*)?", requirement.replace(" ", "")).groups()
        wanted.add(CONDA_NAMES.get(name, name) + version)
    assert conda_requirements() == wanted
