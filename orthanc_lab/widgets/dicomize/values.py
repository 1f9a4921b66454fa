"""Validation of entered values by VR, with the help of pydicom."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from pydicom.config import RAISE
from pydicom.valuerep import DA, DT, MAX_VALUE_LEN, TM, validate_value

__all__ = ["BINARY", "bytes_of", "example", "hint", "problem", "typed_value", "uses_character_set"]

BINARY = frozenset({"OB", "OD", "OF", "OL", "OV", "OW", "UN"})
_WHOLE = frozenset({"LT", "ST", "UT", "UR"})  # VRs in which a backslash is an ordinary character
_LINES = frozenset({"LT", "ST", "UT"})  # VRs with several lines
_ANY_LETTERS = frozenset({"LO", "LT", "PN", "SH", "ST", "UC", "UT"})  # VRs that SpecificCharacterSet applies to
_INTEGERS = frozenset({"US", "SS", "UL", "SL", "UV", "SV"})
_FLOATS = frozenset({"FL", "FD"})
_READERS: Mapping[str, Callable[[str], object]] = {"DA": DA, "TM": TM, "DT": DT}
_HINTS: Mapping[str, str] = {
    "AE": "a title of at most 16 characters",
    "AS": "an age of three digits and D, W, M or Y, such as 042Y",
    "CS": "a code of at most 16 capital letters, digits, spaces and _",
    "DA": "a date in the form YYYYMMDD, such as 20260131",
    "DS": "a number of at most 16 characters, such as 0.5 or 1e-3",
    "DT": "a date and time in the form YYYYMMDDHHMMSS, such as 20260131120000",
    "IS": "a whole number from -2147483648 to 2147483647",
    "PN": "a name like Family^Given^Middle^Prefix^Suffix",
    "TM": "a time in the form HHMMSS, such as 120000",
    "UI": "a UID: numbers separated by dots, without leading zeros, at most 64 characters",
    "UR": "a URL without spaces",
    **dict.fromkeys(_INTEGERS, "a whole number"),
    **dict.fromkeys(_FLOATS, "a number, such as 0.5"),
    **dict.fromkeys(BINARY, "a list of bytes, each as two hexadecimal digits, such as 01 ff"),
}

_EXAMPLES: Mapping[str, str] = {
    "AE": "ARCHIVE",
    "AS": "042Y",
    "CS": "CT",
    "DA": "20260131",
    "DS": "0.5",
    "DT": "20260131120000",
    "IS": "12",
    "PN": "Family^Given",
    "TM": "120000",
    "UI": "2.25.12",
    "UR": "https://example.org",
    **dict.fromkeys(_INTEGERS, "12"),
    **dict.fromkeys(_FLOATS, "0.5"),
    **dict.fromkeys(BINARY, "01 ff"),
}


def uses_character_set(vr: str) -> bool:
    """Whether SpecificCharacterSet applies to values of a VR."""
    return vr in _ANY_LETTERS


def hint(vr: str) -> str:
    """Return the format of values of a VR, "" if any text is allowed."""
    return _HINTS.get(vr, "")


def example(vr: str) -> str:
    """Return a placeholder for a field of a VR, short enough for a narrow one; "" if any text is allowed."""
    return f"such as {_EXAMPLES[vr]}" if vr in _EXAMPLES else ""


def problem(vr: str, text: str, vm: str = "1-n") -> str:
    r"""Return the problem with an entered value, "" if there is none; multiple values are separated by a backslash.

    Examples
    --------
    >>> problem("DA", "2026-01-31")
    "'2026-01-31' is not a date in the form YYYYMMDD, such as 20260131"
    >>> problem("DS", r"0.5\0.5", "2"), problem("DS", "0.5", "2")
    ('', 'has 1 value, but VM 2 is required (separate values with \\)')
    """
    if vr == "SQ":
        return "is a sequence, which this form does not support; use Client.create_dicom"
    if vr in BINARY:
        return _attempt(bytes_of, text, vr)
    parts = [text] if vr in _WHOLE else text.split("\\")
    if words := _multiplicity(len(parts), vm):
        return words
    return next((words for part in parts if (words := _of_one(vr, part))), "")


def _of_one(vr: str, text: str) -> str:
    if any(ord(letter) < 32 and not (vr in _LINES and letter in "\t\r\n\f") for letter in text):
        return "has a line break or another control character"
    if text == "":
        return ""
    if vr not in _ANY_LETTERS and not text.isascii():  # Python also accepts digits of other scripts
        return _no(text, vr)
    if vr == "PN" and any(group.count("^") > 4 for group in text.split("=")):
        return _no(text, vr)
    if vr in _INTEGERS:
        return _attempt(lambda part: validate_value(vr, int(part), RAISE), text, vr)
    if vr in _FLOATS:
        return _attempt(lambda part: validate_value(vr, float(part), RAISE), text, vr)
    longest = MAX_VALUE_LEN.get(vr)
    if longest is not None and vr != "PN" and len(text) > longest:
        return f"has {len(text)} characters; at most {longest} fit (VR {vr})"
    if words := _attempt(lambda part: validate_value(vr, part, RAISE), text, vr):
        return words
    return _attempt(_READERS[vr], text, vr) if vr in _READERS else ""


def _attempt(judge: Callable[[str], object], text: str, vr: str) -> str:
    try:
        judge(text)
    except (ValueError, OverflowError) as error:
        return _no(text, vr) if vr in _HINTS else str(error)
    return ""


def _no(text: str, vr: str) -> str:
    shown = text if len(text) <= 40 else f"{text[:40]}…"
    return f"{shown!r} is not {_HINTS.get(vr, 'plain ASCII text')}"


def _multiplicity(count: int, vm: str) -> str:
    found = re.fullmatch(r"(\d+)(?:-(\d*)(n?))?", vm.partition(" or ")[0])  # 1, 1-3, 1-n, 2-2n
    assert found is not None, vm
    lowest, highest, is_open = int(found[1]), found[2], found[3]
    most = count if is_open else int(highest or lowest)
    step = int(highest or 1) if is_open else 1
    if lowest <= count <= most and count % step == 0:
        return ""
    return f"has {count} value{'s' if count > 1 else ''}, but VM {vm} is required (separate values with \\)"


def bytes_of(text: str) -> bytes:
    """Return the bytes of hexadecimal digits.

    Raises
    ------
    ValueError
        If there are other characters.
    """
    return bytes.fromhex(text)


def typed_value(vr: str, text: str) -> str | bytes:
    """Return a value as `Client.create_dicom` expects it."""
    return bytes_of(text) if vr in BINARY else text
