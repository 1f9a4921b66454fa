"""Parsing JSON as Orthanc does: comments, trailing commas, leading zeros and trailing text are accepted.

A whole number that neither a signed nor an unsigned integer of 64 bits can hold is a float.
"""

from __future__ import annotations

import json
import re
from typing import Any

from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError

__all__ = ["MAX_DEPTH", "is_integer", "loads", "require_int32"]

MAX_DEPTH = 200
"""Arrays and objects nested more deeply than this are refused, so that no input exhausts the stack."""

# What is not closed reaches to the end of the text, so that no input makes a search start over and over;
# possessive quantifiers keep no way back, so that a text of megabytes costs no memory.
_STRING = r'"[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)'
_OPENING = re.compile(rf"{_STRING}|[\[\]{{}}]", re.DOTALL)
_NOISE = re.compile(rf"({_STRING})|//[^\r\n]*+|/\*.*?(?:\*/|\Z)", re.DOTALL)
_TRAILING_COMMA = re.compile(rf"({_STRING})|,(?=\s*+[\]}}])", re.DOTALL)
_LEADING_ZEROS = re.compile(rf"({_STRING})|(?<![\w.+-])(-?)0+(?=\d)", re.DOTALL)
_LETTER = re.compile(r"[^\r\n]")


def _refuse(constant: str) -> float:
    raise ValueError(f"{constant} is no JSON")


_INT32 = range(-(2**31), 2**31)
_INT64 = range(-(2**63), 2**63)
_MOST_DIGITS = 20  # of an integer of 64 bits, with its sign


def _whole_number(digits: str) -> int | float:
    if len(digits) <= _MOST_DIGITS:
        number = int(digits)
        if number in _INT64 or 0 <= number < 2**64:
            return number
    return float(digits)


_DECODER = json.JSONDecoder(strict=False, parse_constant=_refuse, parse_int=_whole_number)


def loads(text: str | bytes) -> Any:
    """Parse the first JSON value in `text`.

    Raises
    ------
    OrthancError
        28 "Cannot parse a JSON document" for broken, empty or too deeply nested JSON.
    """
    if not isinstance(text, str):
        text = _decoded(text)
    if _too_deep(text):
        raise OrthancError(ErrorCode.BAD_JSON, f"JSON nested more than {MAX_DEPTH} levels deep")
    try:
        return _first_value(text)
    except ValueError:
        pass  # strict JSON is tried first: it is the usual case, and faster
    cleaned = _NOISE.sub(lambda match: match[1] or _LETTER.sub(" ", match[0]), text)  # an error keeps its place
    cleaned = _TRAILING_COMMA.sub(lambda match: match[1] or " ", cleaned)
    cleaned = _LEADING_ZEROS.sub(lambda match: match[1] or match[2], cleaned)
    try:
        return _first_value(cleaned)
    except ValueError as error:
        raise OrthancError(ErrorCode.BAD_JSON) from error


def is_integer(value: Any) -> bool:
    """Tell whether a JSON value is a signed integer of 64 bits."""
    return type(value) is int and value in _INT64


def require_int32(value: int) -> None:
    """Refuse an integer of more than 32 bits, where Orthanc converts it without a check.

    Raises
    ------
    OrthancError
        -1.
    """
    if value not in _INT32:
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)


def _decoded(content: bytes) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError:
        return content.decode("latin-1")


def _first_value(text: str) -> Any:
    return _DECODER.raw_decode(text, len(text) - len(text.lstrip(" \t\r\n")))[0]


def _too_deep(text: str) -> bool:
    if text.count("[") + text.count("{") <= MAX_DEPTH:
        return False
    depth = 0
    for match in _OPENING.finditer(text):
        mark = match[0]
        if mark in "[{":
            depth += 1
            if depth > MAX_DEPTH:
                return True
        elif mark in "]}":
            depth -= 1
    return False
