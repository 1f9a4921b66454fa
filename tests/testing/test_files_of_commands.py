"""Commands that are given a file that is missing, a folder, empty, noise or cut: a sentence, and nothing else."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import pytest

from orthanc_lab.bench import command as bench
from orthanc_lab.lab.grading import command as grading
from orthanc_lab.server.file_words import words_of
from orthanc_lab.testing import Recorder, make_capsule
from orthanc_lab.testing.capsule import command as capsule
from orthanc_lab.testing.certify import command as certify
from orthanc_lab.testing.recordings import RecordedExchange, RecordingWriter, record_command, replay_command

NOTEBOOK = Path(__file__).parents[2] / "notebooks" / "01_quick_tour.ipynb"


def make(folder: Path) -> None:
    (folder / "folder").mkdir()
    (folder / "empty").write_bytes(b"")
    (folder / "noise").write_bytes(bytes(range(256)) * 8)
    (folder / "cut.ipynb").write_bytes(NOTEBOOK.read_bytes()[:5000])
    with RecordingWriter(folder / "good") as writer:
        for number in range(20):
            writer.add(RecordedExchange("GET", f"/instances/{number}", status=200))
    good = (folder / "good").read_bytes()
    (folder / "cut").write_bytes(good[: len(good) // 2])
    (folder / "cut early").write_bytes(good[:5])


def said(capsys: pytest.CaptureFixture[str], run: Callable[[list[str]], int], *words: str) -> tuple[int, str]:
    code = run(list(words))
    printed = capsys.readouterr()
    text = printed.err + printed.out
    assert "Errno" not in text
    assert "Traceback" not in text
    return code, text


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("file", "words"),
    [
        ("missing", "There is no file missing"),
        ("no/file", "There is no folder no"),
        ("folder", "folder is a folder, not a file"),
        ("empty/file", "empty is a file, not a folder"),
        ("empty", "empty is not a recording"),
        ("noise", "noise is not a recording"),
        ("cut early", "cut early is not a recording"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_a_file_that_is_no_recording(capsys: pytest.CaptureFixture[str], file: str, words: str) -> None:
    assert said(capsys, capsule.main, file, "out", "--yes") == (255, f"{words}\n")
    assert said(capsys, replay_command.main, file, "--port", "0") == (255, f"{words}\n")
    assert not Path("out").exists()


@pytest.mark.usefixtures("folder")
def test_a_recording_that_was_cut(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, capsule.main, "cut", "out", "--yes")
    assert code == 0
    assert text.startswith("The program that recorded was killed: what it had not finished is missing\n")


@pytest.mark.usefixtures("folder")
def test_where_nothing_can_be_written(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    for out in ("no/out", "folder", "empty/out", ""):
        assert said(capsys, capsule.main, "good", out, "--yes")[0] == 255
        assert said(capsys, record_command.main, "--upstream", "http://127.0.0.1:1", "--port", "0", out)[0] == 255
        assert said(capsys, certify.main, "http://127.0.0.1:1", "--yes", "--html", out)[0] == 255
        assert said(capsys, grading.main, "cut.ipynb", "--output", out)[0] == 1
    with pytest.raises(SystemExit):
        bench.main(["--against", "x", "--only", "GET /system", "--json", "no/out"])
    assert "error: There is no folder no" in capsys.readouterr().err
    code, text = said(capsys, capsule.main, "good", "out")
    assert (code, text.endswith("Not saved\n")) == (1, True)
    assert not list(Path().glob("out*"))


@pytest.mark.usefixtures("folder")
def test_a_file_that_is_no_notebook_and_a_ledger_that_is_none(capsys: pytest.CaptureFixture[str]) -> None:
    code, text = said(capsys, grading.main, "missing", "folder", "empty", "noise", "cut.ipynb")
    assert code == 1
    assert [line.strip() for line in text.splitlines() if "not graded" in line] == [
        "not graded: there is no such file",
        "not graded: it is a folder",
        *["not graded: it is not a Jupyter notebook"] * 3,
    ]
    for ledger in ("missing", "folder", "empty/file", "noise"):
        assert said(capsys, certify.main, "http://127.0.0.1:1", "--yes", "--accept", ledger)[0] == 255


@pytest.mark.usefixtures("folder")
def test_the_words_are_those_of_the_functions_too() -> None:
    for out, words in (
        ("no/out", "The folder no does not exist"),
        ("folder", "folder is a folder, not a file"),
        ("empty/out", "empty is a file, not a folder"),
        ("noise", "noise exists; a recording needs a new file"),
    ):
        with pytest.raises(OSError, match=f"^{words}$"):
            make_capsule("good", out)
        with pytest.raises(OSError, match=f"^{words}$"), Recorder("http://127.0.0.1:1", out):
            pass


def test_the_words() -> None:
    assert words_of(PermissionError(13, "Permission denied", "a")) == "a cannot be opened: you have no permission"
    assert words_of(FileExistsError(17, "File exists", "a")) == "a exists already"
    assert words_of(OSError(28, "No space left on device")) == "No space left on device"
    assert words_of(OSError(5, "Input/output error", "a")) == "a: Input/output error"
    assert words_of(FileExistsError("a exists; a capsule needs a new file")) == "a exists; a capsule needs a new file"
