"""A DICOM file read into a `DataSet` (PS3.5 section 7, PS3.10 section 7).

All transfer syntaxes are read: implicit, explicit, big endian (numbers are converted) and deflated.
Pixel data stay encoded.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

from orthanc_lab.dicom.dictionary.dictionary import STANDARD, Dictionary
from orthanc_lab.dicom.dictionary.main_tags import SERIES_UID, SOP_UID, STUDY_UID
from orthanc_lab.dicom.dictionary.tags import (
    ITEM,
    ITEM_DELIMITATION_ITEM,
    PIXEL_DATA,
    PIXEL_REPRESENTATION,
    SEQUENCE_DELIMITATION_ITEM,
    US_OR_SS,
)
from orthanc_lab.dicom.dictionary.vrs import LONG_VRS, VR_BY_BYTES, WORD_SIZES, as_bytes
from orthanc_lab.dicom.files.data_set import DataSet, Element, Pieces, Value, swapped
from orthanc_lab.dicom.files.element_walk import WalkError
from orthanc_lab.dicom.files.file_start import FileStart, find_start
from orthanc_lab.dicom.files.scan import scan
from orthanc_lab.dicom.files.text import text_bytes
from orthanc_lab.dicom.limits import MAX_DEPTH, may_hold, most_elements
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget, Reservation
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

__all__ = ["DicomFile", "check_elements", "creator_of", "read_data_set", "read_file"]

_UNDEFINED = 0xFFFFFFFF
_MANY = 10_000  # elements
_NEEDED = frozenset({STUDY_UID, SERIES_UID, SOP_UID})  # by each instance
_ELEMENT_BYTES = 500  # of memory, of an element or an item on average
_SIGNED = Element("US", b"\1\0")
_LONG = as_bytes(LONG_VRS)


@dataclass(frozen=True, slots=True)
class DicomFile:
    """The contents of a DICOM file."""

    meta: DataSet  # group 0002; empty for a file without a header
    transfer_syntax: str  # UID; what the bytes look like, if the file does not say
    data_set: DataSet
    deflated_size: int | None = None  # bytes of the file, if its data set is deflated
    reservation: Reservation | None = field(default=None, repr=False, compare=False)  # of its memory


def read_file(
    dicom: bytes,
    dictionary: Dictionary = STANDARD,
    *,
    skip_pixel_data: bool = False,
    share_pixels: bool = False,
    memory: MemoryBudget = UNLIMITED,
) -> DicomFile:
    """Read a DICOM file, or the part of it before the pixel data.

    Parameters
    ----------
    dicom
        The file, with or without preamble and meta header.
    dictionary
        Gives the VR of each tag in an implicit transfer syntax.
    skip_pixel_data
        Leave out the value of the pixel data (no fragments stand for it), and all that follows it.
    share_pixels
        Native pixel data are `Pieces` of the bytes given, not a copy: for a data set that is written again.
    memory
        From which the data set reserves what it takes beyond the bytes of the file.

    Raises
    ------
    OrthancError
        15 if the bytes are not a DICOM file, are cut off before the pixel data, or nest too deep;
        4 with status 503 if the memory is spent.
    """
    try:
        start = find_start(dicom, memory)
        meta, _ = _Reader(dicom, EXPLICIT_LE, dictionary, False, most_elements(len(dicom))).read(
            start.meta, start.meta_end, 0
        )
        reader = _Reader(start.data, start.layout, dictionary, skip_pixel_data, most_elements(len(dicom)))
        reader.shares_pixels = share_pixels and start.layout != EXPLICIT_BE
        data_set, _ = reader.read(start.position, len(start.data), 0)
    except WalkError as error:
        raise _broken(str(error)) from error
    except (struct.error, IndexError) as error:
        raise _broken("an element is cut off") from error
    reservation = start.reservation
    if reader.count > _MANY:
        reservation = reservation or memory.reserve(0)
        reservation.add(reader.count * _ELEMENT_BYTES)
    deflated_size = len(dicom) if start.deflated else None
    return DicomFile(meta, start.stated or start.layout, data_set, deflated_size, reservation)


def check_elements(dicom: bytes, packed: int, memory: MemoryBudget, reservation: Reservation) -> None:
    """Refuse a file whose elements would take far more memory than what was sent; all else is left to its readers.

    Parameters
    ----------
    packed
        As how many bytes it was sent.
    memory
        From which a deflated data set reserves what it unpacks to.
    reservation
        Has what many elements need, as long as they are counted.

    Raises
    ------
    OrthancError
        15 for too many elements; 4 with status 503 if the memory is spent.
    """
    most = may_hold(packed)
    if len(dicom) // 8 <= most:  # each takes 8 bytes
        return
    try:
        tags = scan(dicom, _NEEDED, memory=memory).tags
        if not all(tags.get(tag) for tag in _NEEDED):
            return  # it is not stored, and never read
        start = find_start(dicom, memory)
        try:
            _count(start, _MANY)
        except _TooManyError:
            with reservation.more(min(most, len(start.data) // 8) * _ELEMENT_BYTES):
                _count(start, most)
    except _TooManyError:
        raise
    except (WalkError, struct.error, IndexError):
        return
    except OrthancError as error:
        if error.code != ErrorCode.BAD_FILE_FORMAT:
            raise


def _count(start: FileStart, most: int) -> None:
    reader = _Reader(start.data, start.layout, STANDARD, False, most)
    reader.shares_pixels = True
    reader.read(start.position, len(start.data), 0)


def read_data_set(
    data: bytes, transfer_syntax: str, dictionary: Dictionary = STANDARD, *, most: int | None = None
) -> DataSet:
    """Read a data set without a meta header, such as one of a DIMSE message.

    Parameters
    ----------
    transfer_syntax
        Its UID; none that is deflated.
    most
        Elements and items that it may have; None for as many as fit.

    Raises
    ------
    OrthancError
        15 if the bytes are no data set, nest too deep, or have too many elements.
    """
    layout = transfer_syntax if transfer_syntax in (IMPLICIT_LE, EXPLICIT_BE) else EXPLICIT_LE
    try:
        reader = _Reader(data, layout, dictionary, False, most_elements(len(data)) if most is None else most)
        found, end = reader.read(0, len(data), 0)
    except (struct.error, IndexError) as error:
        raise _broken("an element is cut off") from error
    if end != len(data):
        raise _broken("an item ends where none began")
    return found


class _TooManyError(OrthancError):
    def __init__(self, most: int) -> None:
        details = f"Cannot parse an invalid DICOM file: it has more than {most} elements"
        super().__init__(ErrorCode.BAD_FILE_FORMAT, details)


def _broken(why: str) -> OrthancError:
    return OrthancError(ErrorCode.BAD_FILE_FORMAT, f"Cannot parse an invalid DICOM file: {why}")


class _Reader:
    """Reads the elements of one file; positions are bytes from its start."""

    def __init__(self, data: bytes, layout: str, dictionary: Dictionary, skip_pixel_data: bool, most: int) -> None:
        self.shares_pixels = False
        self.count = 0  # elements and items, also those that stand there twice
        self._most = most
        self._data = data
        self._implicit = layout == IMPLICIT_LE
        self._big = layout == EXPLICIT_BE
        self._dictionary = dictionary
        self._skip = skip_pixel_data
        order = ">" if self._big else "<"
        self._header = struct.Struct(order + "HH2sH").unpack_from
        self._plain = struct.Struct(order + "HHI").unpack_from
        self._long = struct.Struct(order + "I").unpack_from

    def read(self, position: int, end: int, depth: int) -> tuple[DataSet, int]:
        """Read elements up to `end` or an item delimiter."""
        if depth > MAX_DEPTH:
            raise _broken(f"sequences are nested more than {MAX_DEPTH} levels deep")
        data = self._data
        found: DataSet = {}
        implicit, header, vrs, long_vrs = self._implicit, self._header, VR_BY_BYTES, _LONG
        most = self._most
        while position + 8 <= end:
            self.count += 1
            if self.count > most:
                raise _TooManyError(most)
            group, element, code, length = header(data, position)
            tag = group << 16 | element
            if tag == ITEM_DELIMITATION_ITEM:
                return found, position + 8
            if implicit or group == 0xFFFE:
                length = self._plain(data, position)[2]
                vr = self._implicit_vr(tag, found)
                position += 8
            else:
                known = vrs.get(code)
                vr = known or code.decode("latin-1")
                if code in long_vrs or (known is None and code.isalpha() and code.isupper()):
                    (length,) = self._long(data, position + 8)
                    position += 12
                else:
                    position += 8
            if tag == PIXEL_DATA and self._skip and not depth:
                found[tag] = Element(vr, ())
                return found, end
            value: Value
            if length == _UNDEFINED or vr == "SQ":
                stop = end if length == _UNDEFINED else position + length
                if stop > end:
                    raise _broken(f"the length of ({group:04x},{element:04x}) goes beyond the end")
                if length == _UNDEFINED and (tag == PIXEL_DATA or vr in ("OB", "OW")):
                    value, position = self._fragments(position, stop)
                else:
                    value, position = self._sequence(vr, position, stop, depth)
                vr = "SQ" if isinstance(value, list) else vr
            else:
                after = position + length
                if after > end:
                    if tag != PIXEL_DATA:
                        raise _broken(f"the length of ({group:04x},{element:04x}) goes beyond the end")
                    after = end
                if tag == PIXEL_DATA and self.shares_pixels and not depth:
                    # A view serves as bytes where it is only written.
                    value = Pieces((memoryview(data)[position:after],))  # type: ignore[arg-type]
                elif self._big and vr in WORD_SIZES:
                    value = swapped(data[position:after], WORD_SIZES[vr])
                else:
                    value = data[position:after]
                position = after
            found.setdefault(tag, Element(vr, value))
        return found, end

    def _implicit_vr(self, tag: int, found: DataSet) -> str:
        if tag in US_OR_SS:
            return "SS" if found.get(PIXEL_REPRESENTATION) == _SIGNED else "US"
        return self._dictionary.vr_of(tag, creator_of(tag, found))

    def _sequence(self, vr: str, position: int, stop: int, depth: int) -> tuple[list[DataSet], int]:
        if vr != "UN" or self._implicit:
            return self._items(position, stop, depth)
        self._implicit = True  # PS3.5 section 6.2.2: UN of undefined length holds implicit little endian
        try:
            return self._items(position, stop, depth)
        finally:
            self._implicit = False

    def _items(self, position: int, end: int, depth: int) -> tuple[list[DataSet], int]:
        items: list[DataSet] = []
        while position + 8 <= end:
            group, element, length = self._plain(self._data, position)
            tag = group << 16 | element
            position += 8
            if tag == SEQUENCE_DELIMITATION_ITEM:
                return items, position
            if tag != ITEM:
                raise _broken(f"({group:04x},{element:04x}) stands where an item of a sequence should")
            stop = end if length == _UNDEFINED else position + length
            if stop > end:
                raise _broken("an item is longer than its sequence")
            item, position = self.read(position, stop, depth + 1)
            items.append(item)
            self.count += 1
            if self.count > self._most:
                raise _TooManyError(self._most)
        return items, end

    def _fragments(self, position: int, end: int) -> tuple[tuple[bytes, ...], int]:
        fragments = []
        while position + 8 <= end:
            group, element, length = self._plain(self._data, position)
            position += 8
            if group << 16 | element != ITEM:
                break
            fragments.append(self._data[position : min(position + length, end)])
            position += length
        return tuple(fragments), min(position, end)


def creator_of(tag: int, data_set: DataSet) -> str | None:
    """Return the private creator of an element of a data set; None if it has none (PS3.5 section 7.8.1)."""
    if not tag & 0x10000 or tag & 0xFFFF < 0x1000:
        return None
    element = data_set.get(tag & 0xFFFF0000 | (tag & 0xFF00) >> 8)
    if element is None or element.vr != "LO" or not isinstance(element.value, bytes):
        return None
    return text_bytes(element.value).decode("latin-1")
