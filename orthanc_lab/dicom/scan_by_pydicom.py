"""The header as pydicom reads it: for the files that the scanner leaves to it."""

from __future__ import annotations

from collections.abc import Collection
from io import BytesIO
from typing import Any

import pydicom
from pydicom.multival import MultiValue

from orthanc_lab.dicom.scan import DicomHeader
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["scan_by_pydicom"]


def scan_by_pydicom(dicom: bytes, wanted: Collection[str]) -> DicomHeader:
    """Read the header of a DICOM file; see `orthanc_lab.dicom.scan.scan`."""
    try:
        dataset = pydicom.dcmread(BytesIO(dicom), stop_before_pixels=True, force=False)
    except Exception as error:
        raise OrthancError(
            ErrorCode.BAD_FILE_FORMAT, f"Cannot parse an invalid DICOM file (size: {len(dicom)} bytes)"
        ) from error
    dataset.decode()
    tags = {}
    for tag in wanted:
        group, element = tag.split(",")
        found = dataset.get((int(group, 16), int(element, 16)))
        if found is not None and found.VR != "SQ":
            tags[tag] = _text(found.value)
    meta = dataset.file_meta
    offset = dicom.find(b"\xe0\x7f\x10\x00")
    return DicomHeader(
        tags,
        str(meta.get("TransferSyntaxUID", "")),
        str(dataset.get("SOPClassUID", "")),
        offset if offset >= 0 else None,
        dicom[offset + 4 : offset + 6].decode("latin-1") if offset >= 0 else "",
    )


def _text(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (MultiValue, list)):
        return "\\".join(_text(item) for item in value)
    return str(getattr(value, "original_string", None) or value).rstrip(" \0")
