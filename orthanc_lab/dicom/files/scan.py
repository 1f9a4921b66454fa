"""Reading of a DICOM file's header: what the index needs, and where the pixel data start.

One walk over the bytes finds the wanted elements and proves at the same time that the file is
whole: a file that is cut off, or has bytes that belong to no element, is refused as Orthanc does.
"""

from __future__ import annotations

import functools
import struct
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from orthanc_lab.dicom.dictionary.dictionary import STANDARD
from orthanc_lab.dicom.dictionary.main_tags import MainTags
from orthanc_lab.dicom.dictionary.tags import BITS_ALLOCATED, PIXEL_DATA, SOP_CLASS_UID, SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.dictionary.vrs import STRING_VRS, as_bytes
from orthanc_lab.dicom.files.element_walk import Found, Walk, WalkError
from orthanc_lab.dicom.files.file_start import FileStart, find_start
from orthanc_lab.dicom.files.layout import Layouts
from orthanc_lab.dicom.files.text import TextDecoder, decoder_of, text_bytes
from orthanc_lab.dicom.limits import most_elements
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, EXPLICIT_LE, IMPLICIT_LE

__all__ = ["LONGEST_VALUE", "DicomHeader", "scan"]

LONGEST_VALUE = 256
"""A value of more bytes (in UTF-8) is not kept in the index."""

_LONGEST_RAW = 8192  # bytes in the file: padding, escape sequences and bytes that are dropped make a value shorter

_SHORT = LONGEST_VALUE // 4  # bytes of a value that is short enough in any encoding
_SPECIAL = (SPECIFIC_CHARACTER_SET, SOP_CLASS_UID, BITS_ALLOCATED, PIXEL_DATA)
_layouts = Layouts()
_UNCOMPRESSED = frozenset({EXPLICIT_LE, EXPLICIT_BE})


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What the index needs of a DICOM file."""

    tags: dict[str, str]  # "gggg,eeee" -> UTF-8 value, of the wanted tags that are present and have one
    unreadable: frozenset[str]  # the wanted tags that are present without a text: too long, or no text at all
    sequences: tuple[str, ...]  # those of the unreadable ones that are sequences
    transfer_syntax: str  # UID; "" if the file states none, or one that Orthanc does not know
    sop_class: str | None  # SOPClassUID; None if absent
    pixel_data_offset: int | None  # bytes to the tag; None without pixels or preamble, deflated, of unknown syntax
    pixel_data_vr: str  # only if it is not the usual one for the bits allocated, else ""


class _Wanted(NamedTuple):
    """The wanted tags as they are encoded in one byte order."""

    names: dict[bytes, str]
    special: tuple[bytes, bytes, bytes, bytes]  # as in `_SPECIAL`
    all: frozenset[bytes]


def scan(
    dicom: bytes,
    wanted: frozenset[str] = MainTags().all,
    default_encoding: str = "Latin1",
    memory: MemoryBudget = UNLIMITED,
) -> DicomHeader:
    """Read the header of a DICOM file.

    Parameters
    ----------
    dicom
        The whole file (PS3.10); preamble and meta header may be missing.
    wanted
        The tags to return, ``gggg,eeee``.
    default_encoding
        The option ``DefaultEncoding``: for a file without Specific Character Set.
    memory
        From which a deflated file reserves what it unpacks to.

    Raises
    ------
    OrthancError
        15 if it is not a complete DICOM file.
    """
    try:
        return _scan(dicom, wanted, default_encoding, memory)
    except (WalkError, struct.error, IndexError) as error:
        message = f"Cannot parse an invalid DICOM file (size: {len(dicom)} bytes)"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, message) from error


def _scan(dicom: bytes, wanted: frozenset[str], default_encoding: str, memory: MemoryBudget) -> DicomHeader:
    start, found = _elements(dicom, wanted, memory)
    data = start.data if start.deflated else dicom
    big = start.layout == EXPLICIT_BE
    names, (charset, sop_class, bits, pixel_data), _ = _compiled(wanted, big)
    values = _Values(data, big, found.get(charset), default_encoding)
    tags, others = values.texts(found, names)
    unreadable: list[str] = []
    sequences: list[str] = []
    for name, element in others:
        is_sequence = (element[0] or _implicit_vr(name)) == b"SQ"
        if element[3] or is_sequence:
            unreadable.append(name)
        if is_sequence:
            sequences.append(name)
    pixels = found.get(pixel_data)
    return DicomHeader(
        tags,
        frozenset(unreadable),
        tuple(sequences),
        start.transfer_syntax,
        None if found.get(sop_class) is None else values.text(found[sop_class], "0008,0016"),
        # Orthanc looks for the pixels only where a file has a preamble.
        pixels[1] if pixels is not None and start.meta and start.transfer_syntax and not start.deflated else None,
        values.unusual_pixel_data_vr(pixels, found.get(bits)) if start.transfer_syntax in _UNCOMPRESSED else "",
    )


def _elements(dicom: bytes, wanted: frozenset[str], memory: MemoryBudget) -> tuple[FileStart, Mapping[bytes, Found]]:
    """Return where the wanted elements of a file stand."""
    layout = _layouts.find(dicom, wanted)
    if layout is not None:
        return layout.start, layout.found
    start = find_start(dicom, memory)
    big = start.layout == EXPLICIT_BE
    walk = Walk(start.data, big, start.encapsulated, most_elements(len(dicom)))
    found = walk.run(start.position, _compiled(wanted, big).all, implicit=start.layout == IMPLICIT_LE)
    _layouts.learn(dicom, wanted, start, found)
    return start, found


@functools.lru_cache(maxsize=16)
def _compiled(wanted: frozenset[str], big: bool) -> _Wanted:
    form = struct.Struct(">HH" if big else "<HH")
    names = {form.pack(int(tag[:4], 16), int(tag[5:], 16)): tag for tag in wanted}
    charset, sop_class, bits, pixel_data = (form.pack(tag >> 16, tag & 0xFFFF) for tag in _SPECIAL)
    special = (charset, sop_class, bits, pixel_data)
    return _Wanted(names, special, frozenset((*names, *special)))


@functools.cache
def _implicit_vr(tag: str) -> bytes:
    return STANDARD.vr_of(int(tag[:4] + tag[5:], 16)).encode("ascii")


class _Values:
    """Converts the bytes of elements to text as Orthanc does."""

    def __init__(self, data: bytes, big: bool, charset: Found | None, default_encoding: str) -> None:
        self._data = data
        self._numbers = _BIG_NUMBERS if big else _LITTLE_NUMBERS
        self._order: Literal["big", "little"] = "big" if big else "little"
        stated = None if charset is None else data[charset[2] : charset[2] + charset[3]]
        self._decode: TextDecoder = decoder_of(stated, default_encoding)

    def texts(
        self, found: Mapping[bytes, Found], names: Mapping[bytes, str]
    ) -> tuple[dict[str, str], list[tuple[str, Found]]]:
        """Return the texts of the elements that have a name, and the elements that have a name and no text."""
        data, decode, name_of = self._data, self._decode, names.get
        tags: dict[str, str] = {}
        others: list[tuple[str, Found]] = []
        for tag, element in found.items():
            name = name_of(tag)
            if name is None:
                continue
            vr, _, position, length = element
            if length <= _SHORT:  # nearly all values: here `text` would be half of the time
                raw = data[position : position + length]
                if vr in _TEXT:
                    if not length & 1:
                        raw = raw.rstrip(b" ")
                    if 0 not in raw:
                        tags[name] = decode(raw)
                        continue
                elif vr == b"UI" and 32 not in raw:
                    tags[name] = decode(raw.split(b"\0", 1)[0])
                    continue
            text = self.text(element, name)
            if text is None:
                others.append((name, element))
            else:
                tags[name] = text
        return tags, others

    def text(self, element: Found, name: str) -> str | None:
        """Return a value as the index keeps it, None if it does not."""
        vr, _, position, length = element
        if length > _LONGEST_RAW:
            return None
        raw = self._data[position : position + length]
        if not vr:
            vr = _implicit_vr(name)
        if vr in _TEXT:
            text = self._decode(text_bytes(raw))
        elif vr == b"UI":
            text = self._decode(raw.split(b"\0", 1)[0])
            if " " in text:
                text = "\\".join(map(str.strip, text.split("\\")))
        elif vr == b"UN":
            text = self._decode(raw[:-1] if raw.endswith(b"\0") else raw)
        else:
            convert = self._numbers.get(vr)
            if convert is None or not raw:
                return None
            text = convert(raw)
        if len(text) > LONGEST_VALUE // 4 and len(text.encode("utf-8")) > LONGEST_VALUE:
            return None
        return text

    def unusual_pixel_data_vr(self, pixels: Found | None, bits_allocated: Found | None) -> str:
        """Return the VR of the pixel data unless it is the usual one: OW for more than 8 bits allocated, else OB."""
        if pixels is None:
            return ""
        usual = b"OW" if self._number(bits_allocated, "0028,0100") > 8 else b"OB"
        return "" if pixels[0] == usual else pixels[0].decode("ascii")

    def _number(self, element: Found | None, name: str) -> int:
        """Return the number that an element holds, 0 for any other value, or none."""
        if element is None:
            return 0
        vr, _, position, length = element
        if vr == b"US" and length == 2:
            return int.from_bytes(self._data[position : position + 2], self._order)
        text = self.text(element, name) or ""
        return int(text) if text.isdecimal() else 0


def _integers(form: str) -> Callable[[bytes], str]:
    layout = struct.Struct(form)

    def convert(raw: bytes) -> str:
        whole = raw[: len(raw) // layout.size * layout.size] if len(raw) % layout.size else raw
        return "\\".join([str(number) for (number,) in layout.iter_unpack(whole)])

    return convert


def _floats(form: str) -> Callable[[bytes], str]:
    layout = struct.Struct(form)

    def convert(raw: bytes) -> str:
        whole = raw[: len(raw) // layout.size * layout.size]
        return "\\".join([f"{number:.17g}" for (number,) in layout.iter_unpack(whole)])

    return convert


def _first_tag(form: str) -> Callable[[bytes], str]:
    layout = struct.Struct(form)

    def convert(raw: bytes) -> str:
        group, element = layout.unpack_from(raw)
        return f"{group:04x},{element:04x}"

    return convert


def _numbers(order: str) -> dict[bytes, Callable[[bytes], str]]:
    return {
        b"US": _integers(order + "H"),
        b"SS": _integers(order + "h"),
        b"UL": _integers(order + "I"),
        b"SL": _integers(order + "i"),
        b"FL": _floats(order + "f"),
        b"FD": _floats(order + "d"),
        b"AT": _first_tag(order + "HH"),
    }


_TEXT = as_bytes(STRING_VRS)
_LITTLE_NUMBERS = _numbers("<")
_BIG_NUMBERS = _numbers(">")
