"""Temporary folders: those of a program that was killed are removed, those of one that lives stay."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import orthanc_lab
from orthanc_lab.server.embedding.own_folder import remove_abandoned_folders
from tests.waiting import until

SERVE = """
import orthanc_lab, sys
server = orthanc_lab.serve(process={process})
print(server.folder, flush=True)
sys.stdin.read()
"""


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.mark.parametrize("process", [False, True])
def test_the_folder_of_a_killed_program_is_removed(temporary: Path, process: bool) -> None:
    code = SERVE.format(process=process)
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as program:
        assert program.stdout is not None
        used = Path(program.stdout.readline().strip())
        (folder,) = temporary.glob("orthanc-lab-*")
        assert used.is_relative_to(folder)
        assert remove_abandoned_folders() == 0
        assert used.exists()
        program.kill()
    until(lambda: remove_abandoned_folders() or not folder.exists())  # the server in a process of its own ends soon
    assert not folder.exists()


def test_what_is_not_ours_stays(temporary: Path) -> None:
    (temporary / "orthanc-lab-notes").mkdir()
    target = temporary / "elsewhere"
    target.mkdir()
    (target / ".owned").write_text("")
    (temporary / "orthanc-lab-link").mkdir()
    (temporary / "orthanc-lab-link" / ".owned").symlink_to(target / ".owned")
    with orthanc_lab.in_process() as server:
        server.reset()
        assert server.session.get(f"{server.url}/instances").json() == []
        assert remove_abandoned_folders() == 0
        assert server.folder.exists()
    assert sorted(path.name for path in temporary.iterdir()) == ["elsewhere", "orthanc-lab-link", "orthanc-lab-notes"]
