"""Comparing JSON responses: their values, and the layout of their text."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.pairs import Pairs
from orthanc_lab.testing.likeness.scalars import scalars_alike
from orthanc_lab.testing.likeness.unordered import match_items, sorted_by_identifier

__all__ = ["compare_json", "compare_layout"]

_SCALAR = re.compile(r'"(?:[^"\\]|\\.)*"|-?\d[\d.eE+-]*|true|false|null')


def compare_json(ours: Any, real: Any, pairs: Pairs, path: str = "$") -> Iterator[Difference]:
    """Walk through two JSON values in parallel and yield the differences."""
    if isinstance(ours, dict) and isinstance(real, dict):
        yield from _compare_objects(ours, real, pairs, path)
    elif isinstance(ours, list) and isinstance(real, list):
        yield from _compare_arrays(ours, real, pairs, path)
    elif not scalars_alike(_last_name(path), ours, real, pairs):
        yield Difference.of(f"body {path}", json.dumps(ours), json.dumps(real))


def compare_layout(ours: str, real: str) -> Iterator[Difference]:
    """Compare the layout of two JSON texts with like values: spaces, line ends, escapes, numbers."""
    if _lines(ours) != _lines(real):
        yield Difference.of("layout", _SCALAR.sub("_", ours), _SCALAR.sub("_", real))
    if _SCALAR.sub("_", ours) != _SCALAR.sub("_", real):
        return  # the same items in another order
    for mine, theirs in zip(_SCALAR.findall(ours), _SCALAR.findall(real), strict=True):
        if mine != theirs and json.loads(mine) == json.loads(theirs):
            yield Difference.of("layout", mine, theirs)


def _lines(text: str) -> list[str]:
    """Return the sorted lines of a text without its values; generated identifiers put items in a random order."""
    return sorted(line.rstrip(",") for line in _SCALAR.sub("_", text).split("\n"))


def _last_name(path: str) -> str:
    return re.sub(r"\[\d+\]$", "", path).rpartition(".")[2]


def _compare_objects(ours: dict[str, Any], real: dict[str, Any], pairs: Pairs, path: str) -> Iterator[Difference]:
    translated = {pairs.real_of(key) or key: key for key in ours}
    common = [key for key in real if key in translated]
    lost = [key for key in real if key not in translated]
    added = [key for key in translated if key not in real]
    if len(lost) == len(added) and all(
        pairs.alike(translated[mine], key) for mine, key in zip(added, lost, strict=True)
    ):
        common += lost
        translated |= dict(zip(lost, (translated[mine] for mine in added), strict=True))
        lost = added = []
    for key in lost:
        yield Difference.of(f"body {path}.{key}", "(absent)", json.dumps(real[key]))
    for key in added:
        yield Difference.of(f"body {path}.{key}", json.dumps(ours[translated[key]]), "(absent)")
    for key in common:
        yield from compare_json(ours[translated[key]], real[key], pairs, f"{path}.{key}")
    if not lost and not added and list(ours) == sorted(ours) and list(real) != sorted(real):
        yield Difference.of(f"body {path} order of keys", list(ours), list(real))
    if not lost and not added and list(real) == sorted(real) and list(ours) != sorted(ours):
        yield Difference.of(f"body {path} order of keys", list(ours), list(real))


def _compare_arrays(ours: list[Any], real: list[Any], pairs: Pairs, path: str) -> Iterator[Difference]:
    if len(ours) != len(real):
        yield Difference.of(f"body {path} length {len(ours)} != {len(real)}", json.dumps(ours), json.dumps(real))
        return
    if sorted_by_identifier(ours) and sorted_by_identifier(real):
        # The order follows generated identifiers, so the same items may be in a different order.
        matched = match_items(ours, real, pairs, lambda mine, theirs, trial: not any(compare_json(mine, theirs, trial)))
    else:
        matched = list(zip(ours, real, strict=True))
    for index, (mine, theirs) in enumerate(matched):
        yield from compare_json(mine, theirs, pairs, f"{path}[{index}]")
