"""The index of the lessons: what each teaches, how long it takes, and which exercises are solved."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from pathlib import Path

from orthanc_lab.lab.grading.notebook import Lesson, read_lesson
from orthanc_lab.lab.notebooks import packaged_notebooks
from orthanc_lab.lab.progress import Progress
from orthanc_lab.protocol.replacing import replacing

__all__ = ["LessonHead", "LessonIndex", "read_head"]

_MINUTES = re.compile(r"\*\*Time:?\*\*:?\s*about (\d+) minutes")


@dataclass(frozen=True, slots=True)
class LessonHead:
    """What the first cell of a lesson says about it."""

    title: str  # "01 · Quick tour"
    learn: str
    minutes: int


def read_head(path: Path) -> LessonHead:
    """Read the first cell of a lesson.

    Raises
    ------
    ValueError
        If it does not have the form of a lesson's first cell.
    """
    first = "".join(json.loads(path.read_text("utf-8"))["cells"][0]["source"])
    title = next((line.removeprefix("# ").strip() for line in first.splitlines() if line.startswith("# ")), "")
    learn = " ".join(first.partition("**You will learn**")[2].partition("**Time")[0].split())
    minutes = _MINUTES.search(first)
    if not (title and learn and minutes):
        raise ValueError(
            f'The first cell of {path.name} needs a title, "**You will learn**" and "**Time:** about … minutes"'
        )
    return LessonHead(title, learn[0].upper() + learn[1:], int(minutes[1]))


@dataclass(frozen=True, slots=True)
class _Entry:
    file: str
    head: LessonHead
    exercises: int
    solved: int

    @property
    def is_done(self) -> bool:
        return self.solved >= self.exercises


class LessonIndex:
    """All lessons with the score of each; a notebook shows it as a table.

    Parameters
    ----------
    folder
        The folder of the notebooks (default: the current one).

    Examples
    --------
    >>> import tempfile
    >>> print(str(LessonIndex(Path(tempfile.mkdtemp()))).splitlines()[0])
    ○ 01 · Quick tour: 0 of 3 exercises solved, about 10 minutes
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._folder = folder or Path.cwd()
        self._progress = Progress(self._folder)

    def __repr__(self) -> str:
        entries = list(self._entries())
        lines = [
            f"{'●' if entry.is_done else '○'} {entry.head.title}: {entry.solved} of {entry.exercises} exercises "
            f"solved, about {entry.head.minutes} minutes"
            for entry in entries
        ]
        return "\n".join([*lines, _next(entries)])

    def _repr_html_(self) -> str:
        entries = list(self._entries())
        heads = "".join(f'<th style="text-align: left">{head}</th>' for head in ("Lesson", "You will learn"))
        heads += "".join(f'<th style="text-align: right">{head}</th>' for head in ("Minutes", "Solved"))
        rows = "".join(map(_row, entries))
        return f"<table><thead><tr>{heads}</tr></thead><tbody>{rows}</tbody></table><p>{escape(_next(entries))}</p>"

    def reset(self, lesson: str | int) -> str:
        """Put ``...`` back in place of your answers in one lesson, and forget its score; return what was done.

        Everything else in the notebook stays, also cells that you have added.

        Parameters
        ----------
        lesson
            Its number, ``"01"`` or ``1``.

        Raises
        ------
        LookupError
            If there is no such lesson.
        OSError
            If the notebook cannot be read or written.
        ValueError
            If the file in your folder is not a notebook.
        """
        number = str(lesson).zfill(2)
        file = next((path for path in _files() if path.name.startswith(f"{number}_")), None)
        if file is None:
            raise LookupError(
                f"There is no lesson {lesson}. The lessons are: {', '.join(p.name[:2] for p in _files())}"
            )
        mine = self._folder / file.name
        if not mine.is_file():
            raise FileNotFoundError(f"There is no {file.name} in {self._folder.resolve()}: nothing to reset")
        try:
            document = json.loads(mine.read_text("utf-8"))
            _clear(document["cells"], read_lesson(file))
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
            raise ValueError(f"{file.name} is not a notebook") from error
        with replacing(mine) as part:
            part.write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        self._progress.forget(number)
        return f"Your answers in {file.name} are gone. If it is open, choose File, Reload Notebook from Disk."

    def _entries(self) -> Iterator[_Entry]:
        for path in _files():
            lesson = read_lesson(path)
            solved = self._progress.solved(lesson.number)
            numbers = {exercise.number for exercise in lesson.exercises}
            yield _Entry(path.name, read_head(path), len(numbers), len(solved & numbers))


def _files() -> list[Path]:
    """Return the lessons, without the index itself."""
    return sorted(path for path in packaged_notebooks().glob("[0-9][0-9]_*.ipynb") if not path.name.startswith("00"))


def _clear(cells: list[dict[str, object]], lesson: Lesson) -> None:
    places = {exercise.place.id: exercise.place.source for exercise in lesson.exercises}
    checks = {exercise.check.id for exercise in lesson.exercises}
    for cell in cells:
        id = cell.get("id")
        if id in places:
            cell["source"] = places[str(id)].splitlines(keepends=True)
        if id in places or id in checks:
            cell["outputs"], cell["execution_count"] = [], None


def _row(entry: _Entry) -> str:
    head = entry.head
    learn = re.sub("`([^`]*)`", r"<code>\1</code>", escape(head.learn))
    score = f"{'✓ ' if entry.is_done else ''}{entry.solved} of {entry.exercises}"
    return (
        f'<tr><td style="text-align: left"><a href="{escape(entry.file)}">{escape(head.title)}</a></td>'
        f'<td style="text-align: left">{learn}</td>'
        f'<td style="text-align: right">{head.minutes}</td><td style="text-align: right">{score}</td></tr>'
    )


def _next(entries: list[_Entry]) -> str:
    left = [entry for entry in entries if not entry.is_done]
    if not left:
        return "You have solved all exercises."
    minutes = sum(entry.head.minutes for entry in left)
    return f"Next: {left[0].head.title}. The remaining lessons take about {minutes} minutes."
