"""JSON in the house format: the bytes that the real server writes."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orthanc_lab.protocol.house_json import dumps, error_dumps

values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda v: st.lists(v) | st.dictionaries(st.text(), v),
)


def test_numbers_that_are_none() -> None:
    assert dumps([math.inf, -math.inf, math.nan]) == "[\n   1e+9999,\n   -1e+9999,\n   null\n]"


@given(values)
def test_it_is_the_same_value_again(value):
    assert json.loads(dumps(value)) == value


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ([], "[]"),
        ({"b": 1, "a": "x"}, '{\n   "a" : "x",\n   "b" : 1\n}'),
        ({"a": {"b": [0]}}, '{\n   "a" : \n   {\n      "b" : \n      [\n         0\n      ]\n   }\n}'),
        ({"a": {}, "b": []}, '{\n   "a" : {},\n   "b" : []\n}'),
        ([True, None, 0.0], "[\n   true,\n   null,\n   0.0\n]"),
        (0.568, "0.56799999999999995"),
        ("a\x7f\\u007f", '"a\x7f\\\\u007f"'),
        ({"\x7f": "\\\x7f"}, '{\n   "\x7f" : "\\\\\x7f"\n}'),
        ('山é"\u0001', '"\\u5c71\\u00e9\\"\\u0001"'),
    ],
)
def test_layout(value, text):
    assert dumps(value) == text


def test_the_error_object_is_indented_by_tabs():
    assert error_dumps({"HttpStatus": 404}) == '{\n\t"HttpStatus" : 404\n}\n'
