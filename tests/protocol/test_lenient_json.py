"""JSON as Orthanc reads it: comments, trailing commas, trailing text."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import OrthancError

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
)


@given(values, st.sampled_from([None, 3]))
def test_plain_json_is_read_as_by_the_standard_library(value, indent):
    assert lenient_json.loads(json.dumps(value, indent=indent)) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('{"a": 1, /* one */ "b": [2, 3,], // two\n}', {"a": 1, "b": [2, 3]}),
        ("{} x", {}),
        (' [1] // "', [1]),
        ('{"a": "// no /* comment */, ]"}', {"a": "// no /* comment */, ]"}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b'{"a": "\xe9"}', {"a": "é"}),
        ("[9223372036854775808, 18446744073709551615]", [2**63, 2**64 - 1]),
        ('[05, -007, 00, 0, 10, 05.50, 1e05, "05"]', [5, -7, 0, 0, 10, 5.5, 1e5, "05"]),
    ],
)
def test_what_orthanc_accepts(text, value):
    assert lenient_json.loads(text) == value


@pytest.mark.parametrize("number", [2**64, -(2**63) - 1, 10**100, -(10**400), int("1" * 4000)])
def test_an_integer_of_more_than_64_bits_is_a_float(number: int) -> None:
    found = lenient_json.loads(f"[{number}, {2**63}, {-(2**63)}]")
    assert found == [float(str(number)), 2**63, -(2**63)]
    assert [type(one) for one in found] == [float, int, int]


def test_integers_of_32_and_of_64_bits() -> None:
    numbers = [-(2**63) - 1, -(2**63), -(2**31) - 1, -(2**31), 0, 2**31 - 1, 2**31, 2**63 - 1, 2**63]
    assert [lenient_json.is_integer(number) for number in numbers] == [False, *[True] * 7, False]
    assert not any(map(lenient_json.is_integer, (True, 1.0, "1", None)))
    for number in numbers:
        if -(2**31) <= number < 2**31:
            lenient_json.require_int32(number)
        else:
            with pytest.raises(OrthancError):
                lenient_json.require_int32(number)


@pytest.mark.parametrize(
    "text", ["", "   ", "{", '{"a"', "[1 2]", "nonsense", "/* {}", '"', "[" * 5000, "[NaN]", "[-Infinity]", "Infinity"]
)
def test_broken_json_is_refused(text):
    with pytest.raises(OrthancError) as caught:
        lenient_json.loads(text)
    assert caught.value.code == 28


@pytest.mark.timeout(10)
@pytest.mark.parametrize(
    "text",
    ["/*" * 2_000_000, '{"a":' + '"x' * 1_000_001, "[" + "," * 2_000_000, "//\n" * 1_000_000, "[" + "0" * 2_000_000],
)
def test_hostile_text_takes_no_long_time(text):
    with pytest.raises(OrthancError):
        lenient_json.loads(text)


def test_a_text_without_an_end_takes_no_memory() -> None:
    tracemalloc.start()
    with pytest.raises(OrthancError):
        lenient_json.loads('{"a": "' + "A" * 1_000_000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8_000_000
