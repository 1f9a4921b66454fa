"""How a compressed image tells its origin (PS3.3 sections C.7.6.1.1.5 and C.12.4)."""

from __future__ import annotations

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.dicom.files.text import text_bytes

__all__ = ["describe_derivation", "describe_lossy"]

_MAX_ST = 1024


def describe_lossy(data_set: DataSet, text: str, method: str, ratio: float, sop_instance: str) -> None:
    """Mark a data set as derived by a lossy compression.

    Parameters
    ----------
    data_set
        Changed in place.
    text
        For Derivation Description; the previous text follows in brackets.
    method
        Defined term of Lossy Image Compression Method.
    ratio
        Size of the native pixel data divided by that of the compressed ones.
    sop_instance
        New SOP Instance UID; the old one becomes the source image, if it has a SOP Class UID.
    """
    if sop_class := _value(data_set, tags.SOP_CLASS_UID):
        source: DataSet = {
            tags.REFERENCED_SOP_CLASS_UID: Element("UI", sop_class),
            tags.REFERENCED_SOP_INSTANCE_UID: Element("UI", _value(data_set, tags.SOP_INSTANCE_UID)),
            tags.PURPOSE_OF_REFERENCE_CODE_SEQUENCE: Element("SQ", [_code("121320", "Uncompressed predecessor")]),
        }
        data_set[tags.SOURCE_IMAGE_SEQUENCE] = Element("SQ", [source])
    data_set[tags.DERIVATION_CODE_SEQUENCE] = Element("SQ", [_code("113040", "Lossy Compression")])
    data_set[tags.SOP_INSTANCE_UID] = Element("UI", padded(sop_instance.encode()))
    _mark_derived(data_set)
    describe_derivation(data_set, text)
    data_set[tags.LOSSY_IMAGE_COMPRESSION] = _text("CS", "01")
    ratios = _values(data_set, tags.LOSSY_IMAGE_COMPRESSION_RATIO)
    methods = _values(data_set, tags.LOSSY_IMAGE_COMPRESSION_METHOD)
    missing = [""] * (len(ratios) - len(methods))  # each ratio has its method
    data_set[tags.LOSSY_IMAGE_COMPRESSION_RATIO] = _text("DS", "\\".join([*ratios, f"{ratio:.5g}"]))
    data_set[tags.LOSSY_IMAGE_COMPRESSION_METHOD] = _text("CS", "\\".join([*methods, *missing, method]))


def describe_derivation(data_set: DataSet, text: str) -> None:
    """Put a text in front of Derivation Description; the previous text follows in brackets."""
    description = text.encode()
    before = text_bytes(_value(data_set, tags.DERIVATION_DESCRIPTION))
    if before:
        description += b" [" + before + b"]"
    data_set[tags.DERIVATION_DESCRIPTION] = Element("ST", padded(description[:_MAX_ST], b" "))


def _code(value: str, meaning: str) -> DataSet:
    return {
        tags.CODE_VALUE: _text("SH", value),
        tags.CODING_SCHEME_DESIGNATOR: _text("SH", "DCM"),
        tags.CODE_MEANING: _text("LO", meaning),
    }


def _mark_derived(data_set: DataSet) -> None:
    before = text_bytes(_value(data_set, tags.IMAGE_TYPE))
    if before:
        first, *others = before.split(b"\\")
        values = [first if first.strip() == b"DERIVED" else b"DERIVED", *others]
        data_set[tags.IMAGE_TYPE] = Element("CS", padded(b"\\".join(values), b" "))


def _values(data_set: DataSet, tag: int) -> list[str]:
    text = text_bytes(_value(data_set, tag)).decode("latin-1")
    return text.split("\\") if text else []


def _text(vr: str, value: str) -> Element:
    return Element(vr, padded(value.encode("latin-1"), b" "))


def _value(data_set: DataSet, tag: int) -> bytes:
    element = data_set.get(tag)
    return element.value if element is not None and isinstance(element.value, bytes) else b""
