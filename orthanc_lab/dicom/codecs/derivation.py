"""What a compressed image says of its origin (PS3.3 sections C.7.6.1.1.5 and C.12.4)."""

from __future__ import annotations

from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.text import text_bytes

__all__ = ["describe_derivation", "describe_lossy"]

_IMAGE_TYPE = 0x00080008
_SOP_CLASS, _SOP_INSTANCE = 0x00080016, 0x00080018
_DERIVATION_DESCRIPTION, _SOURCE_IMAGES, _DERIVATION_CODE = 0x00082111, 0x00082112, 0x00089215
_LOSSY, _RATIO, _METHOD = 0x00282110, 0x00282112, 0x00282114
_MAX_ST = 1024


def describe_lossy(data_set: DataSet, text: str, method: str, ratio: float, sop_instance: str) -> None:
    """Mark a data set as derived by a lossy compression.

    Parameters
    ----------
    data_set
        Changed in place.
    text
        For Derivation Description; what stood there follows in brackets.
    method
        Defined term of Lossy Image Compression Method.
    ratio
        Size of the native pixel data to that of the compressed ones.
    sop_instance
        New SOP Instance UID; the old one becomes the source image.
    """
    source: DataSet = {
        0x00081150: Element("UI", _value(data_set, _SOP_CLASS)),
        0x00081155: Element("UI", _value(data_set, _SOP_INSTANCE)),
        0x0040A170: Element("SQ", [_code("121320", "Uncompressed predecessor")]),
    }
    data_set[_SOURCE_IMAGES] = Element("SQ", [*_items(data_set, _SOURCE_IMAGES), source])
    lossy = _code("113040", "Lossy Compression")
    data_set[_DERIVATION_CODE] = Element("SQ", [*_items(data_set, _DERIVATION_CODE), lossy])
    data_set[_SOP_INSTANCE] = Element("UI", padded(sop_instance.encode()))
    _mark_derived(data_set)
    describe_derivation(data_set, text)
    data_set[_LOSSY] = _text("CS", "01")
    data_set[_RATIO] = _added(data_set, _RATIO, "DS", f"{ratio:.5g}")
    data_set[_METHOD] = _added(data_set, _METHOD, "CS", method)


def describe_derivation(data_set: DataSet, text: str) -> None:
    """Put a text in front of Derivation Description; what stood there follows in brackets."""
    description = text.encode()
    before = text_bytes(_value(data_set, _DERIVATION_DESCRIPTION))
    if before:
        description += b" [" + before + b"]"
    data_set[_DERIVATION_DESCRIPTION] = Element("ST", padded(description[:_MAX_ST], b" "))


def _code(value: str, meaning: str) -> DataSet:
    return {0x00080100: _text("SH", value), 0x00080102: _text("SH", "DCM"), 0x00080104: _text("LO", meaning)}


def _mark_derived(data_set: DataSet) -> None:
    before = text_bytes(_value(data_set, _IMAGE_TYPE))
    if before:
        values = [b"DERIVED", *before.split(b"\\")[1:]]
        data_set[_IMAGE_TYPE] = Element("CS", padded(b"\\".join(values), b" "))


def _added(data_set: DataSet, tag: int, vr: str, value: str) -> Element:
    before = text_bytes(_value(data_set, tag))
    return Element(vr, padded(before + b"\\" + value.encode() if before else value.encode(), b" "))


def _text(vr: str, value: str) -> Element:
    return Element(vr, padded(value.encode(), b" "))


def _value(data_set: DataSet, tag: int) -> bytes:
    element = data_set.get(tag)
    return element.value if element is not None and isinstance(element.value, bytes) else b""


def _items(data_set: DataSet, tag: int) -> list[DataSet]:
    element = data_set.get(tag)
    return element.value if element is not None and isinstance(element.value, list) else []
