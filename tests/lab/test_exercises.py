"""The score of the exercises: what counts, what is kept, the index of all lessons, and starting over."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from orthanc_lab.lab.exercises import Exercises, NotRightError
from orthanc_lab.lab.lesson_index import LessonIndex
from orthanc_lab.lab.notebooks import packaged_notebooks

FIRST = packaged_notebooks() / "01_quick_tour.ipynb"


def solve(folder: Path, lesson: str, count: int) -> None:
    for number in range(1, count + 1):
        with Exercises(lesson, count, folder).check(number):
            pass


def test_the_score(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercises = Exercises("01", 3, tmp_path)
    with exercises.check(2):
        assert True
    with exercises.check(3, True):
        assert True
    with pytest.raises(NotRightError, match=r"^Multiply$"), exercises.check(1):
        raise AssertionError("Multiply")
    words = r"^The check stopped with KeyError: 'x'. Is your answer of the kind that is asked for\?$"
    with pytest.raises(NotRightError, match=words), exercises.check(1):
        _ = {}["x"]
    with pytest.raises(NotRightError, match=r"^The check stopped with OSError: Gone$"), exercises.check(1):
        raise OSError("Gone")
    with pytest.raises(ValueError, match=r"^There is no exercise 4: "), exercises.check(4):
        pass
    assert repr(Exercises("01", 3, tmp_path)) == "○ ● ○  1 of 3 solved"
    assert repr(Exercises("02", 3, tmp_path)) == "○ ○ ○  0 of 3 solved"
    assert capsys.readouterr().out.splitlines() == [
        "2 is right · 1 of 3 solved",
        "3: no answer yet (the folded cell above has a solution)",
    ]


def test_a_student_sees_the_hint_and_not_the_check(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    shell = InteractiveShell(user_ns={"exercises": Exercises("01", 1, tmp_path)})
    shell.run_cell("with exercises.check(1):\n    assert 1 + 1 == 3, 'Count again'")
    assert capsys.readouterr().out.strip() == "1 is not right yet. Count again"


@pytest.mark.parametrize("content", ["", "{", "7", '["1", null, 2.5]', "[" * 9_000, "[" + "1," * 9_000 + "1]"])
def test_a_damaged_score_is_none(tmp_path: Path, content: str) -> None:
    solve(tmp_path, "01", 1)
    (file,) = (tmp_path / ".orthanc-lab-progress").iterdir()
    file.write_text(content)
    assert repr(Exercises("01", 1, tmp_path)) == "○  0 of 1 solved"
    solve(tmp_path, "01", 1)
    assert repr(Exercises("01", 1, tmp_path)) == "●  1 of 1 solved"


def test_a_folder_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / ".orthanc-lab-progress").write_text("a file")
    solve(tmp_path, "01", 1)
    assert capsys.readouterr().out.startswith(f"1 is right, but that cannot be saved: {tmp_path}")


def test_the_index_says_what_is_done_and_what_is_next(tmp_path: Path) -> None:
    index = LessonIndex(tmp_path)
    before = repr(index).splitlines()
    assert before[0] == "○ 01 · Quick tour: 0 of 3 exercises solved, about 10 minutes"
    assert before[-1].startswith("Next: 01 · Quick tour. The remaining lessons take about ")
    solve(tmp_path, "01", 3)
    solve(tmp_path, "02", 1)
    after = repr(index).splitlines()
    assert after[:2] == [
        "● 01 · Quick tour: 3 of 3 exercises solved, about 10 minutes",
        "○ 02 · Jobs: 1 of 3 exercises solved, about 25 minutes",
    ]
    assert after[-1].startswith("Next: 02 · Jobs. ")
    html = index._repr_html_()
    assert '<a href="01_quick_tour.ipynb">01 · Quick tour</a>' in html
    assert "✓ 3 of 3" in html
    for line in before[:-1]:
        solve(tmp_path, line[2:4], 3)
    assert repr(index).splitlines()[-1] == "You have solved all exercises."


def test_reset_takes_the_answers_back_and_nothing_else(tmp_path: Path) -> None:
    mine = tmp_path / FIRST.name
    shutil.copyfile(FIRST, mine)
    document = json.loads(mine.read_text("utf-8"))
    cells = {cell["id"]: cell for cell in document["cells"]}
    cells["exercise-1"]["source"], cells["title"]["source"] = ["mr_instances = 12"], ["# My notes"]
    mine.write_text(json.dumps(document), "utf-8")
    solve(tmp_path, "01", 3)
    index = LessonIndex(tmp_path)
    assert index.reset("01").startswith("Your answers in 01_quick_tour.ipynb are gone.")
    after = {cell["id"]: cell for cell in json.loads(mine.read_text("utf-8"))["cells"]}
    assert "".join(after["exercise-1"]["source"]) == "mr_instances = ..."
    assert after["check-1"]["outputs"] == []
    assert after["title"]["source"] == ["# My notes"]
    assert after["start"] == cells["start"]
    assert repr(index).startswith("○ 01 · Quick tour: 0 of 3")
    solve(tmp_path, "01", 3)
    assert index.reset(1) == index.reset("1") == index.reset("01")
    assert repr(index).startswith("○ 01 · Quick tour: 0 of 3")


@pytest.mark.parametrize("content", ["", "[]", '{"cells": 5}', '{"cells": [5]}', '{"cells": ' + "[" * 100_000])
def test_reset_of_what_is_not_a_notebook(tmp_path: Path, content: str) -> None:
    (tmp_path / FIRST.name).write_text(content)
    with pytest.raises(ValueError, match=r"^01_quick_tour\.ipynb is not a notebook$"):
        LessonIndex(tmp_path).reset("01")
    assert (tmp_path / FIRST.name).read_text() == content
    with pytest.raises(LookupError, match="There is no lesson 77"):
        LessonIndex(tmp_path).reset("77")
    with pytest.raises(FileNotFoundError, match=rf"^There is no 02_jobs.ipynb in {tmp_path}: nothing to reset$"):
        LessonIndex(tmp_path).reset("02")
