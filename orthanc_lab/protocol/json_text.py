"""JSON on disk: fast, and able to keep any text.

A text that is not valid Unicode has lone surrogates (PEP 383), which `orjson` refuses and `json` writes as
escapes.
"""

from __future__ import annotations

import json
from typing import Any

import orjson

__all__ = ["dumps", "loads"]


def dumps(value: Any) -> str:
    """Return a JSON text.

    Raises
    ------
    TypeError
        If the value cannot be written as JSON.
    """
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # also half of a surrogate pair, which came in as an escape, or a large integer
        return json.dumps(value, separators=(",", ":"))


def loads(text: str) -> Any:
    """Read a JSON text.

    Raises
    ------
    ValueError
        If it is not JSON.
    """
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)
