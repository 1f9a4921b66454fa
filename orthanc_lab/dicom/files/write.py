"""A data set written as a file, in any transfer syntax (PS3.5 section 7 and annex A)."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary.tags import SOP_CLASS_UID, SOP_INSTANCE_UID
from orthanc_lab.dicom.files.data_set import NO_SOP_CLASS, DataSet, encode, encode_file, encode_head, padded
from orthanc_lab.dicom.files.values import NO_DATA_GROUPS
from orthanc_lab.protocol.deflate import deflate_raw
from orthanc_lab.protocol.transfer_syntaxes import EXPLICIT_LE, find_transfer_syntax

__all__ = ["write_file"]

_FIRST_GROUP = 8  # before it there may be groups that no data set has


def write_file(data_set: DataSet, syntax: str) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header.

    Parameters
    ----------
    data_set
        Its pixel data are already compressed if the transfer syntax demands it.
    syntax
        Transfer syntax UID; for an unknown one, the file has Explicit VR Little Endian.
    """
    row = find_transfer_syntax(syntax)
    if row is None:
        syntax = EXPLICIT_LE
    if data_set and min(data_set) >> 16 < _FIRST_GROUP:
        data_set = {tag: element for tag, element in data_set.items() if tag >> 16 not in NO_DATA_GROUPS}
    sop_class = _uid(data_set, SOP_CLASS_UID) if SOP_CLASS_UID in data_set else NO_SOP_CLASS
    sop_instance = _uid(data_set, SOP_INSTANCE_UID)
    if row is None or not row.deflated:
        return encode_file(data_set, syntax, sop_class, sop_instance)
    body = padded(deflate_raw(b"".join(encode(data_set, syntax))))
    return encode_head(syntax, sop_class, sop_instance) + body


def _uid(data_set: DataSet, tag: int) -> str:
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return element.value.rstrip(b"\0 ").decode("latin-1")
