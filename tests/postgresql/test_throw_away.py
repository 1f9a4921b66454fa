"""The throw-away PostgreSQL."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from orthanc_lab.testing.postgresql_server import MISSING, PostgresqlServer, find_programs
from tests.programs import missing
from tests.waiting import until


def test_it_runs_where_the_temporary_folder_is_closed_to_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if find_programs() is None:
        missing(MISSING)
    closed = tmp_path / "closed"
    closed.mkdir(mode=0o700)
    monkeypatch.setattr(tempfile, "tempdir", str(closed))
    with PostgresqlServer() as server:
        assert server.is_running
        folder = server.folder
    assert not folder.exists()


def test_it_says_at_once_that_the_library_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    if find_programs() is None:
        missing(MISSING)
    monkeypatch.setitem(sys.modules, "psycopg", None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'orthanc-lab\[cluster\]'"):
        PostgresqlServer()


LEFT_OPEN = """
from orthanc_lab.testing.postgresql_server import PostgresqlServer

server = PostgresqlServer().__enter__()
print(server.port, server.folder, flush=True)
input()
"""


def test_it_ends_with_a_process_that_is_killed(postgresql_server: PostgresqlServer) -> None:
    command = [sys.executable, "-c", LEFT_OPEN]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        assert process.stdout is not None
        port, folder = process.stdout.readline().split()
        os.killpg(process.pid, signal.SIGKILL)
    until(lambda: not Path(folder).exists())
    with pytest.raises(ConnectionRefusedError), socket.create_connection(("127.0.0.1", int(port)), timeout=1):
        pass
