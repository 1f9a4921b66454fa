"""What a DICOMDIR tells about one file, read from the file as plain bytes.

The values keep the character set of their file: they are copied, not decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.element_walk import Found, Walk, WalkError
from orthanc_lab.dicom.files.file_start import find_start
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, IMPLICIT_LE

__all__ = ["DirectoryEntry", "read_entry", "read_entry_of_start"]

_WANTED = (
    *(tags.SPECIFIC_CHARACTER_SET, tags.SOP_CLASS_UID, tags.SOP_INSTANCE_UID),
    *(
        tags.STUDY_DATE,
        tags.SERIES_DATE,
        tags.ACQUISITION_DATE,
        tags.CONTENT_DATE,
        tags.STUDY_TIME,
        tags.SERIES_TIME,
        tags.ACQUISITION_TIME,
        tags.CONTENT_TIME,
    ),
    *(
        tags.ACCESSION_NUMBER,
        tags.MODALITY,
        tags.STUDY_DESCRIPTION,
        tags.SERIES_DESCRIPTION,
        tags.PATIENT_NAME,
        tags.PATIENT_ID,
    ),
    *(tags.STUDY_INSTANCE_UID, tags.SERIES_INSTANCE_UID, tags.STUDY_ID, tags.SERIES_NUMBER, tags.INSTANCE_NUMBER),
)
_BY_BYTES = {
    big: {struct.pack(">HH" if big else "<HH", tag >> 16, tag & 0xFFFF): tag for tag in _WANTED}
    for big in (False, True)
}
_PIXEL_DATA = b"\xe0\x7f\x10\x00"
_TRANSFER_SYNTAX = b"\x02\x00\x10\x00"
_LONGEST = 256  # bytes; Orthanc leaves longer values out


@dataclass(frozen=True, slots=True)
class DirectoryEntry:
    """The values that a DICOMDIR copies from a file."""

    values: Mapping[int, bytes]  # by tag; as encoded in the file, without padding
    transfer_syntax: bytes  # UID

    def get(self, tag: int) -> bytes:
        """Return a value; empty if it is absent."""
        return self.values.get(tag, b"")


def read_entry(dicom: bytes) -> DirectoryEntry:
    """Read what a DICOMDIR needs of a DICOM file (PS3.10).

    Raises
    ------
    OrthancError
        15 if it is not a complete DICOM file, or has no meta header or SOP class.
    """
    try:
        syntax = _stated_transfer_syntax(dicom)
        start = find_start(dicom)
        names = _BY_BYTES[start.layout == EXPLICIT_BE]
        walk = Walk(start.data, start.layout == EXPLICIT_BE, start.encapsulated)
        found = walk.run(start.position, names, implicit=start.layout == IMPLICIT_LE)
    except (WalkError, struct.error, IndexError) as error:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT) from error
    values = {names[tag]: _value(start.data, element) for tag, element in found.items()}
    if not syntax or not values.get(tags.SOP_CLASS_UID):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return DirectoryEntry(values, syntax)


def _value(data: bytes, element: Found) -> bytes:
    _, _, position, length = element
    value = data[position : position + length].rstrip(b" \0")
    return value if len(value) <= _LONGEST else b""


def _stated_transfer_syntax(dicom: bytes) -> bytes:
    """Return the transfer syntax in the meta header; a file without one is not allowed on a medium (PS3.10)."""
    if dicom[128:132] != b"DICM":
        return b""
    found, _ = Walk(dicom, False, False).run_meta(132, (_TRANSFER_SYNTAX,))
    stated = found.get(_TRANSFER_SYNTAX)
    return b"" if stated is None else _value(dicom, stated)


def read_entry_of_start(beginning: bytes) -> DirectoryEntry | None:
    """Do the same with the beginning of a file; None if that is not enough.

    The header must be there up to the pixel data. What follows is ignored.
    """
    position = beginning.find(_PIXEL_DATA)
    while position >= 0:
        try:
            # Cut anywhere but between two elements of the data set, it is refused.
            return read_entry(beginning[:position])
        except OrthancError:
            position = beginning.find(_PIXEL_DATA, position + 1)
    return None
