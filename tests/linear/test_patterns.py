"""No regular expression of the package takes more than linear time, whatever the text."""

from __future__ import annotations

import re
import time

import pytest

from tests.linear.patterns import MATCHING, SEARCHING, Found, attacks, built_at_run_time, find_patterns, weaknesses

SIZE = 50_000  # letters: quadratic is a minute, linear a millisecond
SECONDS = 5
FROM_OUR_TABLES = {"frames/metric_names.py: pattern"}  # the package's own patterns for the names of metrics
ALL = frozenset(SEARCHING | MATCHING)

PATTERNS = find_patterns()


def test_they_are_found() -> None:
    found = {pattern.where for pattern in PATTERNS}
    assert len(found) >= 60
    assert {"orthanc_lab.dicom.decimal_text._FORM", "orthanc_lab.protocol.lenient_json._NOISE"} <= found


def test_none_is_made_of_what_came_from_outside() -> None:
    assert set(built_at_run_time()) == FROM_OUR_TABLES


@pytest.mark.parametrize("found", PATTERNS, ids=[pattern.where for pattern in PATTERNS])
def test_a_pattern(found: Found) -> None:
    assert weaknesses(found) == []
    for method in sorted(found.methods):
        for text in attacks(found.pattern, SIZE):
            began = time.thread_time()
            run(found.pattern, method, text)
            assert time.thread_time() - began < SECONDS, (method, text[:40], text[-10:])


def run(pattern: re.Pattern[str], method: str, text: str) -> None:
    if method in ("sub", "subn"):
        getattr(pattern, method)(lambda match: match[0], text)
    elif method == "finditer":
        for _ in pattern.finditer(text):
            pass
    else:
        getattr(pattern, method)(text)


@pytest.mark.parametrize(
    ("pattern", "methods"),
    [
        (r"[0-9]+\.?[0-9]*", {"match"}),
        (r"(a+)+b", {"match"}),
        (r"(a*b?)*c", {"match"}),
        (r".*a.*b", {"match"}),
        (r"\s+x", {"search"}),
        (r"x++y", {"search"}),
    ],
)
def test_a_bad_one_is_seen(pattern: str, methods: set[str]) -> None:
    assert weaknesses(Found("here", re.compile(pattern), frozenset(methods)))


@pytest.mark.parametrize("pattern", [r"[0-9]++\.?[0-9]*+", r"(?>a+)+b", r"a+b+", r'"[^"]*"', r"(?:a++b)*+c"])
def test_a_good_one_is_not(pattern: str) -> None:
    assert weaknesses(Found("here", re.compile(pattern), frozenset({"match"}))) == []
