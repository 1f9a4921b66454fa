"""The answers to a query of a DICOM node as a frame."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd

from orthanc_lab.client import Answer
from orthanc_lab.frames.columns import typed
from orthanc_lab.protocol.arguments import items_of

__all__ = ["answers"]

_PLUMBING = ("SpecificCharacterSet", "QueryRetrieveLevel", "RetrieveAETitle")  # about the query, not about its answers


def answers(query: Iterable[Answer]) -> pd.DataFrame:
    """Return a row for each answer to a query of a DICOM node: its tags by keyword, as the node has sent them.

    Parameters
    ----------
    query
        A `Query` or some of its answers. The index of the frame is the number of the answer, as in ``query[number]``.

    Examples
    --------
    >>> import orthanc_lab
    >>> from orthanc_lab import frames
    >>> from orthanc_lab.client import Answer
    >>> found = [Answer(None, "", 0, {"PatientID": "JANE", "StudyDate": "20260105"})]
    >>> frames.answers(found)
      PatientID  StudyDate
    0      JANE 2026-01-05
    """
    rows = items_of(query, Answer, "the answers of a query, client.modalities[...].query()")
    names = dict.fromkeys(name for answer in rows for name in answer.tags if name not in _PLUMBING)
    columns = {name: typed([_value(answer.tags.get(name)) for answer in rows], name) for name in names}
    return pd.DataFrame(columns, index=[answer.number for answer in rows] if rows else None)


def _value(value: Any) -> Any:
    return value if value is None or isinstance(value, str) else str(value)
