"""A data set in the JSON of Orthanc: ``/tags``, ``/simplified-tags``, ``/header`` and the like.

Texts are Unicode without padding, numbers are decimal texts joined by backslashes, sequences are
arrays of objects; binary values are null.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Collection
from enum import Enum
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import (
    DATA_SET_TRAILING_PADDING,
    PALETTE_DESCRIPTORS,
    PIXEL_REPRESENTATION,
    SPECIFIC_CHARACTER_SET,
    US_OR_SS,
)
from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS
from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.read import DicomFile, creator_of
from orthanc_lab.dicom.files.text import TextDecoder, decoder_of, text_bytes
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE

__all__ = ["MAX_LENGTH", "TagsFormat", "TagsWriter", "data_set_to_json", "number_text"]

MAX_LENGTH = 256
"""A value of more bytes (in UTF-8) is left out as ``TooLong``, unless the client asks for its tag."""

_LONGEST_CREATOR = 65  # letters to look up, one more than a creator may have: what is looked up is kept for a while
_SPACES = b" \t\n\v\f\r"


class TagsFormat(Enum):
    """How the tags are shown."""

    FULL = "keyed gggg,eeee; objects of Name, Type and Value"
    SHORT = "keyed gggg,eeee; values"
    SIMPLIFIED = "keyed by name; values"


def data_set_to_json(
    file: DicomFile,
    format: TagsFormat,
    dictionary: Dictionary,
    *,
    default_encoding: str = "Latin1",
    ignore_length: Collection[int] = (),
    only: Collection[int] | None = None,
    header: bool = False,
) -> dict[str, Any]:
    """Return the tags of a file as Orthanc's JSON.

    Parameters
    ----------
    file
        What `orthanc_lab.dicom.files.read.read_file` made of it.
    default_encoding
        The option ``DefaultEncoding``.
    ignore_length
        Tags whose values are shown in full.
    only
        Tags to show, None for all.
    header
        Show the meta header (group 0002) in place of the data set; its binary values are left out.
    """
    character_set = file.data_set.get(SPECIFIC_CHARACTER_SET)
    value = character_set.value if character_set is not None else None
    decode = decoder_of(value if isinstance(value, bytes) else None, default_encoding)
    implicit = file.transfer_syntax == IMPLICIT_LE and not header
    writer = TagsWriter(format, dictionary, decode, ignore_length, implicit=implicit)
    return writer.write(_without_binary(file.meta) if header else file.data_set, only)


class TagsWriter:
    """Makes JSON of the data sets of one file."""

    def __init__(
        self,
        format: TagsFormat,
        dictionary: Dictionary,
        decode: TextDecoder,
        ignore_length: Collection[int] = (),
        *,
        implicit: bool = False,
    ) -> None:
        self._format = format
        self._dictionary = dictionary
        self._decode = decode
        self._whole = frozenset(ignore_length)
        self._implicit = implicit

    def write(self, data_set: DataSet, only: Collection[int] | None = None) -> dict[str, Any]:
        """Return the JSON object of a data set or an item, or of some of its tags."""
        found: dict[str, Any] = {}
        creators: dict[int, str | None] = {}
        shown, full = self._dictionary.shown, self._format is TagsFormat.FULL
        simplified = self._format is TagsFormat.SIMPLIFIED
        for tag in sorted(data_set if only is None else data_set.keys() & set(only)):
            if tag == DATA_SET_TRAILING_PADDING:
                continue
            element = data_set[tag]
            creator, known = None, ""
            if tag & 0x10000:
                block = tag >> 8
                if block not in creators:
                    creators[block] = creator_of(tag, data_set)
                creator = creators[block]
                known = creator[:_LONGEST_CREATOR] if creator else ""
            key, name, known_vr = shown(tag, known)
            kind, value = self._value(tag, element, data_set, known_vr)
            if simplified:
                found[name] = value
            elif not full:
                found[key] = value
            elif not creator or kind == "Sequence":
                found[key] = {"Name": name, "Type": kind, "Value": value}
            else:
                found[key] = {"Name": name, "PrivateCreator": creator, "Type": kind, "Value": value}
        return found

    def _value(self, tag: int, element: Element, data_set: DataSet, known_vr: str) -> tuple[str, Any]:
        vr, value = element
        if vr in TEXT_VRS and type(value) is bytes:
            value = text_bytes(value)
            text = self._decode(value.translate(None, _SPACES) if vr == "UI" else value)
        elif isinstance(value, list):
            return "Sequence", [self.write(item) for item in value]
        elif not isinstance(value, bytes):
            return "Null", None
        elif vr == "UN" and known_vr in TEXT_VRS:
            text = self._decode(value.removesuffix(b"\0"))
        else:
            number = None if self._implicit and _is_undecided(tag, data_set) else number_text(vr, value)
            if number is None:
                return "Null", None
            text = number
        if len(text) > MAX_LENGTH // 4 and tag not in self._whole and len(text.encode("utf-8")) > MAX_LENGTH:
            return "TooLong", None
        return "String", text


def number_text(vr: str, value: bytes) -> str | None:
    r"""Return the numbers of a binary VR as text, joined by ``\``.

    None for an empty value, a value too short for a number, and a VR without numbers. As in Orthanc, only
    the first is shown of tags (AT) and of a value whose last number is cut off.
    """
    layout = _NUMBERS.get(vr)
    if layout is None:
        return None
    size, code, form = layout
    count = len(value) // size
    if not count:
        return None
    if vr == "AT":
        group, element = struct.unpack_from("<HH", value)
        return f"{group:04x},{element:04x}"
    if len(value) % size:
        count = 1
    numbers = struct.unpack_from(f"<{count}{code}", value)
    return form(numbers[0]) if count == 1 else "\\".join(map(form, numbers))


def _float_text(number: float) -> str:
    return format(number, ".17g")


_Form = Callable[[Any], str]
_NUMBERS: dict[str, tuple[int, str, _Form]] = {
    "US": (2, "H", str),
    "SS": (2, "h", str),
    "UL": (4, "I", str),
    "SL": (4, "i", str),
    "FL": (4, "f", _float_text),
    "FD": (8, "d", _float_text),
    "AT": (4, "", str),
}


def _without_binary(meta: DataSet) -> DataSet:
    return {
        tag: element
        for tag, element in meta.items()
        if element.vr in TEXT_VRS
        or (isinstance(element.value, bytes) and number_text(element.vr, element.value) is not None)
    }


def _is_undecided(tag: int, data_set: DataSet) -> bool:
    # Orthanc shows no value if nothing before a tag tells whether it is US or SS.
    if tag not in US_OR_SS:
        return False
    representation = data_set.get(PIXEL_REPRESENTATION)
    return (
        tag < PIXEL_REPRESENTATION or tag in PALETTE_DESCRIPTORS or representation is None or not representation.value
    )
