"""Which exercises a student has solved, kept beside the notebooks."""

from __future__ import annotations

import json
from pathlib import Path

from orthanc_lab.protocol.replacing import replacing

__all__ = ["Progress"]

_FOLDER = ".orthanc-lab-progress"
_LARGEST = 10_000  # bytes


class Progress:
    """The solved exercises of the lessons in one folder: a small file for each lesson, so that none overwrites another.

    Parameters
    ----------
    folder
        The folder of the notebooks.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder / _FOLDER

    def solved(self, lesson: str) -> frozenset[int]:
        """Return the numbers of the solved exercises; none if the file is missing or damaged."""
        path = self._path(lesson)
        try:
            content = json.loads(path.read_bytes()) if path.stat().st_size <= _LARGEST else None
        except (OSError, ValueError, RecursionError):
            return frozenset()
        return (
            frozenset(item for item in content if isinstance(item, int)) if isinstance(content, list) else frozenset()
        )

    def add(self, lesson: str, exercise: int) -> None:
        """Note that an exercise is solved.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        solved = self.solved(lesson) | {exercise}
        self._folder.mkdir(exist_ok=True)
        with replacing(self._path(lesson)) as part:
            part.write_text(json.dumps(sorted(solved)), encoding="utf-8")

    def forget(self, lesson: str) -> None:
        """Forget a lesson.

        Raises
        ------
        OSError
            If the file cannot be removed.
        """
        self._path(lesson).unlink(missing_ok=True)

    def _path(self, lesson: str) -> Path:
        return self._folder / f"{lesson}.json"
