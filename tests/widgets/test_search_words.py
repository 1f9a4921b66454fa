"""What is typed into the search box."""

from __future__ import annotations

import pytest

from orthanc_lab.protocol.levels import Level
from orthanc_lab.widgets.search_words import Query, queries


def test_nothing_finds_all_patients():
    assert queries("  ") == [Query(Level.PATIENT, {})]


@pytest.mark.parametrize(
    ("words", "pattern"),
    [("doe", "*doe*"), ("doe john", "*doe*john*"), ("doe^john", "*doe*john*"), ("doe*", "doe*"), ("d?e", "d?e")],
)
def test_names(words, pattern):
    assert queries(words, "Patient's name") == [Query(Level.PATIENT, {"PatientName": pattern})]


@pytest.mark.parametrize(
    ("words", "dates"),
    [
        ("2026", "20260101-20261231"),
        ("2024-02", "20240201-20240229"),
        ("2026-01-05", "20260105-20260105"),
        ("20260105", "20260105-20260105"),
        ("20260105-20260201", "20260105-20260201"),
        ("2025 - 2026-04", "20250101-20260430"),
        ("2025 -", "20250101-"),
        ("- 2025", "-20251231"),
    ],
)
def test_dates(words, dates):
    assert queries(words, "Study date") == [Query(Level.STUDY, {"StudyDate": dates})]


def test_no_date_is_said():
    with pytest.raises(ValueError, match="'yesterday' is not a date; write 2026"):
        queries("yesterday", "Study date")


def test_a_modality_is_whole_and_in_capitals():
    assert queries("ct", "Modality") == [Query(Level.STUDY, {"ModalitiesInStudy": "CT"})]


def test_anything():
    found = [tag for query in queries("mr") for tag in query.tags]
    assert found == ["PatientName", "PatientID", "StudyDescription", "ModalitiesInStudy"]
    assert "StudyDate" in [tag for query in queries("2026") for tag in query.tags]
