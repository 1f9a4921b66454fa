"""What an extension hands over as JSON, checked and in a copy."""

from __future__ import annotations

import math
from typing import Any

from orthanc_lab.extensions.failures import extension_error

__all__ = ["json_copy"]

_DEEPEST = 200  # levels of arrays and objects
_MOST_BITS = 13_287  # of a number: Python writes none of much more than 4,000 digits


def json_copy(value: Any, what: str) -> Any:
    """Return a deep copy that is the same after it was written as JSON and read again.

    Parameters
    ----------
    what
        What it is, for the words of the error.

    Raises
    ------
    OrthancError
        1 with the reason, if there is no such copy.

    Examples
    --------
    >>> json_copy({"a": (1, 2)}, "The state")
    {'a': [1, 2]}
    >>> json_copy({"a": {1, 2}}, "The state")
    Traceback (most recent call last):
    orthanc_lab.protocol.errors.OrthancError: The state cannot be written as JSON: it has a set
    """
    return _copy(value, what, 0)


def _copy(value: Any, what: str, depth: int) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, str):
        return str(value)
    if isinstance(value, int):
        if value.bit_length() > _MOST_BITS:
            raise _refusal(what, "a number of more than 4,000 digits")
        return int(value)
    if isinstance(value, float) and math.isfinite(value):
        return float(value)
    if depth == _DEEPEST:
        raise _refusal(what, f"more than {_DEEPEST} levels")
    if isinstance(value, dict):
        wrong = next((key for key in value if not isinstance(key, str)), None)
        if wrong is not None:
            raise _refusal(what, f"the key {wrong!r:.50}, which is not a text")
        return {str(key): _copy(item, what, depth + 1) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_copy(item, what, depth + 1) for item in value]
    raise _refusal(what, f"the number {value}" if isinstance(value, float) else f"a {type(value).__name__}")


def _refusal(what: str, found: str) -> Exception:
    return extension_error(f"{what} cannot be written as JSON: it has {found}")
