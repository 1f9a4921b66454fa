"""The form of a value in which upper and lower case are the same."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["fold", "folded_tags"]


def fold(value: str) -> str:
    """Return `value` in upper case; a letter without one upper-case letter stays as it is (``ß``)."""
    if value.isascii():
        return value.upper()
    return "".join(upper if len(upper := letter.upper()) == 1 else letter for letter in value)


def folded_tags(tags: Mapping[str, str]) -> dict[str, str]:
    """Return those of the values that differ from their folded form, in that form."""
    return {tag: folded for tag, value in tags.items() if (folded := fold(value)) != value}
