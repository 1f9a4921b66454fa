"""The page's commands as printed, run against a server of ours and against the real one."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

import orthanc_lab
from orthanc_lab import samples
from orthanc_lab.testing.real import RealOrthanc

PRINTED_STUDY = "27f7126f-4f66fb14-03f4081b-f9341db2-53925988"


@dataclass
class Page:
    """Runs what the page prints; only host, port and identifiers are put in the place of the printed ones."""

    url: str
    folder: Path
    replaced: dict[str, str] = field(default_factory=dict)

    def bash(self, command: str) -> bytes:
        """Run a command line in the folder of the test and return what it prints."""
        return self._run(["bash", "-e", "-o", "pipefail", "-c", self._translated(command)])

    def json(self, command: str) -> Any:
        """Run a command line that prints JSON."""
        return json.loads(self.bash(command))

    def python(self, script: str) -> str:
        """Run a Python script in the folder of the test and return what it prints."""
        return self._run([sys.executable, "-c", self._translated(script)]).decode()

    def _translated(self, text: str) -> str:
        for printed, actual in {"http://localhost:8042": self.url, **self.replaced}.items():
            text = text.replace(printed, actual)
        return text.replace("curl ", "curl --silent --show-error ")

    def _run(self, command: list[str]) -> bytes:
        environment = {**os.environ, "no_proxy": "127.0.0.1"}
        done = subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout


@pytest.fixture
def options() -> dict[str, Any]:
    """Options of the server; a test module may have its own."""
    return {}


@pytest.fixture(params=["ours", pytest.param("real", marks=pytest.mark.real)])
def page(request: pytest.FixtureRequest, options: dict[str, Any], tmp_path: Path) -> Iterator[Page]:
    """The page, in front of a fresh server."""
    if request.param == "real":
        request.getfixturevalue("real_program")
    serve = RealOrthanc if request.param == "real" else orthanc_lab.serve
    with ExitStack() as stack:
        server = stack.enter_context(serve(**options))
        yield Page(server.url, tmp_path)


@pytest.fixture
def study(page: Page) -> str:
    """The study that stands for the page's; a CT of three series."""
    for path in samples.dicom_files("ct"):
        answer = requests.post(f"{page.url}/instances", data=path.read_bytes(), timeout=30)
        answer.raise_for_status()
    page.replaced[PRINTED_STUDY] = answer.json()["ParentStudy"]
    return page.replaced[PRINTED_STUDY]
