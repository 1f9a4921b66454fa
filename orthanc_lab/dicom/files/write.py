"""A data set written as a file, in any transfer syntax (PS3.5 section 7 and annex A)."""

from __future__ import annotations

from orthanc_lab.dicom.files.data_set import DataSet, encode, encode_file, padded
from orthanc_lab.dicom.files.deflate import deflate_raw
from orthanc_lab.dicom.files.read import DEFLATED

__all__ = ["write_file"]

_SOP_CLASS = 0x00080016
_SOP_INSTANCE = 0x00080018


def write_file(data_set: DataSet, syntax: str, meta: DataSet | None = None) -> bytes:
    """Write a DICOM file (Part 10) with a fresh meta header.

    Parameters
    ----------
    data_set
        Its pixel data are compressed already, where the transfer syntax says so.
    syntax
        Transfer syntax UID.
    meta
        The meta header the data set came with: its class and instance stand in for missing ones.
    """
    sop_class = _uid(data_set, _SOP_CLASS) or _uid(meta or {}, 0x00020002)
    sop_instance = _uid(data_set, _SOP_INSTANCE) or _uid(meta or {}, 0x00020003)
    head = encode_file({}, syntax, sop_class, sop_instance)
    body = b"".join(encode(data_set, syntax))
    if syntax == DEFLATED:
        body = padded(deflate_raw(body))
    return head + body


def _uid(data_set: DataSet, tag: int) -> str:
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, bytes):
        return ""
    return element.value.rstrip(b"\0 ").decode("latin-1")
