"""The header of a DICOM file as pydicom reads it, to judge the scan."""

from __future__ import annotations

import warnings
from collections.abc import Collection
from io import BytesIO
from typing import Any

import pydicom
from pydicom.multival import MultiValue

TEXT = frozenset({"AE", "AS", "CS", "DA", "DS", "DT", "IS", "LO", "LT", "PN", "SH", "ST", "TM", "UC", "UI", "UR", "UT"})
NUMBERS = frozenset({"US", "SS", "UL", "SL", "FL", "FD"})


def judged_tags(dicom: bytes, wanted: Collection[str]) -> dict[str, str]:
    """Return the wanted tags that have a text, as Orthanc writes it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(BytesIO(dicom), force=True)
        data_set.decode()
        tags = {}
        for name in wanted:
            tag = (int(name[:4], 16), int(name[5:], 16))
            if tag in data_set:
                text = _text(data_set[tag].VR, data_set[tag].value)
                if text is not None and len(text.encode()) <= 256:
                    tags[name] = text
    return tags


def judged_offset(dicom: bytes) -> int | None:
    """Return where the pixel data start; None if there are none, or deflated."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        data_set = pydicom.dcmread(BytesIO(dicom), force=True)
        if "PixelData" not in data_set or "TransferSyntaxUID" not in data_set.file_meta:
            return None  # Orthanc has no offset without a transfer syntax
        if data_set.file_meta.TransferSyntaxUID.is_deflated:
            return None
        element = data_set.get_item("PixelData")
        assert element is not None
        long_form = not data_set.file_meta.TransferSyntaxUID.is_implicit_VR
        position: int = getattr(element, "value_tell", None) or element.file_tell  # type: ignore[union-attr]
        return position - (12 if long_form else 8)


def _text(vr: str, value: Any) -> str | None:
    if vr in TEXT:
        if value is None:
            return ""
        if isinstance(value, (MultiValue, list)):
            return "\\".join(_one(item) for item in value).rstrip(" ")
        return _one(value).rstrip(" ")
    if vr in NUMBERS and value is not None and value != "":
        items = value if isinstance(value, (MultiValue, list)) else [value]
        return "\\".join(f"{item:.17g}" for item in items) or None
    return None


def _one(value: Any) -> str:
    written = getattr(value, "original_string", None)  # of a name it is bytes
    return "" if value is None else written if isinstance(written, str) and written else str(value)
