"""Instances brought from one transfer syntax to another (Orthanc Book, "Transcoding of DICOM files")."""

from __future__ import annotations

from typing import TYPE_CHECKING

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.files.data_set import EXPLICIT_LE, DataSet
from orthanc_lab.dicom.files.read import DEFLATED, EXPLICIT_BE, IMPLICIT_LE, DicomFile, read_file
from orthanc_lab.dicom.files.write import write_file
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Identifiers

if TYPE_CHECKING:
    pass

__all__ = ["UNCOMPRESSED", "known_transfer_syntax", "transcode"]

UNCOMPRESSED = frozenset({IMPLICIT_LE, EXPLICIT_LE, EXPLICIT_BE, DEFLATED})
"""Transfer syntaxes whose pixel data are not encapsulated."""

_JPEG = "1.2.840.10008.1.2.4."
_KNOWN = UNCOMPRESSED | {
    *(_JPEG + str(number) for number in (*range(50, 67), 70, 80, 81, *range(90, 96), *range(100, 109))),
    "1.2.840.10008.1.2.5",
    "1.2.840.10008.1.2.6.1",
    "1.2.840.10008.1.2.6.2",
}
_WITHOUT_PIXELS = UNCOMPRESSED | {_JPEG + number for number in ("50", "51", "57", "70", "80", "81")}
_LOSSY = frozenset({_JPEG + "50"})
_PIXEL_DATA = 0x7FE00010


def known_transfer_syntax(uid: str) -> bool:
    """Tell whether Orthanc knows a transfer syntax; it may still be unable to produce it."""
    return uid in _KNOWN


def transcode(dicom: bytes, target_uid: str, *, quality: int = 90, identifiers: Identifiers) -> bytes | None:
    """Return an instance in another transfer syntax.

    Parameters
    ----------
    dicom
        The file (Part 10); one that has the transfer syntax already is returned as it is.
    quality
        Of lossy JPEG, 1 to 100.
    identifiers
        Source of the new SOP Instance UID that a lossy transfer syntax needs.

    Returns
    -------
    bytes or None
        None if the transfer syntax cannot be produced from this instance.
    """
    try:
        file = read_file(dicom, Dictionary())
        if file.transfer_syntax == target_uid:
            return dicom
        data_set = _converted(file, target_uid, quality, identifiers)
    except OrthancError as error:
        if error.code in (ErrorCode.INEXISTENT_FILE, ErrorCode.UNKNOWN_RESOURCE):
            raise
        return None
    return None if data_set is None else write_file(data_set, target_uid, file.meta)


def _converted(file: DicomFile, target: str, quality: int, identifiers: Identifiers) -> DataSet | None:
    element = file.data_set.get(_PIXEL_DATA)
    compressed = element is not None and isinstance(element.value, tuple)
    if element is None:
        return file.data_set if target in _WITHOUT_PIXELS else None
    if not compressed and target in UNCOMPRESSED:
        return file.data_set
    # numpy and the codecs are imported for pixels alone: most files are rewritten without them.
    from orthanc_lab.dicom.codecs.pixel_transcoding import compress, decompress  # noqa: PLC0415

    if target in UNCOMPRESSED:
        return decompress(file)
    return compress(file, target, quality, identifiers)
