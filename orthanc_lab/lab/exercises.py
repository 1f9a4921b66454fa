"""The exercises at the end of a lesson: what the check of an answer says, and the score."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from orthanc_lab.lab.progress import Progress
from orthanc_lab.server.file_words import words_of

__all__ = ["Exercises", "NotRightError"]

_OF_ANOTHER_KIND = (AttributeError, LookupError, TypeError, ValueError)  # what a check meets that expected another type


class NotRightError(AssertionError):
    """An answer that is not right; the message is a hint. A notebook shows it without the code of the check."""

    def __init__(self, number: int, hint: str) -> None:
        super().__init__(hint)
        self.number = number

    def _render_traceback_(self) -> list[str]:
        """Return what IPython shows instead of a traceback."""
        return [f"{self.number} is not right yet. {self}"]


class Exercises:
    """The exercises of one lesson, with the score.

    Solved exercises are remembered in the folder of the notebook; `00_start_here.ipynb` shows those of all lessons.

    Parameters
    ----------
    lesson
        Its number, ``"01"``.
    count
        How many exercises it has.
    folder
        The folder of the notebook (default: the current one).

    Examples
    --------
    >>> import tempfile
    >>> exercises = Exercises("01", 3, folder=Path(tempfile.mkdtemp()))
    >>> exercises
    ○ ○ ○  0 of 3 solved
    >>> with exercises.check(2):
    ...     assert 6 * 7 == 42, "Multiply"
    2 is right · 1 of 3 solved
    """

    def __init__(self, lesson: str, count: int, folder: Path | None = None) -> None:
        self._lesson = lesson
        self._numbers = range(1, count + 1)
        self._progress = Progress(folder or Path.cwd())

    def __repr__(self) -> str:
        solved = self._progress.solved(self._lesson)
        return f"{' '.join('●' if number in solved else '○' for number in self._numbers)}  {self._score()}"

    @contextmanager
    def check(self, number: int, is_shown: bool = False) -> Iterator[None]:
        """Judge an answer by the assertions in the block, and say so.

        Parameters
        ----------
        number
            Of the exercise.
        is_shown
            Whether the answer is only the lesson's solution: then it does not count.

        Raises
        ------
        NotRightError
            If an assertion fails; its message is the hint. Also if the check cannot handle the answer.
        ValueError
            If there is no exercise of this number.
        """
        if number not in self._numbers:
            raise ValueError(f"There is no exercise {number}: this lesson was given {len(self._numbers)}")
        try:
            yield
        except AssertionError as error:
            raise NotRightError(number, str(error)) from error
        except Exception as error:
            words = f"The check stopped with {type(error).__name__}: {error}"
            if isinstance(error, _OF_ANOTHER_KIND):
                words += ". Is your answer of the kind that is asked for?"
            raise NotRightError(number, words) from error
        if is_shown:
            print(f"{number}: no answer yet (the folded cell above has a solution)")
            return
        try:
            self._progress.add(self._lesson, number)
        except OSError as error:
            print(f"{number} is right, but that cannot be saved: {words_of(error)}")
        else:
            print(f"{number} is right · {self._score()}")

    def _score(self) -> str:
        solved = self._progress.solved(self._lesson).intersection(self._numbers)
        return f"{len(solved)} of {len(self._numbers)} solved"
