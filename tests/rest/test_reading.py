"""How requests are read, and values compared: the pure parts, on many inputs."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.rest.http.arguments import unsigned
from orthanc_lab.rest.http.byte_range import parse_range
from orthanc_lab.rest.resources.find_query import QueryReader, check_types
from orthanc_lab.rest.resources.numbered_names import NumberedNames, metadata_names
from orthanc_lab.storage.records import FindQuery
from orthanc_lab.storage.value_matching import RANGED_VRS, predicate


def read_or_refused(read: Callable[[], Any]) -> Any:
    """Return what `read` returns, or the code of its error."""
    try:
        return read()
    except OrthancError as error:
        return error.code


PLAIN = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="*?\\[]"), max_size=12)


@given(PLAIN)
def test_a_value_matches_itself_in_any_case(value: str) -> None:
    for wanted in (value, value.lower(), f"{value}\\other", f"*{value}*", "*"):
        assert predicate(wanted, case_sensitive=False)(value)
    assert predicate(value, case_sensitive=True)(value)


@given(st.text("ab.*?^$", max_size=8), st.text("ab.^$\n", max_size=8))
def test_wildcards(pattern: str, value: str) -> None:
    expected = fnmatch.fnmatchcase(value, pattern)
    assert predicate(pattern, case_sensitive=True)(value) is expected


@pytest.mark.parametrize(
    ("wanted", "vr", "value", "matches"),
    [
        ("20240101-20241231", "DA", "20240615", True),
        ("20240101-20241231", "DA", "20250101", False),
        ("20240101-", "DA", "20250101", True),
        ("-20241231", "DA", "20240615", True),
        ("-20241231", "DA", "", False),
        (" 20240615 - 20240615 ", "DA", "20240615", True),
        ("100000-110000", "TM", "103000.123", True),
        ("2024-2025", "DT", "20240615103000", True),
        ("1-3", "IS", "2", False),
        ("A\\B", "CS", "C\\B", True),
        ("A\\*", "CS", "C", False),
        ("müller", "PN", "MÜLLER", True),
        ("straße", "LO", "STRASSE", False),
    ],
)
def test_kinds_of_match(wanted: str, vr: str, value: str, matches: bool) -> None:
    assert predicate(wanted, case_sensitive=False, ranged=vr in RANGED_VRS)(value) is matches


@given(st.text(max_size=24))
def test_any_range_is_read_or_refused(header: str) -> None:
    found = read_or_refused(lambda: parse_range(header).within(10))
    if isinstance(found, int):
        assert found in (6, 41)
    else:
        assert 0 <= found[0] <= found[1] < 10


@given(st.integers(0, 10), st.integers(0, 10))
def test_ranges_within_a_file(first: int, last: int) -> None:
    if first <= last < 10:
        assert parse_range(f"bytes={first}-{last}").within(10) == (first, last)


@given(st.integers(-(2**70), 2**70))
def test_unsigned_numbers(number: int) -> None:
    expected = min(number, 2**63 - 1) if 0 <= number < 2**64 else None
    assert unsigned(str(number)) == expected


@pytest.mark.parametrize("text", ["", "+", "1.5", "0x1", " 1", "١", "1 ", "1e3", "9" * 30])
def test_no_unsigned_numbers(text: str) -> None:
    assert unsigned(text) is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from(
    ["CaseSensitive", "Limit", "Since", "Labels", "LabelsConstraint", "OrderBy", "MetadataQuery", "ParentStudy"]
)
TAGS = st.sampled_from(["PatientID", "0010,0010", "StudyDate", "Rows"]) | st.text(max_size=6)
ORDERS = st.lists(st.fixed_dictionaries({}, optional={"Type": JSON, "Key": JSON, "Direction": JSON}) | JSON, max_size=2)


@given(st.dictionaries(TAGS, JSON, max_size=3) | JSON, st.dictionaries(FIELDS, JSON, max_size=4), ORDERS)
def test_any_query_is_read_or_refused(query: Any, fields: dict[str, Any], orders: Any) -> None:
    reader = QueryReader(Dictionary(), metadata_names({"mine": 1024}))
    body = {"Level": "Study", "Query": query, "OrderBy": orders, **fields}

    def read() -> FindQuery:
        check_types(body)
        return reader.read(body)

    found = read_or_refused(read)
    assert isinstance(found, FindQuery) or found in (-1, 3, 7, 8, 27)


@given(st.text(max_size=8))
def test_names_and_numbers_go_both_ways(name: str) -> None:
    names = NumberedNames({"dicom": 1}, {"notes": 1024})
    found = read_or_refused(lambda: (names.number(name),))
    assert found == 7 or names.number(names.name(found[0])) == found[0]
