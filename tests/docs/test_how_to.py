"""The recipes work as they stand: what is Python or shell is run, what is configuration is checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.server.embedded import EmbeddedServer
from orthanc_lab.server.settings_table import OPTIONS
from tests.docs.snippets import ADDRESS, HOW_TO, Snippet, snippets

PAGES = sorted(page.name for page in HOW_TO.glob("*.md") if page.name not in ("index.md", "coming-from.md"))
PROGRAMS = ("openssl", "curl", "zip", "promtool")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working folder of a reader: some scans, a document."""
    shutil.copytree(samples.path("ct"), tmp_path / "scans")
    shutil.copy(samples.dicom_files("ct")[0], tmp_path / "scan.dcm")
    shutil.copy(samples.path("report.pdf"), tmp_path / "report.pdf")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"])))
    return tmp_path


@pytest.fixture
def url(orthanc: EmbeddedServer) -> str:
    """What stands at the address that the pages speak of: a server with a study on it."""
    orthanc_lab.Client.from_server(orthanc).upload(samples.path("ct"))
    return orthanc.url


@pytest.mark.parametrize("page", PAGES)
def test_the_snippets_of_a_page_run(page: str, folder: Path, url: str) -> None:
    names: dict[str, Any] = {"__name__": page}
    seen = set()
    for snippet in snippets(page):
        seen.add(snippet.language)
        match snippet.language:
            case "python" if snippet.caption.endswith(".py"):
                (folder / snippet.caption).write_text(snippet.code, encoding="utf-8")
            case "python" if not snippet.caption:
                exec(snippet.compiled(url), names)
            case "sh" if not snippet.caption:
                run_shell(snippet, url)
            case "json":
                check_configuration(snippet, folder)
            case "yaml":
                yaml.safe_load(snippet.code)
    assert seen, "a recipe without a snippet"
    run_tests(folder)


def run_shell(snippet: Snippet, url: str) -> None:
    """Run a snippet by bash; it stops at the first command that fails."""
    missing = [name for name in PROGRAMS if re.search(rf"\b{name}\b", snippet.code) and shutil.which(name) is None]
    if missing:
        pytest.skip(f"not installed: {', '.join(missing)}")
    command = ["bash", "-euo", "pipefail", "-c", STATE + snippet.code.replace(ADDRESS, url) + SAVE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, f"{snippet.page}, line {snippet.line}:\n{done.stdout}{done.stderr}"


# The variables of a snippet are there for the next one of the page.
STATE = "[ ! -e .variables ] || . ./.variables\n"
SAVE = "\ndeclare -p study > .variables 2>/dev/null || true\n"


def check_configuration(snippet: Snippet, folder: Path) -> None:
    """Every option of a configuration is known and honoured; the file is there for what comes below."""
    options = json.loads(snippet.code)
    assert [name for name in options if name not in OPTIONS or not OPTIONS[name].honoured] == []
    (folder / snippet.caption).write_text(snippet.code, encoding="utf-8")


def run_tests(folder: Path) -> None:
    """Run the tests that a page shows, all warnings being errors."""
    files = sorted(folder.glob("test_*.py"))
    if files:
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=100)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_configuration_for_prometheus_is_valid(folder: Path) -> None:
    if shutil.which("promtool") is None:
        pytest.skip("not installed: promtool")
    (shown,) = (item for item in snippets("prometheus.md") if item.caption == "prometheus.yml")
    (folder / "prometheus.yml").write_text(shown.code, encoding="utf-8")
    subprocess.run(["promtool", "check", "config", "prometheus.yml"], check=True, timeout=60)


@pytest.mark.parametrize("page", [page.name for page in HOW_TO.glob("*.md")])
def test_every_language_is_one_that_is_looked_at(page: str) -> None:
    assert {snippet.language for snippet in snippets(page)} <= {"python", "sh", "json", "yaml", "nginx", "text"}
