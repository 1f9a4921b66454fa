"""Servers of other programs end with the process that started them, also if that is killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from orthanc_lab.server.loopback import is_listening
from orthanc_lab.testing.seaweed import MISSING_WEED, find_weed
from tests.programs import missing
from tests.waiting import until

REAL = "from orthanc_lab.testing.real import RealOrthanc; server = RealOrthanc().__enter__()"
SEAWEED = "from orthanc_lab.testing.seaweed import SeaweedServer; server = SeaweedServer().__enter__()"
BENCH = f"""
from orthanc_lab.bench.servers import ServerProcess
server = ServerProcess("ours", "{sys.executable} -m orthanc_lab serve {{config}}", {{}})
server.start()
"""
FOLDER = {SEAWEED: "server._folder"}


@pytest.mark.parametrize(
    "started",
    [
        pytest.param(REAL, id="real", marks=pytest.mark.real),
        pytest.param(SEAWEED, id="weed"),
        pytest.param(BENCH, id="bench"),
    ],
)
def test_it_ends_with_a_process_that_is_killed(started: str) -> None:
    if started is SEAWEED and find_weed() is None:
        missing(MISSING_WEED)
    code = f"{started}\nprint(server.port, {FOLDER.get(started, 'server.folder')}, flush=True)\ninput()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        port, folder = process.stdout.readline().split()
        os.kill(process.pid, signal.SIGKILL)
    until(lambda: not Path(folder).exists())
    until(lambda: not is_listening(int(port)))
