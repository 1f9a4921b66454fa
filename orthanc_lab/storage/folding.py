"""The form of a value in which upper and lower case, with and without accents, are the same."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping

__all__ = ["fold", "folded_tags"]


def fold(value: str) -> str:
    """Return `value` in upper case without accents."""
    if value.isascii():
        return value.upper()
    decomposed = unicodedata.normalize("NFKD", value)
    return "".join(letter for letter in decomposed if not unicodedata.combining(letter)).upper()


def folded_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of the values that differ from their folded form."""
    return {tag: folded for tag, value in tags.items() if (folded := fold(value)) != value}
