"""``orthanc-lab grade``: a table of what students have solved in the exercises of the lessons."""

from __future__ import annotations

import argparse
import importlib.util
import math
import sys
from collections.abc import Sequence
from pathlib import Path

from orthanc_lab.client.errors import ClientError
from orthanc_lab.lab.grading.kernel import Kernel, KernelError
from orthanc_lab.lab.grading.notebook import (
    Lesson,
    NotANotebookError,
    answers,
    is_the_solution,
    lesson_of,
    read_cells,
)
from orthanc_lab.lab.grading.session import Mark, Session, Verdict
from orthanc_lab.lab.grading.table import FORMS, Row
from orthanc_lab.lab.notebooks import packaged_notebooks
from orthanc_lab.protocol.signals import exit_code_of
from orthanc_lab.server.file_words import check_writable, words_of

__all__ = ["grade", "main"]

_NEEDED = ("ipykernel", "jupyter_client", "ipywidgets", "pandas", "matplotlib")
_DESCRIPTION = """\
Grade the exercises of notebooks that students hand in, and print a table.

Of each notebook only the answers are taken; the lesson around them, its solutions and its checks are those of this
installation. They run in a kernel, and what is judged is the state of the servers of the lesson and their log of
events, not what is printed, nor what the notebook shows. Ctrl-C ends the grading; the table then has what was graded.

A notebook runs as you, with a limit of time and nothing else: grade those of strangers in a container."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Grade notebooks; returns 0, 1 if one could not be graded, or more if it was interrupted."""
    chosen = _parser().parse_args(arguments)
    missing = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if missing:
        words = f"Missing packages: {', '.join(missing)}. Run: pip install 'orthanc-lab[notebook]'"
        print(f"orthanc-lab grade: {words}", file=sys.stderr)
        return 1
    try:
        check_writable(chosen.output)
    except OSError as error:
        print(f"orthanc-lab grade: {words_of(error)}", file=sys.stderr)
        return 1
    rows: list[Row] = []
    code = 0
    try:
        for path in chosen.notebooks:
            print(f"Grading {path} …", file=sys.stderr)
            rows.append(grade(path, cell_seconds=chosen.cell_timeout, total_seconds=chosen.timeout))
    except KeyboardInterrupt as interrupt:  # a hundred notebooks may take hours: what is graded is not lost
        code = exit_code_of(interrupt)
        rows += [Row(path.name, "", (), "not graded: interrupted") for path in chosen.notebooks[len(rows) :]]
    text = FORMS[chosen.format](rows)
    if chosen.output is None:
        print(text, end="")
    else:
        chosen.output.write_text(text, encoding="utf-8")
    return code or (1 if any(row.problem for row in rows) else 0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orthanc-lab grade", description=_DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("notebooks", nargs="+", type=Path, metavar="NOTEBOOK", help="what a student hands in")
    parser.add_argument("--format", choices=tuple(FORMS), default="text", help="of the table (default: text)")
    parser.add_argument("--output", type=Path, help="file for the table (default: standard output)")
    parser.add_argument("--timeout", type=_seconds, default=300, help="seconds for a notebook (default: 300)")
    parser.add_argument("--cell-timeout", type=_seconds, default=60, help="seconds for a cell (default: 60)")
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 < seconds < math.inf:
        raise argparse.ArgumentTypeError(f"a number of seconds above 0 is needed, not {text!r}")
    return seconds


def grade(path: Path, *, cell_seconds: float = 60, total_seconds: float = 300, folder: Path | None = None) -> Row:
    """Grade one notebook.

    Parameters
    ----------
    path
        What a student hands in.
    cell_seconds, total_seconds
        How long a cell, and all cells together, may take.
    folder
        Where the lessons are (default: those of this installation).
    """
    try:
        cells = read_cells(path)
        lesson = lesson_of(cells, folder or packaged_notebooks())
    except (NotANotebookError, OSError) as error:
        return Row(path.name, "", (), f"not graded: {words_of(error) if isinstance(error, OSError) else error}")
    written = answers(cells, lesson)
    verdicts: list[Verdict] = []
    problem = ""
    try:
        with (
            Kernel(cell_seconds=cell_seconds, total_seconds=total_seconds) as kernel,
            Session(lesson, kernel) as session,
        ):
            for exercise, answer in zip(lesson.exercises, written, strict=True):
                verdict = session.grade(exercise, [cell.source for cell in answer])
                if verdict.mark is Mark.RIGHT and is_the_solution(answer, exercise):
                    verdict = Verdict(verdict.mark, verdict.words or "word for word the folded solution")
                verdicts.append(verdict)
    except KernelError as error:
        problem = f"stopped: {error}"
    except ClientError as error:
        problem = f"stopped: the server of the lesson does not answer any more: {str(error).splitlines()[0]}"
    except Exception as error:  # of answers that a notebook has tampered with: others are graded all the same
        problem = f"stopped: an exercise cannot be judged ({type(error).__name__}: {error})"
    return Row(path.name, lesson.number, _all(verdicts, lesson), problem)


def _all(verdicts: Sequence[Verdict], lesson: Lesson) -> list[Verdict]:
    """Return a verdict for each exercise; those that were not reached are none."""
    missing = len(lesson.exercises) - len(verdicts)
    return [*verdicts, *([Verdict(Mark.ERROR, "not reached")] * missing)]
