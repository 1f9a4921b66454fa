"""The bars of long calls: where they appear, what they leave behind, how they are silenced."""

from __future__ import annotations

import os
import pty
import re
import threading
from collections.abc import Iterator
from contextlib import redirect_stderr

import pytest

from orthanc_lab import Client, samples
from orthanc_lab.client import Study, progress
from tests.notebooks.record import run


class Terminal:
    """A terminal as standard error, and what is written to it."""

    def __init__(self) -> None:
        self.screen, slave = pty.openpty()
        self.stream = os.fdopen(slave, "w", encoding="utf-8")

    def text(self) -> str:
        """Return what was written, up to a mark."""
        print("END", end="", file=self.stream, flush=True)
        found = b""
        while not found.endswith(b"END"):
            found += os.read(self.screen, 65536)
        return found.decode().removesuffix("END")

    def __enter__(self) -> None:
        self._redirection = redirect_stderr(self.stream)
        self._redirection.__enter__()

    def __exit__(self, *error: object) -> None:
        self._redirection.__exit__(None, None, None)

    def close(self) -> None:
        self.stream.close()
        os.close(self.screen)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    made = Terminal()
    monkeypatch.delenv(progress.VARIABLE, raising=False)
    monkeypatch.setattr(progress, "_DELAY", 0)
    monkeypatch.setattr(progress, "_PAUSE", 0)
    yield made
    made.close()


def test_an_upload_and_a_download_leave_a_line_each(terminal, client, tmp_path):
    with terminal:
        client.upload(samples.path("ct/soft_tissue"))
        client.studies.find()[0].archive(tmp_path / "a.zip")
    lines = [line.rpartition("\r")[2] for line in terminal.text().split("\r\n")]
    assert re.fullmatch(r"Uploaded 20 files in [\d.]+ s *", lines[0])
    assert re.fullmatch(r"Downloaded [\d.]+ MB in [\d.]+ s *", lines[1])
    assert lines[2:] == [""]


def test_a_wait_shows_the_job(terminal, client: Client, study: Study):
    with terminal:
        study.archive_job().wait()
    text = terminal.text()
    assert "█" * 24 + " Archive job: 100 %" in text
    assert re.search(r"Archive job: 100 % in [\d.]+ s *\r\n$", text)


def copy_half() -> None:
    with progress.following(None, "Copying", "Copied", "bytes") as tell:
        tell(1_000_000, 4_000_000)
        raise RuntimeError


def test_what_is_interrupted_says_so(terminal):
    with terminal, pytest.raises(RuntimeError):
        copy_half()
    assert "\rCopying: interrupted at 1.0 of 4.0 MB in " in terminal.text()


def test_nothing_is_shown_to_whoever_follows_himself_or_wants_nothing(terminal, client, monkeypatch):
    told = []
    files = samples.path("ct/soft_tissue")
    with terminal:
        client.upload(files, progress=lambda done, total: told.append((done, total)))
        client.upload(files, progress=False)
        client.studies.find()[0].archive_job().wait(progress=False)
        thread = threading.Thread(target=client.upload, args=[files])
        thread.start()
        thread.join()
        monkeypatch.setenv(progress.VARIABLE, "0")
        client.upload(files)
    assert told[-1] == (20, 20)
    assert terminal.text() == ""


def test_nothing_is_shown_by_quick_calls(terminal, client, monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 600)
    with terminal:
        client.upload(samples.path("ct/soft_tissue"))
    assert terminal.text() == ""


def test_a_notebook_shows_a_bar_that_becomes_a_line(tmp_path, monkeypatch):
    nbformat = pytest.importorskip("nbformat")
    monkeypatch.delenv(progress.VARIABLE, raising=False)
    cell = nbformat.v4.new_code_cell(
        "import orthanc_lab\n"
        "from orthanc_lab import samples\n"
        "from orthanc_lab.client import progress\n"
        "progress._DELAY = 0\n"
        "with orthanc_lab.in_process() as server:\n"
        "    orthanc_lab.Client.from_server(server).upload(samples.path('us'))"
    )
    book = nbformat.v4.new_notebook(cells=[cell])
    run(book, tmp_path)
    (output,) = book.cells[0].outputs
    assert re.fullmatch(r"<div>Uploaded \d+ files? in [\d.]+ s</div>", output.data["text/html"])
    assert output.data["text/plain"].startswith("Uploaded ")
