"""Arrays ordered by generated identifiers: finding which of our items corresponds to which of theirs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["match_items", "sorted_by_identifier"]


def sorted_by_identifier(items: list[Any]) -> bool:
    """Whether the items are identifiers, or objects with an ``ID``, each once, in ascending order."""
    names = [_identifier(item) for item in items]
    return all(names) and names == sorted(set(names))


def match_items(
    ours: list[Any], real: list[Any], pairs: Pairs, alike: Callable[[Any, Any, Pairs], bool]
) -> list[tuple[Any, Any]]:
    """Return pairs of items to compare.

    Items correspond if their identifiers are equal or already paired; among the others, objects
    with like contents do. Bare identifiers that cannot be told apart are left out.
    """
    left = {_identifier(item): item for item in real}
    matched, unknown = [], []
    for item in ours:
        name = _identifier(item)
        known = pairs.real_of(name) or name
        if known in left:
            matched.append((item, left.pop(known)))
        else:
            unknown.append(item)
    if len(unknown) > 1 and all(isinstance(item, str) for item in unknown):
        return matched
    for item in unknown:
        name = next((name for name, other in left.items() if alike(item, other, pairs.trial())), next(iter(left)))
        matched.append((item, left.pop(name)))
    return matched


def _identifier(item: Any) -> str:
    if isinstance(item, dict):
        item = item.get("ID")
    return item if isinstance(item, str) else ""
