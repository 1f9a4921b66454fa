"""JSON in Orthanc's format: sorted keys, indented by three spaces, ``"key" : value``.

The bytes are the same as the real server's, because people also diff the text. ``json.dumps`` with an indent and
separators comes close, but is slower on long lists.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from json.encoder import encode_basestring_ascii as _quote
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["count_blanks", "dumps", "error_dumps"]


def dumps(value: Any, *, indent: str = "   ") -> str:
    """Return `value` as Orthanc writes it in responses (ASCII only, no final line break).

    Raises
    ------
    OrthancError
        4 for a value that is nested so deep that its text would be megabytes of blanks.
    """
    parts: list[str] = []
    _write(value, "\n", indent, parts, [0])
    text = "".join(parts)
    return _ESCAPE.sub(_unescaped_delete, text) if "\\u007f" in text else text


def error_dumps(value: dict[str, Any]) -> str:
    """Return the JSON error object: indented by tabs, with a final line break."""
    return dumps(value, indent="\t") + "\n"


_ESCAPE = re.compile(r"\\(?:u007f|.)")


def _unescaped_delete(escape: re.Match[str]) -> str:
    # Orthanc escapes the control characters of ASCII, but not the last one.
    return "\x7f" if escape[0] == "\\u007f" else escape[0]


_DEEP = 64  # letters of an indentation, from which they are counted
_MOST_BLANKS = 8 << 20
_BLANKS_OF_A_PART = 50


def count_blanks(inner: str, items: Collection[Any], parts: Collection[str], blanks: list[int]) -> None:
    """Count the blanks of an object or array in a deep place, while a text is being written.

    An element of DICOM without a value takes 8 bytes, and its text in sequences of sequences a thousand.

    Parameters
    ----------
    inner
        What each of the items is indented by.
    parts
        The text so far.
    blanks
        The number of blanks so far.

    Raises
    ------
    OrthancError
        4 if they are megabytes, and most of the text.
    """
    blanks[0] += len(inner) * len(items)
    if blanks[0] > _MOST_BLANKS + _BLANKS_OF_A_PART * len(parts):
        raise OrthancError(ErrorCode.NOT_ENOUGH_MEMORY, "Sequences are nested too deep to be written as text")


def _write(value: Any, line: str, indent: str, parts: list[str], blanks: list[int]) -> None:
    # `line` is the line break with the current indentation, so that no level computes it twice; `blanks` has the
    # number of letters of all indentations in deep places.
    kind = type(value)
    if kind is str:
        parts.append(_quote(value))
    elif kind is dict:
        if not value:
            parts.append("{}")
            return
        inner = line + indent
        if len(inner) > _DEEP:
            count_blanks(inner, value, parts, blanks)
        keys = tuple(value)
        for key, head in _layouts.get((keys, inner)) or _layout(keys, inner):
            item = value[key]
            if type(item) is str:
                parts.append(head)
                parts.append(_quote(item))
            else:
                parts.append(head)
                if item and isinstance(item, (dict, list, tuple)):
                    parts.append(inner)
                _write(item, inner, indent, parts, blanks)
        parts.append(line + "}")
    elif kind is list or kind is tuple:
        if not value:
            parts.append("[]")
            return
        inner = line + indent
        if len(inner) > _DEEP:
            count_blanks(inner, value, parts, blanks)
        mark = "[" + inner
        for item in value:
            parts.append(mark)
            _write(item, inner, indent, parts, blanks)
            mark = "," + inner
        parts.append(line + "]")
    elif kind is int:
        parts.append(repr(value))
    elif kind is float:
        parts.append(_number(value))
    elif value is None:
        parts.append("null")
    elif value is True:
        parts.append("true")
    elif value is False:
        parts.append("false")
    elif isinstance(value, int):
        parts.append(int.__repr__(value))
    elif isinstance(value, float):
        parts.append(_number(value))
    elif isinstance(value, str):
        parts.append(_quote(str(value)))
    else:
        raise TypeError(f"{kind.__name__} cannot be written as JSON")


# What all objects with the same keys at the same depth have in common: each key in its place, with the
# text before its value. A long list is mostly such objects, and this is half of their cost.
_Layout = list[tuple[str, str]]
_layouts: dict[tuple[tuple[str, ...], str], _Layout] = {}
_MOST_LAYOUTS = 1024
_MOST_KEYS = 64
_LONGEST_LAYOUT = 4096  # letters of all keys and the indentation


def _layout(keys: tuple[str, ...], inner: str) -> _Layout:
    layout = []
    mark = "{" + inner
    for key in sorted(keys):
        layout.append((key, f"{mark}{_quote(key)} : "))
        mark = "," + inner
    if len(keys) <= _MOST_KEYS and len(inner) + sum(map(len, keys)) <= _LONGEST_LAYOUT:
        if len(_layouts) >= _MOST_LAYOUTS:
            _layouts.clear()
        _layouts[keys, inner] = layout
    return layout


def _number(value: float) -> str:
    if math.isnan(value):
        return "null"
    if math.isinf(value):
        return "1e+9999" if value > 0 else "-1e+9999"
    text = format(value, ".17g")
    return text if "." in text or "e" in text else text + ".0"
