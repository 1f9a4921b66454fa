"""Lessons and what students hand in, as cells."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

__all__ = [
    "Cell",
    "Exercise",
    "Lesson",
    "NotANotebookError",
    "answers",
    "is_the_solution",
    "lesson_of",
    "read_cells",
    "read_lesson",
]

_LARGEST = 50 << 20  # bytes
_TITLE = re.compile(r"^# *(\d\d) ", re.M)
_NAME = re.compile(r"^if shown := \((\w+) is \.\.\.\):$", re.M)


class NotANotebookError(Exception):
    """A file that is no notebook, or none of a lesson."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell."""

    id: str
    is_code: bool
    source: str
    tags: frozenset[str]


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise of a lesson: a cell for the answer, a folded solution, and a check."""

    number: int
    variable: str  # that holds the answer
    place: Cell
    solution: Cell
    check: Cell


@dataclass(frozen=True, slots=True)
class Lesson:
    """A lesson as it is in the package."""

    number: str  # "02"
    cells: tuple[Cell, ...]
    exercises: tuple[Exercise, ...]

    @property
    def setup(self) -> Iterator[Cell]:
        """The cells before the exercises."""
        for cell in self.cells:
            if cell.id == self.exercises[0].place.id:
                return
            if cell.is_code:
                yield cell


def read_cells(path: Path) -> tuple[Cell, ...]:
    """Read a notebook; its outputs are left aside.

    Raises
    ------
    NotANotebookError
        If it is no notebook.
    OSError
        If it cannot be read.
    """
    if path.is_dir():
        raise NotANotebookError("it is a folder")
    if not path.is_file():
        raise NotANotebookError("there is no such file")
    if path.stat().st_size > _LARGEST:
        raise NotANotebookError(f"it is larger than {_LARGEST >> 20} MB")
    try:
        return tuple(map(_cell, json.loads(path.read_bytes())["cells"]))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        raise NotANotebookError("it is not a Jupyter notebook") from None


def _cell(document: Mapping[str, Any]) -> Cell:
    source = document["source"]
    text = source if isinstance(source, str) else "".join(source)
    tags = frozenset(tag for tag in document.get("metadata", {}).get("tags", ()) if isinstance(tag, str))
    return Cell(str(document.get("id", "")), document["cell_type"] == "code", text, tags)


def read_lesson(path: Path) -> Lesson:
    """Read a lesson of the package."""
    cells = read_cells(path)
    parts = [[cell for cell in cells if tag in cell.tags] for tag in ("exercise", "solution", "check")]
    exercises = []
    for number, (place, solution, check) in enumerate(zip(*parts, strict=True), 1):
        name = _NAME.search(solution.source)
        assert name is not None, f"{path.name}: the form of a solution"
        exercises.append(Exercise(number, name[1], place, solution, check))
    return Lesson(_number(cells), cells, tuple(exercises))


def lesson_of(cells: Sequence[Cell], folder: Path) -> Lesson:
    """Return the lesson that a student has worked on, by its title.

    Raises
    ------
    NotANotebookError
        If there is none.
    """
    number = _number(cells)
    found = sorted(folder.glob(f"{number}_*.ipynb")) if number else []
    if not found:
        raise NotANotebookError("its first cell has not the title of a lesson")
    lesson = read_lesson(found[0])
    if not lesson.exercises:
        raise NotANotebookError("this lesson has no exercises")
    return lesson


def _number(cells: Sequence[Cell]) -> str:
    title = _TITLE.search(cells[0].source) if cells else None
    return title[1] if title else ""


def answers(cells: Sequence[Cell], lesson: Lesson) -> list[list[Cell]]:
    """Return what a student has written for each exercise: the cell for the answer, and cells added beside it.

    Everything else in the notebook is the lesson's own, and is taken from there: solutions and checks, too.
    """
    own = {cell.source for cell in lesson.cells if cell.is_code and "exercise" not in cell.tags}
    found: list[list[Cell]] = [[] for _ in lesson.exercises]
    current, seen = -1, 0
    for cell in cells:
        if not cell.is_code:
            current = max(current, 0) if cell.source.startswith("## Exercises") else current
            continue
        if "exercise" in cell.tags:
            current = _exercise_of(cell, lesson, seen)
            seen += 1
        if 0 <= current < len(found):
            if "check" in cell.tags:
                current += 1
            elif "solution" not in cell.tags and cell.source not in own:
                found[current].append(cell)
    return found


def _exercise_of(cell: Cell, lesson: Lesson, seen: int) -> int:
    """Return which exercise a cell is for: by its id, or by its place if a program has given it another one."""
    return next((at for at, exercise in enumerate(lesson.exercises) if exercise.place.id == cell.id), seen)


def is_the_solution(written: Sequence[Cell], exercise: Exercise) -> bool:
    """Return whether an answer is the folded solution, word for word."""
    mine = _statements("\n".join(cell.source for cell in written))
    theirs = _statements(exercise.solution.source)
    return bool(mine and theirs) and [line for line in mine if line not in _statements(exercise.place.source)] == theirs


def _statements(source: str) -> list[str]:
    try:
        body: list[ast.stmt] = ast.parse(source).body
        if len(body) == 1 and isinstance(body[0], ast.If):
            body = body[0].body
        return [ast.dump(statement) for statement in body]
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return []
