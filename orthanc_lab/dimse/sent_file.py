"""A DICOM file as C-STORE sends it: the data set stays as it is in the file."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from orthanc_lab.dicom.files.element_walk import Found, Walk, WalkError
from orthanc_lab.dicom.files.file_start import find_start
from orthanc_lab.dicom.limits import most_elements
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_BE, IMPLICIT_LE

__all__ = ["NO_SOP_CLASS", "SentFile", "read_sent_file"]

NO_SOP_CLASS = 2014
"""The error of a file without its SOP class or instance."""

_TAGS = (SOP_CLASS_UID, SOP_INSTANCE_UID)
_WANTED = {
    big: tuple(struct.pack(">HH" if big else "<HH", tag >> 16, tag & 0xFFFF) for tag in _TAGS) for big in (False, True)
}


@dataclass(frozen=True, slots=True)
class SentFile:
    """What a C-STORE request says of a file, and its data set."""

    dicom: bytes  # the whole file
    sop_class: str
    sop_instance: str
    transfer_syntax: str
    data: memoryview  # the data set


def read_sent_file(dicom: bytes) -> SentFile:
    """Find the data set of a file, and what identifies it.

    Raises
    ------
    OrthancError
        15 if it is not a complete DICOM file, 2014 if it lacks its SOP class or instance.
    """
    try:
        start = find_start(dicom)
        big = start.layout == EXPLICIT_BE
        walk = Walk(start.data, big, start.encapsulated, most_elements(len(dicom)))
        found = walk.run(start.position, _WANTED[big], implicit=start.layout == IMPLICIT_LE)
    except (WalkError, struct.error, IndexError) as error:
        message = f"Cannot parse an invalid DICOM file (size: {len(dicom)} bytes)"
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, message) from error
    sop_class, sop_instance = (_text(start.data, found.get(tag)) for tag in _WANTED[big])
    if not sop_class or not sop_instance:
        raise OrthancError(NO_SOP_CLASS)
    return SentFile(dicom, sop_class, sop_instance, start.stated or start.layout, memoryview(dicom)[start.meta_end :])


def _text(data: bytes, element: Found | None) -> str:
    return "" if element is None else data[element[2] : element[2] + element[3]].decode("latin-1").strip("\0 ")
