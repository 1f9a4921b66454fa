"""Decimal numbers as DICOM writes them (PS3.5 section 6.2, DS)."""

from __future__ import annotations

import re

__all__ = ["LONGEST", "is_decimal"]

LONGEST = 64
"""A text of more letters is no number: DICOM allows 16."""

_FORM = re.compile(r"[+-]?(?:[0-9]++(?:\.[0-9]*+)?+|\.[0-9]++)(?:[eE][+-]?[0-9]++)?+\Z", re.ASCII)


def is_decimal(text: str) -> bool:
    """Tell whether a text, without blanks around it, is a decimal number.

    Examples
    --------
    >>> is_decimal("-1.5e3"), is_decimal("1."), is_decimal("."), is_decimal("1 ")
    (True, True, False, False)
    """
    return len(text) <= LONGEST and _FORM.match(text) is not None
