"""The three forms in which the tags of a resource are written: by name, by number, in full."""

from __future__ import annotations

from collections.abc import Container, Mapping
from enum import Enum
from typing import Any

import orjson

from orthanc_lab.dicom.dictionary.dictionary import Dictionary

__all__ = [
    "TagFormat",
    "TagNames",
    "all_reduced",
    "format_asked",
    "format_of",
    "in_format",
    "read_sequences",
    "reduced",
]


class TagFormat(Enum):
    """Form of ``MainDicomTags`` and ``RequestedTags``."""

    NAMES = "names"  # "PatientID": "x"
    SHORT = "short"  # "0010,0020": "x"
    FULL = "full"  # "0010,0020": {"Name": "PatientID", "Type": "String", "Value": "x"}


def format_of(short: bool, full: bool) -> TagFormat:
    """Return the form that the fields ``Short`` and ``Full`` of a body ask for; the first one wins."""
    return TagFormat.SHORT if short else TagFormat.FULL if full else TagFormat.NAMES


def format_asked(arguments: Container[str]) -> TagFormat:
    """Return the form that a URI asks for: ``simplify``, ``short`` or ``full``, whatever their values."""
    return TagFormat.NAMES if "simplify" in arguments else format_of("short" in arguments, "full" in arguments)


class TagNames(dict[str, str]):
    """The name of each tag ``gggg,eeee``, looked up in the dictionary once."""

    def __init__(self, dictionary: Dictionary) -> None:
        super().__init__()
        self._dictionary = dictionary

    def __missing__(self, tag: str) -> str:
        """Look the name up in the dictionary."""
        name = self[tag] = self._dictionary.name_of(int(tag[:4] + tag[5:], 16))
        return name


def in_format(tags: Mapping[str, str], form: TagFormat, names: TagNames, sequences: str = "") -> dict[str, Any]:
    """Write tags of the index in a form.

    Parameters
    ----------
    tags
        ``gggg,eeee`` -> value.
    sequences
        The metadata ``MainDicomSequences``: the main tags that are sequences.
    """
    written: dict[str, Any]
    if form is TagFormat.NAMES:
        written = {names[tag]: value for tag, value in tags.items()}
    elif form is TagFormat.SHORT:
        written = dict(tags)
    else:
        written = {tag: {"Name": names[tag], "Type": "String", "Value": value} for tag, value in tags.items()}
    if sequences:
        for tag, full in read_sequences(sequences).items():
            written[names[tag] if form is TagFormat.NAMES else tag] = reduced(full, form)
    return written


def read_sequences(metadata: str) -> dict[str, Any]:
    """Return the sequences of the metadata ``MainDicomSequences``, in the full form."""
    sequences: dict[str, Any] = orjson.loads(metadata)["Sequences"]
    return sequences


def all_reduced(full: Mapping[str, dict[str, Any]], form: TagFormat) -> dict[str, Any]:
    """Turn tags (``gggg,eeee`` -> the full form) into another form."""
    if form is TagFormat.NAMES:
        return {value["Name"]: reduced(value, form) for value in full.values()}
    return {tag: reduced(value, form) for tag, value in full.items()}


def reduced(full: dict[str, Any], form: TagFormat) -> Any:
    """Turn a tag of the full form into another one."""
    if form is TagFormat.FULL:
        return full
    if full["Type"] == "Sequence":
        return [_reduced_item(item, form) for item in full["Value"]]
    return full["Value"] if full["Type"] == "String" else None


def _reduced_item(item: dict[str, Any], form: TagFormat) -> dict[str, Any]:
    if form is TagFormat.NAMES:
        return {tag["Name"]: reduced(tag, form) for tag in item.values()}
    return {key: reduced(tag, form) for key, tag in item.items()}
