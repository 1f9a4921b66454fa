"""The throw-away PostgreSQL."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from orthanc_lab.testing.postgresql_server import MISSING, PostgresqlServer, find_programs
from tests.programs import missing


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
