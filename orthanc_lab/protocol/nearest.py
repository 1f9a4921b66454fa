"""The known name that a misspelt one resembles."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["nearest_name"]

_LONGEST = 100  # letters that are compared: the time is that of their product


def nearest_name(name: str, known: Iterable[str]) -> str:
    """Return the known name that a name resembles most, whatever the case of its letters; "" for none.

    Examples
    --------
    >>> nearest_name("keepsorce", ["Keep", "KeepSource"])
    'KeepSource'
    """
    from difflib import get_close_matches  # noqa: PLC0415 - rarely needed

    names = {one.lower(): one for one in known}
    found = get_close_matches(str(name).lower()[:_LONGEST], names, n=1, cutoff=0.8)
    return names[found[0]] if found else ""
