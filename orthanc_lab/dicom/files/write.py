"""A data set written as a file, in any transfer syntax (PS3.5 section 7 and annex A)."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.tags import (
    MEDIA_STORAGE_SOP_CLASS_UID,
    MEDIA_STORAGE_SOP_INSTANCE_UID,
    SOP_CLASS_UID,
    SOP_INSTANCE_UID,
)
from orthanc_lab.dicom.files.data_set import DataSet, encode, encode_file, encode_head, padded
from orthanc_lab.protocol.deflate import deflate_raw
from orthanc_lab.protocol.transfer_syntaxes import find_transfer_syntax

__all__ = ["write_file"]


def write_file(data_set: DataSet, syntax: str, meta: DataSet | None = None) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header.

    Parameters
    ----------
    data_set
        Its pixel data are already compressed if the transfer syntax demands it.
    syntax
        Transfer syntax UID.
    meta
        The original meta header, from which a missing SOP class or instance is taken.
    """
    sop_class = _uid(data_set, SOP_CLASS_UID) or _uid(meta or {}, MEDIA_STORAGE_SOP_CLASS_UID)
    sop_instance = _uid(data_set, SOP_INSTANCE_UID) or _uid(meta or {}, MEDIA_STORAGE_SOP_INSTANCE_UID)
    row = find_transfer_syntax(syntax)
    if row is None or not row.deflated:
        return encode_file(data_set, syntax, sop_class, sop_instance)
    body = padded(deflate_raw(b"".join(encode(data_set, syntax))))
    return encode_head(syntax, sop_class, sop_instance) + body


def _uid(data_set: DataSet, tag: int) -> str:
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return element.value.rstrip(b"\0 ").decode("latin-1")
