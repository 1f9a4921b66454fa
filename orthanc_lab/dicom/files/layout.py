"""Where the elements of a file stand, remembered for the files that follow: those of a series are often laid out alike.

Whoever walks over a file looks at everything but the values. So a file of the same length that has the same bytes
everywhere else leads to the same elements at the same places, and to see that takes a tenth of the time of the walk.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import itemgetter
from typing import NamedTuple

from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, SHORT_VRS, as_bytes
from orthanc_lab.dicom.files.element_walk import Found
from orthanc_lab.dicom.files.file_start import FileStart
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

__all__ = ["Layout", "Layouts"]

_LONG = as_bytes(LONG_VRS)
_SHORT = as_bytes(SHORT_VRS)
_UNDEFINED = 0xFFFFFFFF
_PREAMBLE = 128  # bytes that nobody looks at
_READ_IN_META = (b"\x02\x00\x00\x00", b"\x02\x00\x10\x00")  # its length, and the transfer syntax
_MOST_KNOWN = 64
_MOST_VALUES = 200
_MOST_COMPARED = 8192  # bytes

Key = tuple[int, frozenset[str]]
"""The length of a file, and the tags that are wanted of it."""


class Layout(NamedTuple):
    """What is the same for files that are laid out alike."""

    start: FileStart  # without its data
    found: Mapping[bytes, Found]
    between_values: Callable[[bytes], tuple[bytes, ...]]
    expected: tuple[bytes, ...]


class Layouts:
    """The layouts of files that came last, for those in Explicit VR Little Endian whose pixels are not compressed.

    One is worked out for the second file of a length: many come alone.
    """

    def __init__(self) -> None:
        self._known: dict[Key, Layout | None] = {}

    def find(self, dicom: bytes, wanted: frozenset[str]) -> Layout | None:
        """Return the layout of a file, None if it is not known."""
        layout = self._known.get((len(dicom), wanted))
        return layout if layout is not None and layout.between_values(dicom) == layout.expected else None

    def learn(self, dicom: bytes, wanted: frozenset[str], start: FileStart, found: Mapping[bytes, Found]) -> None:
        """Take note of a file that is whole."""
        if start.deflated or start.encapsulated or start.layout != EXPLICIT_LE or not start.meta:
            return
        key = (len(dicom), wanted)
        known = self._known
        if key in known:
            if known[key] is None:
                known[key] = _layout(dicom, start, found)
        else:
            if len(known) >= _MOST_KNOWN:
                known.clear()
            known[key] = None


def _layout(dicom: bytes, start: FileStart, found: Mapping[bytes, Found]) -> Layout | None:
    pieces: list[slice] = []
    end = _PREAMBLE
    position = start.meta
    while position < len(dicom):
        tag, vr = dicom[position : position + 4], dicom[position + 4 : position + 6]
        value = position + 8
        length = int.from_bytes(dicom[position + 6 : value], "little")
        if vr in _LONG:
            length = int.from_bytes(dicom[value : value + 4], "little")
            value += 4
        elif vr not in _SHORT:
            return None
        if length == _UNDEFINED or len(pieces) > _MOST_VALUES:
            return None
        position = value + length
        if vr != b"SQ" and tag not in _READ_IN_META:
            pieces.append(slice(end, value))
            end = position
    pieces.append(slice(end, position))
    if sum(piece.stop - piece.start for piece in pieces) > _MOST_COMPARED:
        return None
    between_values = itemgetter(*pieces)
    return Layout(start._replace(data=b""), found, between_values, between_values(dicom))
