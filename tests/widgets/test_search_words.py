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
    assert queries(words, "Patient's name")[0] == Query(Level.PATIENT, {"PatientName": pattern})


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
    assert found == [
        "PatientName",
        "PatientID",
        "AccessionNumber",
        "StudyDescription",
        "SeriesDescription",
        "ModalitiesInStudy",
    ]
    assert "StudyDate" in [tag for query in queries("2026") for tag in query.tags]


def test_a_uid_is_sought_as_it_is_at_each_level():
    uid = "1.2.840.10008.5"
    assert [query.tags for query in queries(uid, "UID")] == [
        {"StudyInstanceUID": uid},
        {"SeriesInstanceUID": uid},
        {"SOPInstanceUID": uid},
    ]
    assert queries(uid)[:3] == queries(uid, "UID")
    with pytest.raises(ValueError, match="is not a UID"):
        queries("1.2.*", "UID")


@pytest.mark.parametrize(
    ("words", "value", "is_kept"),
    [
        ("muller", "Müller^Änne", True),
        ("Müller", "MULLER", True),
        ("muller", "Miller", False),
        ("zizek s", "Žižek^Slavoj", True),
        ("lukasz", "Łukasz", True),
        ("διονύσιος", "Διονυσιος", True),
        ("jose", "Jose\u0301", True),
    ],
)
def test_other_accents_are_checked_here(words, value, is_kept):
    last = queries(words, "Patient's name")[-1]
    assert last.held
    assert last.keeps({"PatientName": value}) is is_kept


@pytest.mark.parametrize("words", ["m?ller", "*muller*", "mu", "123"])
def test_a_pattern_or_too_little_is_sought_as_it_is(words):
    assert len(queries(words, "Patient's name")) == 1
