"""A data set in the DICOM JSON model (PS3.18 annex F) and as Native DICOM Model (PS3.19 annex A.1)."""

from __future__ import annotations

import base64
import math
import re
import struct
import uuid
from collections.abc import Iterable, Iterator
from html import escape
from itertools import chain
from typing import Any

from orthanc_lab.dicom.decimal_text import is_decimal
from orthanc_lab.dicom.dictionary.dictionary import UNKNOWN_NAME, Dictionary
from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS
from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.read import DicomFile, creator_of
from orthanc_lab.dicom.files.text import TextDecoder, decoder_of, text_bytes
from orthanc_lab.dicom.limits import most_values
from orthanc_lab.protocol import house_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.xml_text import xml_text

__all__ = ["dicom_json", "dicom_xml", "has_many_values"]

_NUMBERS = {"US": "H", "SS": "h", "UL": "I", "SL": "i", "OL": "I", "FL": "f", "OF": "f", "FD": "d", "OD": "d"}
_BINARY = frozenset({"OB", "OW", "UN"})
_FLOATS = frozenset({"FL", "OF", "FD", "OD"})
_NAME_GROUPS = ("Alphabetic", "Ideographic", "Phonetic")
_NAME_PARTS = ("FamilyName", "GivenName", "MiddleName", "NamePrefix", "NameSuffix")
_LONG = 100_000  # bytes of an element whose values are written one after the other
_MANY = 500_000
_PIECE = 1 << 18  # characters
_INTEGER = re.compile(r"\s*([+-]?[0-9]{1,12})\s*\Z", re.ASCII)

_XML_HEAD = (
    '<?xml version="1.0" encoding="utf-8"?>\n'
    '<NativeDicomModel xmlns="http://dicom.nema.org/PS3.19/models/NativeDICOM" '
    'xsi:schemaLocation="http://dicom.nema.org/PS3.19/models/NativeDICOM" '
    'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'
)


def dicom_json(file: DicomFile, dictionary: Dictionary, default_encoding: str = "Latin1") -> Iterator[str]:
    """Return the pieces of the data set in the DICOM JSON model; compressed pixel data are left out.

    Raises
    ------
    OrthancError
        15 for a deflated data set of far more values than were sent.
    """
    _check_values(file)
    return _joined(_json_text(file.data_set, dictionary, _decoder(file, default_encoding)))


def dicom_xml(file: DicomFile, dictionary: Dictionary, default_encoding: str = "Latin1") -> Iterator[str]:
    """Return the pieces of the data set as an XML document; compressed pixel data are left out.

    Raises
    ------
    OrthancError
        As `dicom_json`.
    """
    _check_values(file)
    body = _xml_of(file.data_set, dictionary, _decoder(file, default_encoding), "  ")
    return _joined(chain((_XML_HEAD,), body, ("</NativeDicomModel>\n",)))


def has_many_values(file: DicomFile) -> bool:
    """Return whether its document is to be written in pieces: it would take a hundred times what it is in the file."""
    return _count_values(file.data_set) > _MANY


def _joined(pieces: Iterable[str]) -> Iterator[str]:
    waiting: list[str] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= _PIECE:
            yield "".join(waiting)
            waiting, size = [], 0
    yield "".join(waiting)


def _check_values(file: DicomFile) -> None:
    if file.deflated_size is not None and _count_values(file.data_set) > most_values(file.deflated_size):
        details = "The deflated data set has too many values to be shown one by one: ask for the DICOM file"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, details)


def _count_values(data_set: DataSet) -> int:
    count = 0
    for element in data_set.values():
        if isinstance(element.value, list):
            count += sum(map(_count_values, element.value))
        elif isinstance(element.value, bytes):
            code = "I" if element.vr == "AT" else _NUMBERS.get(element.vr)
            count += len(element.value) // struct.calcsize(code) if code else element.value.count(b"\\")
    return count


def _decoder(file: DicomFile, default_encoding: str) -> TextDecoder:
    element = file.data_set.get(SPECIFIC_CHARACTER_SET)
    value = element.value if element is not None else None
    return decoder_of(value if isinstance(value, bytes) else None, default_encoding)


def _json_text(data_set: DataSet, dictionary: Dictionary, decode: TextDecoder) -> Iterator[str]:
    long: dict[str, Iterator[Any]] = {}
    text = house_json.dumps(_json_of(data_set, dictionary, decode, long), indent="\t") + "\n"
    start = 0
    for mark, values in long.items():
        quoted = f'"{mark}"'
        end = text.index(quoted, start)
        yield text[start:end]
        line = text[text.rindex("\n", start, end) : end]
        comma = ""
        for value in values:
            yield comma + house_json.dumps(value, indent="\t").replace("\n", line)
            comma = "," + line
        start = end + len(quoted)
    yield text[start:]


def _json_of(
    data_set: DataSet, dictionary: Dictionary, decode: TextDecoder, long: dict[str, Iterator[Any]]
) -> dict[str, Any]:
    """Return the model, with marks in the place of long lists of values, which are added to `long` in their order."""
    found = {}
    for tag, vr, _, element in _shown(data_set, dictionary):
        member: dict[str, Any] = {"vr": vr}
        if isinstance(element.value, list):
            if element.value:
                member["Value"] = [_json_of(item, dictionary, decode, long) for item in element.value]
        elif isinstance(element.value, bytes) and element.value:
            if vr in _BINARY:
                member["InlineBinary"] = base64.b64encode(element.value).decode()
            elif len(element.value) > _LONG:
                mark = uuid.uuid4().hex
                long[mark] = _values(vr, element.value, decode)
                member["Value"] = [mark]
            else:
                member["Value"] = list(_values(vr, element.value, decode))
        found[f"{tag:08X}"] = member
    return found


def _shown(data_set: DataSet, dictionary: Dictionary) -> Iterator[tuple[int, str, str, Element]]:
    """Yield tag, VR, keyword and element of what the models can show."""
    for tag in sorted(data_set):
        element = data_set[tag]
        entry = dictionary.find(tag, creator_of(tag, data_set) or "")
        vr = element.vr
        if vr == "UN" and entry is not None and entry.vr in TEXT_VRS:
            vr = entry.vr
        is_shown = isinstance(element.value, list) or (
            isinstance(element.value, bytes) and (vr in TEXT_VRS or vr in _NUMBERS or vr in _BINARY or vr == "AT")
        )
        if is_shown:
            keyword = "" if entry is None or entry.name == UNKNOWN_NAME else entry.name
            public = not tag & 0x10000 or 0x10 <= tag & 0xFFFF <= 0xFF
            yield tag, vr, keyword if public else "", element


def _values(vr: str, value: bytes, decode: TextDecoder) -> Iterator[Any]:
    code = "HH" if vr == "AT" else _NUMBERS.get(vr)
    if code:
        size = struct.calcsize(code)
        for numbers in struct.iter_unpack("<" + code, memoryview(value)[: len(value) // size * size]):
            yield "{:04X}{:04X}".format(*numbers) if vr == "AT" else numbers[0]
        return
    text = decode(text_bytes(value))
    if vr == "UI":
        text = text.replace(" ", "")
    for part in text.split("\\") if len(text) <= _LONG else _split(text):
        if vr == "PN":
            yield _name_groups(part)
        elif not part:
            yield None
        elif vr == "IS":
            if match := _INTEGER.match(part):
                yield int(match[1])
        elif vr == "DS":
            if is_decimal(part.strip()):
                yield part.strip().rstrip(".")
        else:
            yield part


def _split(text: str) -> Iterator[str]:
    start = 0
    while (end := text.find("\\", start)) >= 0:
        yield text[start:end]
        start = end + 1
    yield text[start:]


def _name_groups(text: str) -> dict[str, str]:
    return dict(zip(_NAME_GROUPS, text.split("=", len(_NAME_GROUPS)), strict=False)) if text else {}


def _xml_of(data_set: DataSet, dictionary: Dictionary, decode: TextDecoder, indent: str) -> Iterator[str]:
    for tag, vr, keyword, element in _shown(data_set, dictionary):
        start = f'{indent}<DicomAttribute tag="{tag:08X}" vr="{vr}"' + (f' keyword="{keyword}"' if keyword else "")
        inner = _xml_value(vr, element, dictionary, decode, indent + "  ")
        yield from _xml_element(start, inner, f"{indent}</DicomAttribute>\n")


def _xml_value(vr: str, element: Element, dictionary: Dictionary, decode: TextDecoder, indent: str) -> Iterator[str]:
    value = element.value
    if isinstance(value, list):
        for number, item in enumerate(value, 1):
            inner = _xml_of(item, dictionary, decode, indent + "  ")
            yield from _xml_element(f'{indent}<Item number="{number}"', inner, f"{indent}</Item>\n")
    elif isinstance(value, bytes) and value:
        if vr in _BINARY:
            yield f"{indent}<InlineBinary>{base64.b64encode(value).decode()}</InlineBinary>\n"
            return
        for number, one in enumerate(_values(vr, value, decode), 1):
            if vr == "PN":
                yield from _xml_name(one, number, indent)
            elif one is None:
                yield f'{indent}<Value number="{number}" />\n'
            else:
                yield f'{indent}<Value number="{number}">{_xml_text(_float(one) if vr in _FLOATS else one)}</Value>\n'


def _xml_element(start: str, inner: Iterator[str], end: str) -> Iterator[str]:
    first = next(inner, None)
    if first is None:
        yield f"{start} />\n"
        return
    yield f"{start}>\n{first}"
    yield from inner
    yield end


def _xml_name(groups: dict[str, str], number: int, indent: str) -> Iterator[str]:
    if not groups:
        return
    yield f'{indent}<PersonName number="{number}">\n'
    for group, name in groups.items():
        yield f"{indent}  <{group}>\n"
        for part, text in zip(_NAME_PARTS, name.split("^", len(_NAME_PARTS)), strict=False):
            yield f"{indent}    <{part}>{_xml_text(text)}</{part}>\n"
        yield f"{indent}  </{group}>\n"
    yield f"{indent}</PersonName>\n"


def _xml_text(value: object) -> str:
    return escape(xml_text(str(value), ""), quote=False)


def _float(value: float) -> str:
    # Single precision, as Orthanc writes numbers into XML.
    try:
        return f"{struct.unpack('<f', struct.pack('<f', value))[0]:.9g}"
    except OverflowError:
        return "inf" if value > 0 or math.isnan(value) else "-inf"
