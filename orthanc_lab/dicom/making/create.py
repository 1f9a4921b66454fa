"""New DICOM files from tags and a content (``/tools/create-dicom``)."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.dictionary import format_tag, is_private
from orthanc_lab.dicom.files.charsets import Charset, by_term
from orthanc_lab.dicom.files.data_set import NO_SOP_CLASS, DataSet, Element, encode_file, padded
from orthanc_lab.dicom.files.values import JsonValues, is_written
from orthanc_lab.dicom.making import content
from orthanc_lab.protocol.errors import UNHANDLED, ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.memory_budget import Reservation
from orthanc_lab.protocol.ports import Identifiers
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE

__all__ = ["Draft", "charset_of_tags", "fresh_identifiers", "generated_tags", "series_tags"]


_JPEG_BASELINE = "1.2.840.10008.1.2.4.50"

_DATES = {
    Level.STUDY: (tags.STUDY_DATE, tags.STUDY_TIME),
    Level.SERIES: (tags.SERIES_DATE, tags.SERIES_TIME),
}
_INSTANCE_DATES = (
    (tags.INSTANCE_CREATION_DATE, tags.INSTANCE_CREATION_TIME),
    (tags.ACQUISITION_DATE, tags.ACQUISITION_TIME),
    (tags.CONTENT_DATE, tags.CONTENT_TIME),
)
_FREE = frozenset({tags.PATIENT_ID, *(tag for pair in (*_DATES.values(), *_INSTANCE_DATES) for tag in pair)})
"""Generated or inherited tags which the body may always override."""


class Draft:
    """A new DICOM file that is being created.

    Parameters
    ----------
    values
        How the values of the body become elements.
    data_set
        What precedes the body: generated and inherited tags.
    memory
        To which the memory of decoded pictures is added.
    force
        Whether the body may override them (``Force``).
    """

    def __init__(self, values: JsonValues, data_set: DataSet, memory: Reservation, *, force: bool = False) -> None:
        self.data_set = data_set
        self._memory = memory
        self._values = values
        self._force = force
        self._transfer_syntax = EXPLICIT_LE

    def copy(self, memory: Reservation) -> Draft:
        """Return an independent copy of the draft, for one instance of a series."""
        return Draft(self._values, dict(self.data_set), memory, force=self._force)

    def apply(self, fields: Mapping[str, Any]) -> None:
        """Set the tags of a body, in the order of their names.

        Raises
        ------
        OrthancError
            2020 for a tag that is already present and needs ``Force``, 2021 for PixelData, 27 for
            an unknown tag, else as `JsonValues.element`.
        """
        for name in sorted(fields):
            tag = self._values.names.parse_tag(name, self._values.private_creator)
            if tag == tags.PIXEL_DATA:
                raise OrthancError(ErrorCode.CREATE_DICOM_USE_CONTENT)
            if tag == tags.SPECIFIC_CHARACTER_SET:
                continue
            if tag == tags.SOP_CLASS_UID and not isinstance(fields[name], str):
                raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
            if (
                (tag in self.data_set or tag == tags.MEDIA_STORAGE_SOP_INSTANCE_UID)
                and tag not in _FREE
                and not self._force
            ):
                raise OrthancError(ErrorCode.CREATE_DICOM_OVERRIDE_TAG, name)
            self.put(tag, fields[name])

    def apply_legacy(self, fields: Mapping[str, Any]) -> None:
        """Set the tags of a body without ``Tags``: text only, and a data URI as PixelData.

        Raises
        ------
        OrthancError
            2019 for a value that is not text, else as `apply`.
        """
        for name in sorted(fields):
            value = fields[name]
            if not isinstance(value, str):
                raise OrthancError(ErrorCode.CREATE_DICOM_NOT_STRING)
            tag = self._values.names.parse_tag(name)
            if is_private(tag):
                message = f"Cannot apply this function to private tags: {format_tag(tag)}"
                raise OrthancError(ErrorCode.INTERNAL_ERROR, message)
            if tag == tags.PIXEL_DATA:
                content.embed(self.data_set, value, self._memory)
            else:
                self.put(tag, value)

    def put(self, tag: int, value: Any) -> None:
        """Set a tag to a JSON value; an encapsulated document given as a data URI is embedded."""
        if tag == tags.ENCAPSULATED_DOCUMENT and self._values.decode_binary and content.is_data_uri(value):
            content.embed(self.data_set, value, self._memory)
            return
        element = self._values.element(tag, value)
        if is_written(tag):
            self.data_set[tag] = element

    def embed(self, uri: str | memoryview) -> None:
        """Put the content of a data URI into the file, whose tags are complete; `to_bytes` decodes a picture.

        Raises
        ------
        OrthancError
            As `content.embed`; `to_bytes` too.
        """
        content.embed(self.data_set, uri, self._memory, at_once=False)

    def encapsulate(self, uri: str | memoryview) -> None:
        """Put the bytes of a JPEG file into the file as they are."""
        content.encapsulate(self.data_set, uri)
        self._transfer_syntax = _JPEG_BASELINE

    def to_bytes(self) -> bytes:
        """Return the DICOM file (Part 10)."""
        sop_class = self._uid(tags.SOP_CLASS_UID) if tags.SOP_CLASS_UID in self.data_set else NO_SOP_CLASS
        return encode_file(self.data_set, self._transfer_syntax, sop_class, self._uid(tags.SOP_INSTANCE_UID))

    def _uid(self, tag: int) -> str:
        element = self.data_set.get(tag)
        value = b"" if element is None else element.value
        return value.rstrip(b"\0").decode("latin-1") if isinstance(value, bytes) else ""


def charset_of_tags(fields: Mapping[str, Any], default: Charset) -> Charset:
    """Return the character set that the tags of a body ask for, by the keyword alone.

    Raises
    ------
    OrthancError
        3 ``Unknown specific character set: X``, -1 if it is not text.
    """
    if "SpecificCharacterSet" not in fields:
        return default
    term = fields["SpecificCharacterSet"]
    if not isinstance(term, str):
        raise OrthancError(ErrorCode.INTERNAL_ERROR, UNHANDLED)
    charset = by_term(term)
    if charset is None:
        raise OrthancError(
            ErrorCode.PARAMETER_OUT_OF_RANGE, "Unknown specific character set: " + term.partition("\0")[0]
        )
    return charset


def fresh_identifiers(identifiers: Identifiers, level: Level | None = None) -> DataSet:
    """Return new identifiers for the levels below `level` (all four for None)."""
    depth = -1 if level is None else level.depth
    data_set: DataSet = {tags.SOP_INSTANCE_UID: _text("UI", identifiers.uid())}
    if depth < Level.PATIENT.depth:
        data_set[tags.PATIENT_ID] = _text("LO", identifiers.uuid())
    if depth < Level.STUDY.depth:
        data_set[tags.STUDY_INSTANCE_UID] = _text("UI", identifiers.uid())
    if depth < Level.SERIES.depth:
        data_set[tags.SERIES_INSTANCE_UID] = _text("UI", identifiers.uid())
    return data_set


def generated_tags(now: datetime, charset: Charset, level: Level | None = None) -> DataSet:
    """Return the charset and the dates and times of a new instance below a parent of `level`.

    The parent gives those of the study and the series if it has that level.
    """
    depth = -1 if level is None else level.depth
    date, time = _text("DA", now.strftime("%Y%m%d")), _text("TM", now.strftime("%H%M%S.000000"))
    pairs = [*_INSTANCE_DATES, *(pair for own, pair in _DATES.items() if depth < own.depth)]
    data_set = charset.declaration()
    for date_tag, time_tag in pairs:
        data_set[date_tag] = date
        data_set[time_tag] = time
    return data_set


def series_tags(number: int, count: int) -> DataSet:
    """Return the tags of one instance among those created together (``Content`` is an array)."""
    return {
        tags.INSTANCE_NUMBER: _text("IS", str(number)),
        tags.NUMBER_OF_TEMPORAL_POSITIONS: _text("IS", "1"),
        tags.IMAGES_IN_ACQUISITION: _text("IS", str(count)),
        tags.IMAGE_INDEX: Element("US", struct.pack("<H", number & 0xFFFF)),
    }


def _text(vr: str, text: str) -> Element:
    return Element(vr, padded(text.encode("ascii"), b"\0" if vr == "UI" else b" "))
