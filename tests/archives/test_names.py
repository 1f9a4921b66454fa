"""Names of directories and files inside an archive; the tables come from the real server."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.jobs.kinds.archives.archive_names import (
    NameRegister,
    clean_name,
    directory_name,
    file_name,
    file_numbers,
    own_number,
)


@pytest.mark.parametrize(
    ("patient_id", "name", "expected"),
    [
        ("P1", "Doe^John", "P1 Doe John"),
        ("P2", "Müller^J", "P2 Mller J"),
        ("P2", "a\r\nb\tc", "P2 a bc"),
        ("P3", "山田^太郎", "P3"),
        ("", "^^", "Unknown Patient"),
        ("", "", "Unknown Patient"),
        ("", "  ", "Unknown Patient"),
        ("", "日本", "Unknown Patient"),
        ("-2", "", "2"),
        ("../../etc", "", "....etc"),
        ("a  b", "x", "a b x"),
        ("a", "b^^c", "a b c"),
        ("a - b", "-", "a b"),
        ("...", "", "..."),
    ],
)
def test_directory_of_a_patient(patient_id: str, name: str, expected: str) -> None:
    assert directory_name(0, {"0010,0020": patient_id, "0010,0010": name}) == expected


def test_directories_of_study_and_series() -> None:
    study = {"0008,0050": "A1", "0008,1030": 'Brain/\\:*?"<>| é^x'}
    assert directory_name(1, study) == "A1 Brain x"
    assert directory_name(2, {"0008,0060": "CT", "0008,103e": "T1 (ax)"}) == "CT T1 ax"
    assert directory_name(2, {"0008,0060": "MR", "0008,103e": "  pad"}) == "MR pad"
    assert directory_name(1, {}) == "Unknown Study"
    assert directory_name(2, {"0008,103e": "^"}) == "Unknown Series"


@pytest.mark.parametrize("text", ["???", "-", "^-^", "()^", "..", ".", " .. ", "^..^", "/../"])
def test_a_name_that_would_vanish_or_lead_upwards_is_replaced(text: str) -> None:
    assert directory_name(1, {"0008,1030": text}) == "Unknown Study"


@given(st.text(max_size=40), st.text(max_size=40))
def test_a_directory_name_is_always_one_plain_segment(first: str, second: str) -> None:
    name = directory_name(0, {"0010,0020": first, "0010,0010": second})
    assert name
    assert name == name.strip()
    assert name not in (".", "..")
    assert set(name) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._ ")
    assert clean_name(name) == name


@pytest.mark.parametrize(
    ("modality", "number", "expected"),
    [
        ("", 0, "00000000.dcm"),
        ("X", 1, "X0000001.dcm"),
        ("CT", 1, "CT000001.dcm"),
        ("mr", 9, "MR000009.dcm"),
        ("PET", 1, "PE000001.dcm"),
        ("CT", 1000000, "CT1000000.dcm"),
        ("CT", 123456789, "CT123456789.dcm"),
        ("CT", 99999999999, "CT1215752191.dcm"),
        ("CT", 2147483648, "CT2147483648.dcm"),
        ("CT", 4294967295, "CT00001.dcm"),
        ("CT", 4294967296, "CT000000.dcm"),
        ("c/", 1, "C000001.dcm"),
        ("a b", 1, "A 000001.dcm"),
        ("..", 1, "..000001.dcm"),
        (" X", 1, "X000001.dcm"),
        ("^^", 1, "000001.dcm"),
        ("ct\\mr", 1, "CT000001.dcm"),
    ],
)
def test_file_name(modality: str, number: int, expected: str) -> None:
    assert file_name(modality, number) == expected


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        (["3", "1", "2"], [(1, 1), (2, 2), (0, 3)]),
        (["3", "", "1"], [(1, 0), (2, 1), (0, 3)]),
        (["3", "-1", "1"], [(1, 0), (2, 1), (0, 3)]),
        (["3", "1", "1"], [(1, 0), (2, 1), (0, 2)]),
        (["7", "7", "7", "2", "9"], [(3, 0), (0, 1), (1, 2), (2, 3), (4, 4)]),
        (["", ""], [(0, 0), (1, 1)]),
        (["-3", "-5", "4"], [(0, 0), (1, 1), (2, 2)]),
        ([], []),
    ],
)
def test_numbers_of_a_series(texts: list[str], expected: list[tuple[int, int]]) -> None:
    assert file_numbers(texts) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        *[("7", 7), ("  7", 7), ("3 ", 3), ("+7", 7), ("007", 7), ("-3", 0), ("", 0), ("7.5", 0), ("abc", 0)],
        *[("3\\4", 0), ("0x10", 0), ("99999999999", 99999999999), ("٣", 0), ("9" * 30, 0), ("1_0", 0)],
    ],
)
def test_instance_number(text: str, expected: int) -> None:
    assert own_number(text) == expected


def test_a_name_used_twice_gets_a_suffix() -> None:
    register = NameRegister()
    assert [register.take(name) for name in ("CT a", "CT a", "ct a", "CT a", "CT A")] == [
        *("CT a", "CT a-2", "ct a", "CT a-3", "CT A")
    ]
