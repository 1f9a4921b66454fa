"""Values of a JSON body converted to DICOM elements, VR by VR, as Orthanc does."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from orthanc_lab.dicom.decimal_text import is_decimal
from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag, is_private
from orthanc_lab.dicom.dictionary.tags import US_OR_SS
from orthanc_lab.dicom.dictionary.uid_names import uid_by_name
from orthanc_lab.dicom.dictionary.vrs import STRING_VRS
from orthanc_lab.dicom.files import data_uri
from orthanc_lab.dicom.files.charsets import Charset
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.limits import MAX_JSON_DEPTH
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["NO_DATA_GROUPS", "JsonValues", "encode_value", "is_written"]


def is_written(tag: int) -> bool:
    """Tell whether a data set may contain a tag: not the meta header, a command or a group length (PS3.5 section 7)."""
    return bool(tag & 0xFFFF) and tag >> 16 not in NO_DATA_GROUPS


NO_DATA_GROUPS = frozenset({0, 1, 2, 3, 5, 7, 0xFFFF})


@dataclass(frozen=True, slots=True)
class JsonValues:
    """How the values of one body become elements."""

    names: Dictionary
    charset: Charset
    private_creator: str = ""
    decode_binary: bool = True  # InterpretBinaryTags

    def in_charset(self, charset: Charset) -> JsonValues:
        """Return the same for a file in another character set."""
        return replace(self, charset=charset)

    def data_set(self, fields: dict[str, Any], depth: int = 0) -> DataSet:
        """Return the item of a sequence; of a tag given twice, the first in the order of the names counts."""
        result: DataSet = {}
        for name in sorted(fields):
            tag = self.names.parse_tag(name, self.private_creator)
            element = self.element(tag, fields[name], depth)
            if is_written(tag):
                result.setdefault(tag, element)
        return result

    def element(self, tag: int, value: Any, depth: int = 0) -> Element:
        """Return the element of a tag and its JSON value.

        Parameters
        ----------
        depth
            How many sequences enclose it.

        Raises
        ------
        OrthancError
            5 for a type that does not fit, 15 for a text that is not a value of the VR, or for
            sequences nested deeper than `MAX_JSON_DEPTH`.
        """
        vr = self._vr_of(tag)
        if not tag & 0xFFFF and not depth:  # a group length is computed, if it is written at all
            return Element(vr, b"")
        if tag >> 16 == 0xFFFE:  # delimiters of items, no elements of a data set
            raise _bad_type(tag)
        if isinstance(value, str):
            return Element(vr, self._text(tag, vr, value))
        if value is None:
            return Element(vr, self._null(tag, vr))
        if vr == "SQ" and isinstance(value, list):
            return Element(vr, [self._item(item, depth + 1) for item in value])
        raise _bad_type(tag)

    def _vr_of(self, tag: int) -> str:
        entry = self.names.find(tag, self.private_creator)
        if entry is None or (is_private(tag) and (not self.private_creator or entry.name.endswith("PrivateCreator"))):
            return "UN"
        return entry.vr

    def _item(self, item: Any, depth: int) -> DataSet:
        if depth > MAX_JSON_DEPTH:
            raise OrthancError(
                ErrorCode.BAD_FILE_FORMAT, f"Sequences are nested more than {MAX_JSON_DEPTH} levels deep"
            )
        if item == []:
            return {}
        if not isinstance(item, dict):
            raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
        return self.data_set(item, depth)

    def _text(self, tag: int, vr: str, value: str) -> bytes | list[DataSet]:
        if not value or not tag & 0xFFFF:
            return [] if vr == "SQ" else b""
        if vr == "AT":
            if self.decode_binary:
                data_uri.decode_known(value)  # only to refuse broken base64
            number = self.names.parse_tag(value, self.private_creator)
            return struct.pack("<HH", number >> 16, number & 0xFFFF)
        if self.decode_binary and (data := data_uri.decode_known(value)) is not None:
            return encode_value(tag, vr, data)
        return encode_value(tag, vr, self.charset.encode(value))

    def _null(self, tag: int, vr: str) -> bytes:
        if vr == "AT":
            raise OrthancError(ErrorCode.UNKNOWN_DICOM_TAG)
        if vr == "SQ" or not (vr in STRING_VRS or vr in _BINARY_VRS):
            raise _out_of_range(tag, b"")
        return b""


def encode_value(tag: int, vr: str, value: bytes) -> bytes:
    r"""Return the bytes of an element, given its text in the character set of the file.

    Parameters
    ----------
    tag
        For the message of an error.
    vr
        Value representation (PS3.5 section 6.2).
    value
        Text or raw bytes; ``\`` separates the values of numbers.

    Raises
    ------
    OrthancError
        15 with details for a text that is not a number of this VR, -1 for an odd number of
        bytes in an OW element.
    """
    if vr in STRING_VRS:
        return padded(_text_of(value), b" ")
    if vr == "UI":
        return padded(_uid_of(tag, value))
    if vr in ("OB", "UN"):
        return padded(value)
    if vr == "OW":
        if len(value) & 1:
            raise OrthancError(ErrorCode.INTERNAL_ERROR)
        return value
    pack = _NUMBERS.get(vr)
    if pack is None or (tag in US_OR_SS and b"-" in value):
        raise _out_of_range(tag, value)
    try:
        return b"".join(map(pack, value.decode("latin-1").split("\\")))
    except (ValueError, OverflowError) as error:
        raise _out_of_range(tag, value) from error


def _text_of(value: bytes) -> bytes:
    return value.split(b"\0", 1)[0].rstrip(b" ")


def _uid_of(tag: int, value: bytes) -> bytes:
    if not value.startswith(b"="):
        return b"".join(value.split(b"\0", 1)[0].split())
    uid = uid_by_name(value[1:].partition(b"\0")[0].decode("latin-1"))
    if uid is None:
        raise _out_of_range(tag, value)
    return uid.encode()


def _out_of_range(tag: int, value: bytes) -> OrthancError:
    text, mark, _ = value.partition(b"\0")  # the real server's message ends at the first NUL
    return OrthancError(
        ErrorCode.BAD_FILE_FORMAT,
        f"While creating a DICOM instance, tag ({format_tag(tag)}) has out-of-range value: "
        f'"{text.decode("utf-8", "replace")}{"" if mark else chr(34)}',
    )


def _bad_type(tag: int) -> OrthancError:
    return OrthancError(ErrorCode.BAD_PARAMETER_TYPE, f"Bad Parameter type for tag {format_tag(tag)}")


_BINARY_VRS = frozenset({"OB", "OW", "UI", "UN"})
_DECIMAL = re.compile(r"[+-]?[0-9]{1,40}\Z", re.ASCII)
_SPECIAL = re.compile(r"([+-]?)(?:(inf(?:inity)?)|nan(?:\([^)]*+\))?)\Z", re.IGNORECASE | re.ASCII)


def _integer(form: str, low: int, high: int) -> Callable[[str], bytes]:
    layout = struct.Struct(form)

    def pack(text: str) -> bytes:
        if _DECIMAL.match(text) is None:
            raise ValueError(text)
        number = int(text)
        if low == 0 and -high <= number < 0:
            number += high + 1  # the real server reads a negative number as unsigned
        if not low <= number <= high:
            raise ValueError(text)
        return layout.pack(number)

    return pack


def _float(form: str) -> Callable[[str], bytes]:
    layout = struct.Struct(form)

    def pack(text: str) -> bytes:
        special = _SPECIAL.match(text)
        if special is not None:
            return layout.pack(float(special[1] + ("inf" if special[2] else "nan")))
        if not is_decimal(text) or abs(float(text)) == float("inf"):
            raise ValueError(text)
        return layout.pack(float(text))

    return pack


_NUMBERS: dict[str, Callable[[str], bytes]] = {
    "US": _integer("<H", 0, 0xFFFF),
    "SS": _integer("<h", -0x8000, 0x7FFF),
    "UL": _integer("<I", 0, 0xFFFFFFFF),
    "OL": _integer("<I", 0, 0xFFFFFFFF),
    "SL": _integer("<i", -0x80000000, 0x7FFFFFFF),
    "FL": _float("<f"),
    "OF": _float("<f"),
    "FD": _float("<d"),
    "OD": _float("<d"),
}
