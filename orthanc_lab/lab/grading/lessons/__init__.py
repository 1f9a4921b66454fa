"""What is right in each lesson: a module ``lesson_NN`` with its `SERVERS` and `CRITERIA`."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_lab.lab.grading.evidence import Criterion

__all__ = ["Criteria", "criteria_of"]


@dataclass(frozen=True, slots=True)
class Criteria:
    """How the exercises of one lesson are judged."""

    servers: tuple[str, ...]  # names of the variables that hold servers
    exercises: Mapping[int, Criterion]  # by number; one that is missing is judged by the check of the lesson alone


def criteria_of(lesson: str) -> Criteria:
    """Return the criteria of the lesson with this number, ``"02"``."""
    name = f"{__name__}.lesson_{lesson}"
    if importlib.util.find_spec(name) is None:
        return Criteria((), {})
    module = importlib.import_module(name)
    return Criteria(module.SERVERS, module.CRITERIA)
