"""Comparing XML responses: the same values as in JSON, and the layout of their text."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

from orthanc_lab.testing.likeness.difference import Difference
from orthanc_lab.testing.likeness.json_bodies import compare_json
from orthanc_lab.testing.likeness.pairs import Pairs

__all__ = ["compare_xml"]


def compare_xml(ours: str, real: str, pairs: Pairs) -> Iterator[Difference]:
    """Compare two XML texts; texts that are not well-formed (a tag is not a valid XML name) as plain text."""
    try:
        mine, theirs = (_value(ElementTree.fromstring(text)) for text in (ours, real))  # noqa: S314 - our own servers
    except ElementTree.ParseError:
        if not pairs.alike(ours, real):
            yield Difference.of("body", ours, real)
        return
    differences = list(compare_json(mine, theirs, pairs))
    yield from differences
    if not differences and _skeleton(ours) != _skeleton(real):
        yield Difference.of("layout", ours, real)


def _value(element: ElementTree.Element) -> Any:
    children = list(element)
    if not children:
        return element.text or ""
    if all(child.tag == "item" for child in children):
        return [_value(child) for child in children]
    return {child.tag: _value(child) for child in children}


def _skeleton(text: str) -> list[str]:
    return sorted(re.sub(r">[^<\n]*<", "><", text).split("\n"))
