"""The recipes work as they stand: what is Python or shell is run, what is configuration is checked."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import orthanc_lab
from orthanc_lab import frames, samples
from orthanc_lab.server.embedding.embedded_server import EmbeddedServer
from orthanc_lab.server.loopback import free_port, is_listening
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.testing.real import RealOrthanc
from tests.docs.snippets import ADDRESS, HOW_TO, Snippet, snippets
from tests.programs import program
from tests.waiting import until

PAGES = sorted(
    page.name for page in HOW_TO.glob("*.md") if page.name not in ("index.md", "coming-from.md", "extend.md")
)
LONG = ("pytest.md", "schedules.md", "twin.md")  # each runs tests, or thousands of schedules
PROGRAMS = ("openssl", "curl", "zip")

pytestmark = pytest.mark.timeout(300)


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
    """What stands at the address that the pages speak of: a server with the study of the scans, and another one."""
    client = orthanc_lab.Client.from_server(orthanc)
    client.upload(samples.path("ct"))
    client.upload(samples.path("us"))
    return orthanc.url


@pytest.mark.parametrize(
    "page", [pytest.param(page, marks=pytest.mark.long) if page in LONG else page for page in PAGES]
)
def test_the_snippets_of_a_page_run(page: str, folder: Path, url: str) -> None:
    names: dict[str, Any] = {"__name__": page}
    seen = set()
    for snippet in snippets(page):
        seen.add(snippet.language)
        match snippet.language:
            case "python" if snippet.caption.endswith(".py"):
                (folder / snippet.caption).write_text(snippet.code, encoding="utf-8")
            case "python" if not snippet.caption:
                exec(snippet.compiled({ADDRESS: url}), names)
            case "sh" if not snippet.caption:
                run_shell(snippet, {ADDRESS: url})
            case "json":
                check_configuration(snippet, folder)
            case "yaml":
                yaml.safe_load(snippet.code)
    assert seen, "a recipe without a snippet"
    run_tests(folder)


def run_shell(snippet: Snippet, replaced: Mapping[str, str]) -> str:
    """Run a snippet by bash, which stops at the first command that fails; return what it prints."""
    for name in PROGRAMS:
        if re.search(rf"\b{name}\b", snippet.code):
            program(name)
    code = snippet.code
    for old, new in replaced.items():
        assert old in code or old == ADDRESS
        code = code.replace(old, new)
    command = ["bash", "-euo", "pipefail", "-c", STATE + code + SAVE]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=200)
    assert done.returncode == 0, f"{snippet.page}, line {snippet.line}:\n{done.stdout}{done.stderr}"
    return done.stdout


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
        command = [sys.executable, "-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", "-p", "no:nbval"]
        done = subprocess.run([*command, *map(str, files)], capture_output=True, text=True, check=False, timeout=200)
        assert done.returncode == 0, done.stdout + done.stderr


def shown(page: str, caption: str) -> Snippet:
    """Return the snippet of a page that has this caption."""
    (found,) = (item for item in snippets(page) if item.caption == caption)
    return found


def test_a_server_in_the_background(folder: Path) -> None:
    port = str(free_port())
    options = f'"HttpPort": {port}, "DicomServerEnabled": false, "Name": "background"'
    (folder / "configuration.json").write_text(f"{{{options}}}")
    printed = run_shell(shown("continuous-integration.md", "in the background"), {"8042": port})
    assert json.loads(printed)["Name"] == "background"
    assert not is_listening(int(port))


def test_a_server_is_certified(folder: Path) -> None:
    with orthanc_lab.serve() as server:
        snippet = shown("twin.md", "certify")
        run_shell(snippet, {ADDRESS: server.url, "--yes": "--yes --only browse-lists"})
    assert "No difference" in (folder / "report.html").read_text("utf-8")
    assert (folder / "report.xml").exists()


@pytest.mark.real
def test_studies_go_to_a_real_orthanc(real_program: str, url: str, folder: Path) -> None:
    with RealOrthanc() as real:
        run_shell(shown("real-orthanc.md", "from one to the other"), {ADDRESS: url, "http://real:8042": real.url})
        assert len(orthanc_lab.Client(real.url).instances) == len(orthanc_lab.Client(url).instances)


@pytest.mark.real
def test_faults_in_front_of_a_real_orthanc(real_program: str) -> None:
    exec(shown("faults.md", "in front of a real Orthanc").compiled({}), {})


@pytest.fixture
def prometheus(folder: Path, url: str) -> Iterator[str]:
    """A Prometheus with the configuration of the page."""
    text = shown("prometheus.md", "prometheus.yml").code.replace("localhost:8042", url.removeprefix("http://"))
    (folder / "prometheus.yml").write_text(text.replace("10s", "1s"), encoding="utf-8")
    port = free_port()
    command = [program("prometheus"), "--config.file=prometheus.yml", f"--web.listen-address=127.0.0.1:{port}"]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([*command, "--storage.tsdb.path=data"], stdout=log, stderr=log)
    yield f"http://127.0.0.1:{port}"
    process.terminate()
    process.wait(60)


def test_charts_from_a_prometheus(prometheus: str) -> None:
    until(lambda: scraped(prometheus), seconds=100)
    exec(shown("prometheus.md", "with a running Prometheus").compiled({"http://localhost:9090": prometheus}), {})


def scraped(prometheus: str) -> bool:
    """Tell whether Prometheus has looked at the server."""
    try:
        return bool(frames.query_range(prometheus)["value"].notna().any())
    except frames.PrometheusError:  # it is not ready yet
        return False


@pytest.mark.parametrize("page", [page.name for page in HOW_TO.glob("*.md")])
def test_every_language_is_one_that_is_looked_at(page: str) -> None:
    looked_at = {"python", "sh", "json", "yaml", "nginx", "text"}
    if page == "extend.md":
        looked_at.add("diff")
    assert {snippet.language for snippet in snippets(page)} <= looked_at
