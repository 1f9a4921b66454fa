"""The download button; a browser made of Python asks as its JavaScript does."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from orthanc_lab.client import ClientError
from orthanc_lab.widgets.elements.download import CHUNK, Download
from tests.widgets.browser import Recorder, hear

DATA = bytes(range(256)) * 10_000  # two whole chunks and a part


class Browser:
    """One view of a download button."""

    def __init__(self, button: Download, recorder: Recorder, token: str = "1") -> None:
        self.button = button
        self.recorder = recorder
        self.token = token

    def ask(self, ask: str, **more: Any) -> None:
        self.button._handle_custom_msg({"token": self.token, "ask": ask, **more}, [])

    def next(self) -> tuple[dict[str, Any], list[Any]]:
        while True:
            _, data, buffers = self.recorder.messages.get(timeout=10)
            if data["method"] == "custom" and data["content"]["token"] == self.token:
                return data["content"], buffers

    def download(self) -> bytes:
        self.ask("start")
        told, _ = self.next()
        assert "size" in told, told
        parts = []
        for number in range(-(-told["size"] // told["chunk"])):
            self.ask("part", part=number)
            answer, [data] = self.next()
            assert answer["part"] == number
            assert len(data) <= CHUNK
            parts.append(bytes(data))
        self.ask("done")
        assert self.next()[0]["end"] == "downloaded"
        return b"".join(parts)


@pytest.fixture
def recorder():
    with hear() as recorder:
        yield recorder


def save(folder: Path, progress: Any) -> Path:
    path = folder / "whole.bin"
    path.write_bytes(DATA)
    progress(len(DATA), None)
    return path


def test_the_browser_gets_the_file(recorder):
    button = Download("Download", save)
    assert Browser(button, recorder).download() == DATA
    assert button.state == "downloaded"
    assert button.words == "Downloaded whole.bin (2.6 MB)"


def test_an_archive_comes_through_the_kernel(client, study, recorder, tmp_path):
    button = Download("Archive", lambda folder, progress: client.archive(study, folder, progress=progress))
    path = tmp_path / "archive.zip"
    path.write_bytes(Browser(button, recorder).download())
    assert path.read_bytes()[:2] == b"PK"
    assert path.stat().st_size > 100_000


def test_a_second_download_begins_anew(recorder):
    button = Download("Download", save)
    assert Browser(button, recorder, "1").download() == DATA
    assert Browser(button, recorder, "2").download() == DATA


def test_a_part_that_was_lost_is_sent_again(recorder):
    browser = Browser(Download("Download", save), recorder)
    browser.ask("start")
    told, _ = browser.next()
    for _ in range(2):
        browser.ask("part", part=2)
        assert bytes(browser.next()[1][0]) == DATA[2 * CHUNK :]
    browser.ask("start")
    assert browser.next()[0] == told


def test_an_end_that_was_lost_is_said_again_and_nothing_begins_anew(recorder):
    browser = Browser(Download("Download", save), recorder)
    assert browser.download() == DATA
    for ask in ("done", "start"):
        browser.ask(ask)
        assert browser.next()[0] == {"token": "1", "end": "downloaded"}


def test_a_stop_may_overtake_the_start(recorder):
    button = Download("Download", save)
    browser = Browser(button, recorder)
    for ask in ("stop", "start"):
        browser.ask(ask)
        assert browser.next()[0] == {"token": "1", "end": "stopped"}
    assert button.state == ""


def test_a_start_in_two_threads_begins_once(recorder):
    begun = []

    def once(folder: Path, progress: Any) -> Path:
        begun.append(folder)
        return save(folder, progress)

    button = Download("Download", once)
    browser = Browser(button, recorder)
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(browser.ask, ["start"] * 50))
    assert browser.next()[0]["size"] == len(DATA)
    browser.ask("done")
    button.close()
    assert len(begun) == 1


def test_an_empty_file_is_a_file(recorder):
    def empty(folder: Path, progress: Any) -> Path:
        (folder / "empty").touch()
        return folder / "empty"

    assert Browser(Download("Download", empty), recorder).download() == b""


def test_a_large_file_is_saved_beside_the_notebook(recorder, tmp_path):
    button = Download("Download", save, limit=1000, folder=tmp_path)
    for token, name in (("1", "whole.bin"), ("2", "whole-1.bin")):  # what is there is not replaced
        browser = Browser(button, recorder, token)
        browser.ask("start")
        assert browser.next()[0]["end"] == "saved"
        assert button.words == f"Too large for the browser (2.6 MB); saved as {tmp_path / name}"
        assert (tmp_path / name).read_bytes() == DATA
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole-1.bin", "whole.bin"]


@pytest.mark.parametrize("error", [ClientError("in words"), OSError("in words"), ValueError("in words")])
def test_a_failure_is_said_and_nothing_is_sent(recorder, error):
    def fail(folder: Path, progress: Any) -> Path:
        raise error

    button = Download("Download", fail)
    browser = Browser(button, recorder)
    browser.ask("start")
    assert browser.next()[0] == {"token": "1", "end": "failed"}
    assert (button.state, button.words) == ("failed", "in words")


def test_a_stop_ends_the_fetching(recorder):
    begun, stopped, ended = threading.Event(), threading.Event(), threading.Event()

    def slow(folder: Path, progress: Any) -> Path:
        begun.set()
        assert stopped.wait(10)
        try:
            progress(1, 2)
        finally:
            ended.set()
        raise AssertionError("it was not stopped")

    button = Download("Download", slow)
    browser = Browser(button, recorder)
    browser.ask("start")
    assert begun.wait(10)
    browser.ask("stop")
    stopped.set()
    assert ended.wait(10)
    assert browser.next()[0]["end"] == "stopped"
    assert (button.state, button.words) == ("stopped", "Stopped.")


def test_another_view_takes_over(recorder):
    button = Download("Download", save)
    first = Browser(button, recorder, "1")
    first.ask("start")
    first.next()
    second = Browser(button, recorder, "2")
    second.ask("start")
    assert first.next()[0]["end"] == "stopped"
    assert second.next()[0]["size"] == len(DATA)
    first.ask("part", part=0)
    second.ask("part", part=0)
    assert second.next()[0]["part"] == 0


@pytest.mark.parametrize("end", ["done", "stop", "close"])
def test_nothing_is_left_in_the_temporary_folder(recorder, end, monkeypatch, tmp_path):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    button = Download("Download", save)
    browser = Browser(button, recorder)
    browser.ask("start")
    browser.next()
    assert list(tmp_path.iterdir())
    button.close() if end == "close" else browser.ask(end)
    assert not list(tmp_path.iterdir())
