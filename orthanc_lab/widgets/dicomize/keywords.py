"""The attributes of DICOM by keyword, for completion."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache

from pydicom.datadict import dictionary_has_tag, dictionary_is_retired, get_entry, keyword_dict

from orthanc_lab.widgets.dicomize.values import hint

__all__ = ["Attribute", "find", "options"]

_BETWEEN = " · "
_NOT_HERE = frozenset({0x0000, 0x0002, 0x7FE0, 0xFFFE})  # groups: commands, meta header, pixels, items


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of the dictionary, or one that it does not know (without keyword)."""

    tag: int
    vr: str  # the first one, where several may be
    vm: str
    name: str
    keyword: str

    @property
    def number(self) -> str:
        """Group and element: ``0010,0020``."""
        return f"{self.tag >> 16:04x},{self.tag & 0xFFFF:04x}"

    @property
    def key(self) -> str:
        """The name that goes to the server."""
        return self.keyword or self.number

    @property
    def words(self) -> str:
        """All about it, for a tooltip."""
        shape = hint(self.vr)
        return f"{self.name} ({self.number}), VR {self.vr}, VM {self.vm}" + (f": {shape}" if shape else "")


@cache
def _attributes() -> dict[str, Attribute]:
    """Attributes by keyword, sorted, those that the form can fill."""
    found: dict[str, Attribute] = {}
    for keyword, tag in sorted(keyword_dict.items()):
        vr, vm, name, _, _ = get_entry(tag)
        if keyword and tag >> 16 not in _NOT_HERE and vr != "SQ":
            found[keyword] = Attribute(tag, vr.split(" or ")[0], vm, name, keyword)
    return found


@cache
def options() -> tuple[str, ...]:
    """Return what completion offers: keyword, name and VR of every attribute that is not retired.

    Examples
    --------
    >>> [option for option in options() if "Birth Date" in option][0]
    "PatientBirthDate · Patient's Birth Date · DA"
    """
    return tuple(
        _BETWEEN.join((attribute.keyword, attribute.name, attribute.vr))
        for attribute in _attributes().values()
        if not dictionary_is_retired(attribute.tag)
    )


def find(text: str) -> Attribute:
    """Return the attribute that a person means: an option, a keyword in any case, or ``gggg,eeee``.

    Raises
    ------
    ValueError
        If there is none; in words.

    Examples
    --------
    >>> find("patientid").number, find("0010,0020").keyword
    ('0010,0020', 'PatientID')
    """
    word = text.partition(_BETWEEN)[0].strip()
    attributes = _attributes()
    if word in attributes:
        return attributes[word]
    if number := re.fullmatch(r"\(?([0-9a-f]{4})[,-]?([0-9a-f]{4})\)?", word, re.IGNORECASE):
        return _by_number(int(number[1] + number[2], 16))
    for keyword, attribute in attributes.items():
        if keyword.lower() == word.lower() or attribute.name.lower() == word.lower():
            return attribute
    near = [keyword for keyword in attributes if word.lower() in keyword.lower()][:3] if word else []
    raise ValueError(f"{word!r} is no keyword of DICOM" + (f"; is it {', '.join(near)}?" if near else ""))


def _by_number(tag: int) -> Attribute:
    group = tag >> 16
    if group % 2:
        raise ValueError("A tag of an odd group is private: it has its place below")
    if dictionary_has_tag(tag):
        vr, _vm, name, _, keyword = get_entry(tag)
        if keyword in _attributes():
            return _attributes()[keyword]
        raise ValueError(f"{name} ({vr}) is nothing for this form")
    if group in _NOT_HERE:
        raise ValueError("This tag is made by the server")
    return Attribute(tag, "UN", "1-n", "unknown", "")
