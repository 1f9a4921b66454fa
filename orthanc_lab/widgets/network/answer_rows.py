"""The answers to a query as table rows."""

from __future__ import annotations

from typing import Any

from orthanc_lab.client import Answer
from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.elements.table import Column

__all__ = ["ASKED", "answer_columns", "answer_row"]

ASKED: dict[Level, dict[str, str]] = {
    Level.PATIENT: {
        "PatientName": "Patient",
        "PatientID": "Patient ID",
        "PatientBirthDate": "Born",
        "PatientSex": "Sex",
    },
    Level.STUDY: {
        "PatientName": "Patient",
        "PatientID": "Patient ID",
        "StudyDate": "Date",
        "StudyDescription": "Description",
        "ModalitiesInStudy": "Modalities",
        "AccessionNumber": "Accession number",
    },
    Level.SERIES: {
        "Modality": "Modality",
        "SeriesNumber": "Number",
        "SeriesDescription": "Description",
        "SeriesInstanceUID": "Series instance UID",
    },
    Level.INSTANCE: {"InstanceNumber": "Number", "SOPInstanceUID": "SOP instance UID"},
}
"""What is asked for at each level, with the headings."""


def answer_columns(level: Level) -> tuple[Column, ...]:
    """Return the columns for a level."""
    return tuple(Column(keyword, head) for keyword, head in ASKED[level].items())


def answer_row(answer: Answer, level: Level) -> dict[str, Any]:
    """Return an answer as a table row."""
    return {"id": str(answer.number), **{keyword: _text(keyword, answer.tags.get(keyword)) for keyword in ASKED[level]}}


def _text(keyword: str, value: Any) -> str:
    if keyword.endswith("Date") and isinstance(value, str) and len(value) == 8:
        return f"{value[:4]}-{value[4:6]}-{value[6:]}"
    return "" if value is None else str(value).replace("^", " ").replace("\\", ", ").strip()
