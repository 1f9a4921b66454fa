"""A DICOM file in which nothing stays but its shape: each value is replaced where it stands by as many bytes.

So tags, VRs, lengths, sequences of either kind, private blocks, paddings and whatever is wrong with the file stay.
From where it cannot be read, all bytes are zero.
"""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass, field, replace

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, TEXT_VRS, VR_BY_BYTES, WORD_SIZES, as_bytes
from orthanc_lab.dicom.files.data_set import swapped
from orthanc_lab.dicom.files.element_walk import WalkError
from orthanc_lab.dicom.files.file_start import find_start
from orthanc_lab.dicom.files.text import decoder_of, text_bytes
from orthanc_lab.dicom.limits import MAX_DEPTH
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.registered import entry_of
from orthanc_lab.testing.capsule.tag_values import TagValues

__all__ = ["DicomTwin", "Identity"]

_UNDEFINED = 0xFFFFFFFF
_LONG = as_bytes(LONG_VRS)
_IDENTIFIERS = (tags.PATIENT_ID, tags.STUDY_INSTANCE_UID, tags.SERIES_INSTANCE_UID, tags.SOP_INSTANCE_UID)
_MARK = slice(128, 132)

Identity = tuple[str, str, str, str]
"""PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID."""


class _UnreadableError(Exception):
    """There is no element at this position."""

    def __init__(self, position: int) -> None:
        super().__init__(position)
        self.position = position


@dataclass(slots=True)
class _Place:
    """A data set within a file: what holds for the elements in it."""

    implicit: bool
    depth: int = 0
    charset: str = ""
    creators: dict[int, str] = field(default_factory=dict)
    signed: bool = False

    def item(self, *, implicit: bool) -> _Place:
        return replace(self, implicit=implicit, depth=self.depth + 1, creators={})


class DicomTwin:
    """Makes twins of DICOM files.

    Parameters
    ----------
    values
        Replaces values.
    manifest
        Counts bytes that could not be read.
    """

    def __init__(self, values: TagValues, manifest: Manifest) -> None:
        self._values = values
        self._manifest = manifest
        self.private_tags: dict[int, str] = {}
        """The private tags that came, with their VRs."""

    def of(self, content: bytes) -> tuple[bytes, Identity | None]:
        """Return the twin of a file, and what identified the file.

        Raises
        ------
        ValueError
            If it is not a DICOM file.
        """
        try:
            start = find_start(content)
        except (WalkError, struct.error, IndexError, OrthancError) as error:
            raise ValueError("not a DICOM file") from error
        head = bytearray(content[: start.meta_end])
        head[: min(128, start.meta)] = bytes(min(128, start.meta))
        if start.meta == 132:
            head[_MARK] = b"DICM"
        _Rewriting(self, head, EXPLICIT_LE).run(start.meta, _Place(False))
        data = bytearray(start.data[start.position :])
        rewriting = _Rewriting(self, data, start.layout)
        rewriting.run(0, _Place(start.layout == IMPLICIT_LE))
        if start.deflated:
            packer = zlib.compressobj(6, zlib.DEFLATED, -zlib.MAX_WBITS)
            data = bytearray(packer.compress(data) + packer.flush())
            data += bytes(len(data) & 1)
        found = rewriting.identifiers
        identity = None
        if len(found) == len(_IDENTIFIERS):
            identity = (found[_IDENTIFIERS[0]], found[_IDENTIFIERS[1]], found[_IDENTIFIERS[2]], found[_IDENTIFIERS[3]])
        return bytes(head + data), identity

    def replaced(self, tag: int, vr: str, value: bytes, charset: str) -> bytes:
        """Return the bytes in the place of a value, little endian."""
        if tag & 0x10000:
            self.private_tags.setdefault(tag, vr)
        return self._values.encoded(tag, vr, value, charset)

    def lost(self, size: int) -> None:
        """Take note of bytes that cannot be read."""
        self._manifest.unread += size


class _Rewriting:
    """Rewrites the elements of one data set in place."""

    def __init__(self, twin: DicomTwin, data: bytearray, layout: str) -> None:
        self._twin = twin
        self._data = data
        self._big = layout == EXPLICIT_BE
        order = ">" if self._big else "<"
        self._header = struct.Struct(order + "HH2sH").unpack_from
        self._plain = struct.Struct(order + "HHI").unpack_from
        self._long = struct.Struct(order + "I").unpack_from
        self.identifiers: dict[int, str] = {}

    def run(self, position: int, place: _Place) -> None:
        """Rewrite all elements up to the end of the data."""
        end = len(self._data)
        try:
            stop = self._elements(position, end, place)
        except _UnreadableError as error:
            stop = error.position
        except (struct.error, IndexError):
            stop = position
        if stop < end:
            self._data[stop:] = bytes(end - stop)
            self._twin.lost(end - stop)
        self.identifiers.setdefault(tags.PATIENT_ID, "")

    def _elements(self, position: int, end: int, place: _Place) -> int:
        if place.depth > MAX_DEPTH:
            raise _UnreadableError(position)
        while position < end:
            if position + 8 > end:
                raise _UnreadableError(position)
            group, element, code, length = self._header(self._data, position)
            tag = group << 16 | element
            if tag == tags.ITEM_DELIMITATION_ITEM:
                self._data[position + 4 : position + 8] = bytes(4)
                return position + 8
            start = position + 8
            if place.implicit:
                length = self._plain(self._data, position)[2]
                vr = self._implicit_vr(tag, place)
            else:
                known = VR_BY_BYTES.get(code)
                if known is None or start + 4 * (code in _LONG) > end:
                    raise _UnreadableError(position)
                vr = known
                if code in _LONG:
                    self._data[start - 2 : start] = bytes(2)
                    length = self._long(self._data, start)[0]
                    start += 4
            position = self._value(tag, vr, start, length, end, place)
        return position

    def _value(self, tag: int, vr: str, start: int, length: int, end: int, place: _Place) -> int:  # noqa: PLR0917
        if length == _UNDEFINED:
            if tag == tags.PIXEL_DATA or vr in ("OB", "OW"):
                return self._fragments(start, end)
            return self._items(start, end, place.item(implicit=place.implicit or vr == "UN"))
        stop = min(start + length, end)  # a value that is cut off stays so
        if vr == "SQ":
            self._items(start, stop, place.item(implicit=place.implicit))
            return stop
        value = bytes(self._data[start:stop])
        size = WORD_SIZES.get(vr, 0) if self._big else 0
        plain = swapped(value, size) if size else value
        new = self._twin.replaced(tag, vr, plain, place.charset)
        self._data[start:stop] = swapped(new, size) if size else new
        self._notice(tag, vr, plain, place)
        return stop

    def _notice(self, tag: int, vr: str, value: bytes, place: _Place) -> None:
        """Take note of what decides how later elements are read, and of what identifies the file."""
        if vr not in TEXT_VRS:
            if tag == tags.PIXEL_REPRESENTATION:
                place.signed = value[:1] == b"\1"
            return
        text = value.rstrip(b"\0 ").decode("latin-1")
        if tag == tags.SPECIFIC_CHARACTER_SET:
            place.charset = text
        elif tag & 0x10000 and 0x10 <= tag & 0xFFFF <= 0xFF:
            place.creators[tag] = text
        elif not place.depth and tag in _IDENTIFIERS:
            self.identifiers.setdefault(tag, self._decoded(value, place.charset))

    def _decoded(self, value: bytes, charset: str) -> str:
        return decoder_of(charset.encode("latin-1") or None)(text_bytes(value)).strip(" ")

    def _implicit_vr(self, tag: int, place: _Place) -> str:
        if tag in tags.US_OR_SS:
            return "SS" if place.signed else "US"
        creator = place.creators.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8) if tag & 0x10000 else None
        entry = entry_of(tag, creator)
        return "UN" if entry is None else entry.vr

    def _items(self, position: int, end: int, place: _Place) -> int:
        while position < end:
            if position + 8 > end:
                raise _UnreadableError(position)
            group, element, length = self._plain(self._data, position)
            tag = group << 16 | element
            if tag == tags.SEQUENCE_DELIMITATION_ITEM:
                self._data[position + 4 : position + 8] = bytes(4)
                return position + 8
            if tag != tags.ITEM:
                raise _UnreadableError(position)
            stop = end if length == _UNDEFINED else position + 8 + length
            if stop > end:
                raise _UnreadableError(position)
            position = self._elements(position + 8, stop, replace(place, creators={}))
        return position

    def _fragments(self, position: int, end: int) -> int:
        while position + 8 <= end:
            group, element, length = self._plain(self._data, position)
            tag = group << 16 | element
            if tag == tags.SEQUENCE_DELIMITATION_ITEM:
                self._data[position + 4 : position + 8] = bytes(4)
                return position + 8
            if tag != tags.ITEM:
                raise _UnreadableError(position)
            stop = min(position + 8 + length, end)
            self._data[position + 8 : stop] = bytes(stop - position - 8)
            position = stop
        return min(position, end)
