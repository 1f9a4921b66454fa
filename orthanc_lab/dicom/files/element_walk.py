"""A walk over the elements of a DICOM data set (PS3.5 section 7): finds some, skips all others.

Only what is asked for is parsed, but every length is followed, in sequences too: so the walk
proves that the data set is complete.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection
from struct import Struct

from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, SHORT_VRS, as_bytes
from orthanc_lab.dicom.limits import MAX_DEPTH

__all__ = ["Found", "Walk", "WalkError"]

_LONG = as_bytes(LONG_VRS)
_SHORT = as_bytes(SHORT_VRS)
_UNDEFINED = 0xFFFFFFFF
_EXPLICIT = Struct("<4s2sH").unpack_from, Struct(">4s2sH").unpack_from
_PLAIN = Struct("<4sI").unpack_from, Struct(">4sI").unpack_from
_LENGTH = Struct("<I").unpack_from, Struct(">I").unpack_from
_ITEM = b"\xfe\xff\x00\xe0", b"\xff\xfe\xe0\x00"
_ITEM_END = b"\xfe\xff\x0d\xe0", b"\xff\xfe\xe0\x0d"
_SEQUENCE_END = b"\xfe\xff\xdd\xe0", b"\xff\xfe\xe0\xdd"
_PIXEL_DATA = b"\xe0\x7f\x10\x00", b"\x7f\xe0\x00\x10"
_META_LENGTH = b"\x02\x00\x00\x00"
_NO_TAG = bytes(4)
_NOT_ZERO = re.compile(rb"[^\0]")
_NOTHING: frozenset[bytes] = frozenset()


class WalkError(Exception):
    """The bytes are not a complete data set."""


Found = tuple[bytes, int, int, int]
"""Where an element stands: VR (``b""`` in an implicit transfer syntax, ``b"SQ"`` for any sequence), position of
the tag and of the value (bytes from the start of the data), length of the value (0 if undefined)."""


class Walk:
    """A walk over one data set.

    Parameters
    ----------
    data
        The bytes that hold it.
    big
        Numbers are big endian.
    encapsulated
        Pixel data must be fragments, as the transfer syntax demands.
    most_items
        Items of sequences that the data set may have.
    """

    def __init__(self, data: bytes, big: bool, encapsulated: bool, most_items: int = sys.maxsize) -> None:
        self._data = data
        self._items_left = most_items
        self._big = big
        self._encapsulated = encapsulated
        self._explicit = _EXPLICIT[big]
        self._plain = _PLAIN[big]
        self._length = _LENGTH[big]
        self._item_end = _ITEM_END[big]
        self._pixel_data = _PIXEL_DATA[big]

    def run(self, position: int, wanted: Collection[bytes], *, implicit: bool) -> dict[bytes, Found]:
        """Return the wanted elements of the data set that starts at `position` and goes to the end.

        Raises
        ------
        WalkError, struct.error
            If an element is cut off, or there is anything but elements.
        """
        found: dict[bytes, Found] = {}
        end = len(self._data)
        if implicit:
            self._walk_implicit(position, end, wanted, found, 0)
        else:
            self._walk_explicit(position, end, wanted, found, 0)
        return found

    def run_meta(self, position: int, wanted: Collection[bytes]) -> tuple[dict[bytes, Found], int]:
        """Return the wanted elements of the meta header (group 0002), and where it ends."""
        data, found = self._data, {}
        end = len(data)
        while position < end and data[position : position + 2] == b"\x02\x00":
            tag, vr, length = self._explicit(data, position)
            start = position + 8
            if tag == _META_LENGTH and length == 4:
                end = start + 4 + self._length(data, start)[0]
            if vr in _LONG:
                (length,) = self._length(data, start)
                start += 4
            elif vr not in _SHORT:
                raise WalkError("the meta header is damaged")
            if tag in wanted:
                found[tag] = (vr, position, start, length)
            position = start + length
        if position > len(data):
            raise WalkError("the meta header is cut off")
        return found, position

    def _walk_explicit(
        self, position: int, end: int, wanted: Collection[bytes], found: dict[bytes, Found], depth: int
    ) -> int:
        """Follow the elements up to `end` or an item delimiter; return where that was."""
        data, header, long_length = self._data, self._explicit, self._length
        while position < end:
            tag, vr, length = header(data, position)
            start = position + 8
            if vr not in _SHORT:
                if tag == self._item_end:
                    return start
                if vr in _LONG or (vr.isalpha() and vr.isupper()):
                    (length,) = long_length(data, start)
                    start += 4
                    if vr == b"SQ" or length == _UNDEFINED or (self._encapsulated and tag == self._pixel_data):
                        if tag in wanted and tag not in found:
                            found[tag] = (vr if vr in _BYTES else b"SQ", position, start, 0)
                        position = self._enter(tag, vr, start, length, end=end, depth=depth)
                        continue
                elif not (0x20 <= vr[0] < 0x7F and 0x20 <= vr[1] < 0x7F):
                    raise WalkError("a value representation is unreadable")
            if tag in wanted and tag not in found:
                found[tag] = (vr, position, start, length)
            position = start + length
        if position != end:
            raise WalkError("an element is cut off")
        return position

    def _walk_implicit(
        self, position: int, end: int, wanted: Collection[bytes], found: dict[bytes, Found], depth: int
    ) -> int:
        data, header = self._data, self._plain
        while position < end:
            tag, length = header(data, position)
            start = position + 8
            if tag == self._item_end:
                return start
            if not length and tag == _NO_TAG:
                position = self._skip_zeros(position, end)
                continue
            if length == _UNDEFINED:
                if tag in wanted and tag not in found:
                    found[tag] = (b"SQ", position, start, 0)
                if tag == self._pixel_data:
                    position = self._skip_fragments(start, end)
                else:
                    position = self._skip_items(start, end, _UNDEFINED, True, depth)
                continue
            if tag in wanted and tag not in found:
                found[tag] = (b"", position, start, length)
            position = start + length
        if position != end:
            raise WalkError("an element is cut off")
        return position

    def _skip_zeros(self, position: int, end: int) -> int:
        """Return where the empty elements (0000,0000) end: padding, or a file of nothing else."""
        match = _NOT_ZERO.search(self._data, position, end)
        stop = end if match is None else match.start()
        return position + max(8, (stop - position) // 8 * 8)

    def _enter(self, tag: bytes, vr: bytes, start: int, length: int, *, end: int, depth: int) -> int:
        if tag == self._pixel_data and vr in _BYTES:
            if length != _UNDEFINED:
                raise WalkError("compressed pixel data must be fragments")
            return self._skip_fragments(start, end)
        if vr not in (b"SQ", b"UN"):
            raise WalkError("only a sequence may have an undefined length")
        if length == _UNDEFINED:
            return self._skip_items(start, end, length, vr == b"UN", depth)
        if start + length > end:
            raise WalkError("a sequence is cut off")
        return self._skip_items(start, start + length, length, False, depth)

    def _skip_items(self, position: int, end: int, length: int, implicit: bool, depth: int) -> int:
        if depth >= MAX_DEPTH:
            raise WalkError("sequences are nested too deep")
        walk = self._walk_implicit if implicit else self._walk_explicit
        while length == _UNDEFINED or position < end:
            tag, item_length = self._plain(self._data, position)
            position += 8
            if tag == _SEQUENCE_END[self._big]:
                if length == _UNDEFINED:
                    return position
                break
            if tag != _ITEM[self._big]:
                raise WalkError("a sequence contains something other than an item")
            self._items_left -= 1
            if self._items_left < 0:
                raise WalkError("the sequences have too many items")
            stop = end if item_length == _UNDEFINED else position + item_length
            if stop > end:
                raise WalkError("an item is longer than its sequence")
            position = walk(position, stop, _NOTHING, {}, depth + 1)
            if item_length == _UNDEFINED and self._data[position - 8 : position - 4] != self._item_end:
                raise WalkError("an item does not end")
        if position != end:
            raise WalkError("a sequence is longer than its items")
        return position

    def _skip_fragments(self, position: int, end: int) -> int:
        while True:
            tag, length = self._plain(self._data, position)
            position += 8
            if tag == _SEQUENCE_END[self._big]:
                return position
            if tag != _ITEM[self._big]:
                raise WalkError("the pixel data contain something other than a fragment")
            position += length
            if position > end:
                raise WalkError("a fragment is cut off")


_BYTES = frozenset({b"OB", b"OW"})
