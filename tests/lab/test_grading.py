"""Grading: right answers are right, and none of the bank of wrong ones."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import NoReturn

import pytest

from orthanc_lab.lab.grading import command as grading
from orthanc_lab.lab.grading import session as sessions
from orthanc_lab.lab.grading.command import grade, main
from orthanc_lab.lab.grading.evidence import Criterion, require
from orthanc_lab.lab.grading.kernel import Kernel
from orthanc_lab.lab.grading.lessons import Criteria, criteria_of
from orthanc_lab.lab.grading.notebook import Lesson, NotANotebookError, answers, lesson_of, read_cells, read_lesson
from orthanc_lab.lab.grading.session import Mark, Session
from orthanc_lab.lab.grading.table import FORMS, Row
from tests.lab.handed_in import FOLDER, WRONG, WRONG_HERE, handed_in, small_lesson, solved
from tests.notebooks.programs import need_program

LESSONS = sorted(path for path in FOLDER.glob("[0-9]*.ipynb") if not path.name.startswith("00"))
FIRST = LESSONS[0]


@pytest.mark.parametrize(
    "path", [pytest.param(path, marks=[] if path is FIRST else [pytest.mark.long], id=path.stem) for path in LESSONS]
)
@pytest.mark.timeout(300)
def test_right_answers_are_right_and_wrong_ones_are_not(path: Path) -> None:
    need_program(path)
    lesson = read_lesson(path)
    wrong = list(WRONG.values()) if path is FIRST else [WRONG["left as it was"], WRONG["like anything"]]
    with Kernel(total_seconds=240) as kernel, Session(lesson, kernel) as session:
        for exercise in lesson.exercises:
            # First the right one: wrong ones may leave something behind that is in its way.
            assert session.grade(exercise, [solved(exercise)]).mark is Mark.RIGHT, exercise.number
            for source in [*wrong, *WRONG_HERE.get(lesson.number, {}).get(exercise.number, ())]:
                answer = source
                if source in wrong:
                    answer = source.format(name=exercise.variable, number=exercise.number)
                verdict = session.grade(exercise, [answer])
                assert verdict.mark is not Mark.RIGHT, (exercise.number, answer)
                assert (verdict.mark is Mark.NONE) == (source in list(WRONG.values())[:5]), (answer, verdict)


@pytest.mark.parametrize("path", LESSONS, ids=lambda path: path.stem)
def test_each_exercise_is_judged_by_what_servers_say(path: Path) -> None:
    lesson = read_lesson(path)
    assert set(criteria_of(lesson.number).exercises) == {exercise.number for exercise in lesson.exercises}


def write(path: Path, document: object) -> Path:
    path.write_text(json.dumps(document), "utf-8")
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "lessons"
    folder.mkdir()
    return small_lesson(folder)


def test_a_table_for_a_teacher(small: Path, tmp_path: Path) -> None:
    changes = {"exercise-1": "answer_1 = three", "exercise-2": "answer_2 = 2 + 3", "check-2": "print('2 is right')"}
    path = write(tmp_path / "=cmd.ipynb", handed_in(small, changes))
    row = grade(path, folder=small.parent)
    assert [verdict.mark.value for verdict in row.verdicts] == ["right", "wrong", "no answer"]
    assert (row.points, row.lesson, row.problem) == ("1/3", "99", "")
    assert row.verdicts[1].words == "It is 4"
    rows = [row, Row("<b>", "", (), "not graded: it is not a\nJupyter notebook")]
    assert FORMS["text"](rows) == (
        "=cmd.ipynb  1/3  ✓ ✗ –\n"
        "  1: right: judged by the check of the lesson alone\n"
        "  2: wrong: It is 4\n"
        "  3: no answer\n"
        "<b>\n"
        "  not graded: it is not a Jupyter notebook\n"
    )
    lines = list(csv.reader(FORMS["csv"](rows).splitlines()))
    assert lines[0] == ["Notebook", "Lesson", "Exercise", "Mark", "Remark"]
    assert lines[2] == ["'=cmd.ipynb", "99", "2", "wrong", "It is 4"]
    assert len(lines) == 5
    html = FORMS["html"](rows)
    assert "&lt;b&gt;" in html
    assert "<b>" not in html


def test_a_cell_that_takes_too_long_and_one_that_ends_the_kernel(small: Path, tmp_path: Path) -> None:
    changes = {"exercise-1": "import time\ntime.sleep(3600)", "exercise-2": "import os\nos._exit(0)"}
    row = grade(write(tmp_path / "mine.ipynb", handed_in(small, changes)), folder=small.parent, cell_seconds=5)
    assert [verdict.mark.value for verdict in row.verdicts] == ["error"] * 3
    assert [verdict.words for verdict in row.verdicts] == [
        "Interrupted: it takes longer than 5 s",
        *["not reached"] * 2,
    ]
    assert row.problem == "stopped: it ended the kernel"


def test_an_answer_that_is_nested_too_deep_to_be_compared_with_the_solution(small: Path, tmp_path: Path) -> None:
    deep = "+".join(["1"] * 1500)
    changes = {"exercise-1": "import sys\nsys.setrecursionlimit(9000)", "exercise-2": f"answer_2 = 4\nlong = {deep}"}
    row = grade(write(tmp_path / "mine.ipynb", handed_in(small, changes)), folder=small.parent)
    assert [verdict.mark.value for verdict in row.verdicts] == ["no answer", "right", "no answer"]
    assert row.problem == ""


def test_an_answer_that_no_criterion_expects(small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A notebook can make the lesson's server answer anything: others are graded all the same."""
    judged = Criterion({"length": "answer_1"}, lambda evidence: require(evidence.values["length"] + 1 == 4, "It is 3"))
    monkeypatch.setattr(sessions, "criteria_of", lambda lesson: Criteria((), {1: judged}))
    rows = []
    for name, answer in (("tampered", "[]"), ("honest", "three")):
        path = write(tmp_path / f"{name}.ipynb", handed_in(small, {"exercise-1": f"answer_1 = {answer}"}))
        rows.append(grade(path, folder=small.parent))
    assert rows[0].problem.startswith("stopped: an exercise cannot be judged (TypeError: ")
    assert [verdict.words for verdict in rows[0].verdicts] == ["not reached"] * 3
    assert rows[1].verdicts[0].mark is Mark.RIGHT


def test_a_notebook_gets_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_PASSWORD", "secret")
    monkeypatch.setenv("ORTHANC_URL", "http://127.0.0.1:1")
    with Kernel() as kernel:
        names = kernel.values({"names": "sorted(__import__('os').environ)", "other": "undefined"})
        assert "PATH" in names["names"]
        assert not {"A_PASSWORD", "ORTHANC_URL"}.intersection(names["names"])
        assert names["other"] is None
        assert kernel.run("1 / 0") == "ZeroDivisionError: division by zero"
        assert kernel.run("input()").startswith("StdinNotImplementedError")
        folder = kernel.folder
    assert not folder.exists()


def test_a_notebook_that_takes_too_long(small: Path, tmp_path: Path) -> None:
    changes = {"exercise-1": "answer_1 = 3", "exercise-2": "import time\ntime.sleep(3600)"}
    row = grade(write(tmp_path / "mine.ipynb", handed_in(small, changes)), folder=small.parent, total_seconds=4)
    assert row.problem == "stopped: the notebook takes too long"
    assert row.verdicts[2].words == "not reached"


def sources(lesson: Lesson, document: object, folder: Path) -> list[list[str]]:
    found = answers(read_cells(write(folder / "x.ipynb", document)), lesson)
    return [[cell.source for cell in written] for written in found]


def test_only_answers_are_taken(small: Path, tmp_path: Path) -> None:
    lesson = read_lesson(small)
    changes = {"setup": "three = 4", "exercise-2": "answer_2 = 4", "solution-2": "shown = 0", "check-3": "print(3)"}
    document = handed_in(small, changes)
    assert sources(lesson, document, tmp_path) == [["answer_1 = ..."], ["answer_2 = 4"], ["answer_3 = ..."]]
    helper = {"id": "new", "cell_type": "code", "source": "import math", "metadata": {}}
    document["cells"].insert(3, helper)  # before the first exercise
    document["cells"].insert(1, {**helper, "source": "three = 5"})  # in the lesson
    assert sources(lesson, document, tmp_path)[0] == ["import math", "answer_1 = ..."]
    cells = [{**cell, "id": f"c{number}"} for number, cell in enumerate(document["cells"])]
    assert sources(lesson, {**document, "cells": cells}, tmp_path)[1:] == [["answer_2 = 4"], ["answer_3 = ..."]]
    cells = [{**cell, "metadata": {}, "id": f"c{number}"} for number, cell in enumerate(document["cells"])]
    assert sources(lesson, {**document, "cells": cells}, tmp_path)[1:] == [[], []]  # nobody can tell which is which


def test_the_order_of_cells_does_not_move_answers(small: Path, tmp_path: Path) -> None:
    lesson = read_lesson(small)
    document = handed_in(small, {"exercise-1": "answer_1 = 1", "exercise-3": "answer_3 = 3"})
    document["cells"] = [*document["cells"][:3], *reversed(document["cells"][3:])]
    found = sources(lesson, document, tmp_path)
    assert (found[0], found[2]) == (["answer_1 = 1"], ["answer_3 = 3"])


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"[1, 2",
        b"[" * 100_000,
        b'{"cells": 5}',
        b'{"cells": [{"cell_type": "code"}]}',
        b'{"cells": [{"cell_type": "code", "source": [1]}]}',
        b'{"cells": [{"cell_type": "markdown", "source": "# My notes"}]}',
        b'{"cells": [{"cell_type": "markdown", "source": "# ../ x"}]}',
        b'{"cells": []}',
    ],
)
def test_what_is_no_notebook_of_a_lesson(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "x.ipynb"
    path.write_bytes(content)
    with pytest.raises(NotANotebookError):
        lesson_of(read_cells(path), FOLDER)
    assert grade(path).problem.startswith("not graded: ")


@pytest.mark.parametrize("seconds", ["-1", "0", "nan", "inf", "x"])
def test_limits_of_time_are_numbers_above_0(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    for option in ("--timeout", "--cell-timeout"):
        with pytest.raises(SystemExit):
            main(["notebook.ipynb", f"{option}={seconds}"])
        assert f"argument {option}: a number of seconds above 0 is needed, not '{seconds}'" in capsys.readouterr().err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    table = tmp_path / "grades.csv"
    assert main([str(tmp_path / "none.ipynb"), "--format", "csv", "--output", str(table)]) == 1
    assert table.read_text("utf-8").splitlines()[1] == "none.ipynb,,,,not graded: there is no such file"
    assert main([str(tmp_path / "none.ipynb")]) == 1
    assert capsys.readouterr().out == "none.ipynb\n  not graded: there is no such file\n"


def test_an_interrupt_keeps_what_is_graded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path) -> NoReturn:
        raise KeyboardInterrupt if path.name == "b.ipynb" else NotANotebookError("it is empty")

    monkeypatch.setattr(grading, "read_cells", read)
    assert main([f"{name}.ipynb" for name in "abc"]) == 130
    assert capsys.readouterr().out == (
        "a.ipynb\n  not graded: it is empty\nb.ipynb\n  not graded: interrupted\nc.ipynb\n  not graded: interrupted\n"
    )


def test_every_criterion_has_its_bank_of_wrong_answers() -> None:
    for path in LESSONS:
        lesson = read_lesson(path)
        for number in criteria_of(lesson.number).exercises:
            assert WRONG_HERE[lesson.number][number], (path.stem, number)
