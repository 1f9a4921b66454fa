"""Any text in PostgreSQL, which keeps no NUL and nothing that is not valid Unicode.

DICOM values may have both (bytes that are not UTF-8 come as lone surrogates, PEP 383). They are written as characters
that Unicode reserves for internal use: a NUL as the last one, others after the one before it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import orjson

__all__ = ["bindable", "limited", "read_json", "restored", "storable", "write_json"]

_NUL, _MARK = "\U0010ffff", "\U0010fffe"
_STRANGE = re.compile(f"[\0\ud800-\udfff{_MARK}{_NUL}]")
_WRITTEN = re.compile(f"{_NUL}|{_MARK}(.)", re.DOTALL)
_RESERVED = "\U0010fffe".encode()[:3]  # so both begin
_SHIFT = 0xE000 - 0xD800  # from surrogates to private characters
_LARGEST = 2**62


def storable(text: str) -> str:
    """Return a text as PostgreSQL can keep it."""
    if text.isascii() and "\0" not in text:
        return text
    return _STRANGE.sub(_write, text)


def restored(text: str) -> str:
    """Return the text that was made `storable`."""
    return text if text.isascii() else _WRITTEN.sub(_read, text)


def write_json(value: Any) -> str:
    """Return a JSON text of objects, lists, texts and integers."""
    try:
        data = orjson.dumps(value)
    except TypeError:  # a lone surrogate
        return orjson.dumps(_map(value, storable)).decode()
    if b"\\u0000" in data or _RESERVED in data:
        return orjson.dumps(_map(value, storable)).decode()
    return data.decode()


def read_json(text: str) -> Any:
    """Return the value of a JSON text of `write_json`."""
    value = orjson.loads(text)
    if not text.isascii() and (_NUL in text or _MARK in text):
        return _map(value, restored)
    return value


def bindable(texts: Iterable[str]) -> list[str]:
    """Return texts as a parameter for ``= ANY(…::text[])``."""
    return [storable(text) for text in texts]


def limited(number: int) -> int:
    """Return a number that fits a parameter."""
    return max(-_LARGEST, min(number, _LARGEST))


def _map(value: Any, change: Any) -> Any:
    if isinstance(value, str):
        return change(value)
    if isinstance(value, dict):
        return {change(name): _map(item, change) for name, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_map(item, change) for item in value]
    return value


def _write(match: re.Match[str]) -> str:
    letter = match[0]
    if letter == "\0":
        return _NUL
    if letter == _NUL:
        return _MARK + "n"
    if letter == _MARK:
        return _MARK + "m"
    return _MARK + chr(ord(letter) + _SHIFT)


def _read(match: re.Match[str]) -> str:
    letter = match[1]
    if letter is None:
        return "\0"
    if letter == "n":
        return _NUL
    if letter == "m":
        return _MARK
    return chr(ord(letter) - _SHIFT)
