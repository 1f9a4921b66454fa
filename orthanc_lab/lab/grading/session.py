"""One lesson in a kernel: its cells are run, and answers judged."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from types import TracebackType
from typing import Any

from orthanc_lab.client.client import Client
from orthanc_lab.client.errors import ClientError
from orthanc_lab.client.job_events import all_events, events_page
from orthanc_lab.lab.exercises import NotRightError
from orthanc_lab.lab.grading.evidence import Criterion, Evidence, WrongAnswerError
from orthanc_lab.lab.grading.kernel import Kernel, KernelError
from orthanc_lab.lab.grading.lessons import criteria_of
from orthanc_lab.lab.grading.notebook import Exercise, Lesson
from orthanc_lab.protocol.job_events import JobEvent

__all__ = ["Mark", "Session", "Verdict"]

_ASSERTION = re.compile(rf"^(AssertionError|{NotRightError.__name__}): ")


class Mark(Enum):
    """What an answer is worth."""

    RIGHT = "right"
    WRONG = "wrong"
    NONE = "no answer"
    ERROR = "error"


@dataclass(frozen=True, slots=True)
class Verdict:
    """The mark of an answer, and why."""

    mark: Mark
    words: str = ""


class Session:
    """A lesson in a kernel, with the cells before its exercises run.

    The servers of the lesson run in the kernel, as they do for the student; they are asked from here. Which they are is
    found out before any cell of the student has run.

    Raises
    ------
    KernelError
        If the lesson itself does not run.
    """

    def __init__(self, lesson: Lesson, kernel: Kernel) -> None:
        self._lesson = lesson
        self._kernel = kernel
        self._criteria = criteria_of(lesson.number)
        for cell in lesson.setup:
            error = kernel.run(cell.source)
            if error and "raises-exception" not in cell.tags:
                raise KernelError(f"the lesson does not run here: {error}")
        addresses = kernel.values({name: f"{name}.url" for name in self._criteria.servers})
        self._servers = {name: Client(str(url), retries=0) for name, url in addresses.items()}

    def __enter__(self) -> Session:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for client in self._servers.values():
            client.close()

    def grade(self, exercise: Exercise, answer: Iterable[str]) -> Verdict:
        """Run the cells of an answer, and judge it.

        The solution and the check of the lesson run afterwards, as they do for the student: later exercises may need
        what they leave behind, and an answer that is right passes the check, too.

        Raises
        ------
        KernelError
            If the kernel cannot go on.
        """
        criterion = self._criteria.exercises.get(exercise.number)
        before, known = self._before(criterion), self._last_events()
        self._kernel.run(f"{exercise.variable} = ...")  # a name of the lesson is no answer
        error = next((found for source in answer if (found := self._kernel.run(source))), "")
        is_answered = self._kernel.values({"it": f"{exercise.variable} is not ..."})["it"] is True
        verdict = self._judged(criterion, before, known) if is_answered else Verdict(Mark.NONE)
        if error:
            verdict = Verdict(Mark.ERROR, error)
        self._kernel.run(exercise.solution.source)
        complaint = self._kernel.run(exercise.check.source)
        if verdict.mark is Mark.RIGHT and complaint:
            verdict = Verdict(Mark.WRONG, _ASSERTION.sub("", complaint))
        return verdict

    def _before(self, criterion: Criterion | None) -> Any:
        if criterion is None:
            return None
        if criterion.before is not None:
            return criterion.before(self._servers)
        return self._kernel.values(criterion.before_values)

    def _judged(self, criterion: Criterion | None, before: Any, known: Mapping[str, int]) -> Verdict:
        if criterion is None:
            return Verdict(Mark.RIGHT, "judged by the check of the lesson alone")
        try:
            values = self._kernel.values(criterion.values)
            events = self._events(known)
            evidence = Evidence(values, before, self._servers, events, self._kernel.folder, self._kernel)
            criterion.judge(evidence)
        except WrongAnswerError as error:
            return Verdict(Mark.WRONG, str(error))
        except ClientError as error:
            return Verdict(Mark.WRONG, f"the server says: {str(error).splitlines()[0]}")
        return Verdict(Mark.RIGHT)

    def _last_events(self) -> dict[str, int]:
        return {name: events_page(client.transport, limit=1).last for name, client in self._servers.items()}

    def _events(self, known: Mapping[str, int]) -> dict[str, list[JobEvent]]:
        return {name: all_events(client.transport, known[name]) for name, client in self._servers.items()}
