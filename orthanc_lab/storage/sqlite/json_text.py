"""JSON in the columns of the index: fast, and able to hold text that is not valid Unicode.

Metadata may hold any bytes; those that are not UTF-8 come as lone surrogates (PEP 383), which
`orjson` refuses and `json` writes as escapes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import orjson

from orthanc_lab.protocol.json_text import dumps as write_json
from orthanc_lab.protocol.json_text import loads as read_json

__all__ = ["as_array", "bindable", "read_json", "write_json"]


def as_array(items: Iterable[Any]) -> str:
    """Return a list as the JSON array that a query takes it from; text that is not valid Unicode matches nothing."""
    return orjson.dumps([bindable(item) for item in items]).decode()


def bindable(value: Any) -> Any:
    """Return a value that SQLite takes as a parameter: text without lone surrogates, numbers of 64 bits."""
    if isinstance(value, str):
        return value if value.isascii() else value.encode("utf-8", "replace").decode()
    if isinstance(value, int):
        return max(-_LARGEST, min(value, _LARGEST))
    return value


_LARGEST = 2**62
