"""Paths into sequences, ``ReferencedImageSequence[0].PatientName``, with ``[*]`` for every item."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["Step", "TagPath", "follow_steps", "parse_path"]

_INDEX = re.compile(r"[+-]?[0-9]+\Z", re.ASCII)
_INT32 = range(-(2**31), 2**31)
_LONGEST_INDEX = 1000  # characters; zeros may precede
_BLANKS = " \t\n\v\f\r"


class Step(NamedTuple):
    """A sequence on the path, and the item to enter; None for every item."""

    tag: int
    item: int | None


class TagPath(NamedTuple):
    """A tag, and the sequences that lead to it."""

    steps: tuple[Step, ...]
    tag: int

    def parents(self, data_set: DataSet) -> Iterator[DataSet]:
        """Yield the items of `data_set` that would contain the tag; none if the path leads nowhere."""
        return follow_steps(data_set, self.steps)

    def matches(self, steps: tuple[Step, ...], tag: int) -> bool:
        """Tell whether this path names the element at `tag` in the item where `steps` lead."""
        return tag == self.tag and len(steps) == len(self.steps) and all(map(_covers, self.steps, steps))


def parse_path(text: str, names: Dictionary, private_creator: str | None = None) -> TagPath:
    """Read a tag, or a path to one; blanks around its parts do not count.

    Raises
    ------
    OrthancError
        27 for an unknown tag, 3 for an index that is none.
    """
    *parents, last = text.split(".")
    tag = names.parse_tag(last.strip(_BLANKS), private_creator)
    return TagPath(tuple(_parse_step(parent.strip(_BLANKS), names, private_creator) for parent in parents), tag)


def _parse_step(text: str, names: Dictionary, private_creator: str | None) -> Step:
    name, bracket, rest = text.partition("[")
    if not bracket:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "Parent path doesn't contain an index")
    if not name:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "Parent path doesn't contain a tag")
    if not rest.endswith("]"):
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, "Parent path doesn't contain the end of the index")
    tag = names.parse_tag(name.strip(_BLANKS), private_creator)
    shown = rest[:-1].lstrip(_BLANKS)
    number = shown.rstrip(_BLANKS)
    if number == "*":
        return Step(tag, None)
    index = int(number) if len(number) <= _LONGEST_INDEX and _INDEX.match(number) else None
    if index is None or index not in _INT32:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Not a valid index in parent path: [{shown}]")
    if index < 0:
        raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, f"Negative index in parent path: {number}")
    return Step(tag, index)


def follow_steps(data_set: DataSet, steps: tuple[Step, ...]) -> Iterator[DataSet]:
    """Yield the items of `data_set` to which steps lead."""
    current = [data_set]
    for tag, number in steps:
        following: list[DataSet] = []
        for item in current:
            element = item.get(tag)
            if element is not None and isinstance(element.value, list):
                following += element.value if number is None else element.value[number : number + 1]
        current = following
    yield from current


def _covers(pattern: Step, step: Step) -> bool:
    return pattern.tag == step.tag and pattern.item in (None, step.item)
