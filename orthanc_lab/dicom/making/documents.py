"""Documents wrapped in DICOM: PDF and the 3D models (PS3.3 C.24.2)."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.tags import (
    CONVERSION_TYPE,
    ENCAPSULATED_DOCUMENT,
    MIME_TYPE_OF_ENCAPSULATED_DOCUMENT,
    MODALITY,
    SOP_CLASS_UID,
)
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["DOCUMENTS", "embed_document"]


@dataclass(frozen=True, slots=True)
class _Kind:
    sop_class: str
    modality: str
    conversion_type: str = ""


DOCUMENTS: dict[str, _Kind] = {
    "application/pdf": _Kind("1.2.840.10008.5.1.4.1.1.104.1", "OT", "WSD"),
    "model/stl": _Kind("1.2.840.10008.5.1.4.1.1.104.3", "M3D"),
    "model/obj": _Kind("1.2.840.10008.5.1.4.1.1.104.4", "M3D"),
    "model/mtl": _Kind("1.2.840.10008.5.1.4.1.1.104.5", "M3D"),
}
"""What is written for each MIME type where the tags do not say otherwise."""


def embed_document(data_set: DataSet, mime: str, data: bytes) -> None:
    """Put a document of one of the types of `DOCUMENTS` into a data set.

    Raises
    ------
    OrthancError
        15 ``Not a PDF file``, 4 for an empty model or a second document.
    """
    kind = DOCUMENTS[mime]
    if mime == "application/pdf" and not data.startswith(b"%PDF-"):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "Not a PDF file")
    if not data or ENCAPSULATED_DOCUMENT in data_set:
        raise OrthancError(ErrorCode.NOT_ENOUGH_MEMORY)
    data_set.setdefault(SOP_CLASS_UID, Element("UI", padded(kind.sop_class.encode())))
    data_set.setdefault(MODALITY, Element("CS", padded(kind.modality.encode(), b" ")))
    if kind.conversion_type:
        data_set.setdefault(CONVERSION_TYPE, Element("CS", padded(kind.conversion_type.encode(), b" ")))
    data_set[MIME_TYPE_OF_ENCAPSULATED_DOCUMENT] = Element("LO", padded(mime.encode(), b" "))
    data_set[ENCAPSULATED_DOCUMENT] = Element("OB", padded(data))
