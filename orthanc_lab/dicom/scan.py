"""Reading of a DICOM file's header: what the index needs, and where the pixel data start."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

__all__ = ["DicomHeader", "scan"]


@dataclass(frozen=True, slots=True)
class DicomHeader:
    """What the index needs of a DICOM file."""

    tags: dict[str, str]  # "gggg,eeee" -> UTF-8 value, of the wanted tags that are present
    transfer_syntax: str  # UID; "" if the file does not say
    sop_class: str  # SOPClassUID; "" if absent
    pixel_data_offset: int | None  # bytes from the start of the file to the tag of the pixel data
    pixel_data_vr: str  # "OW", "OB" …; "" without pixel data


def scan(dicom: bytes, wanted: Collection[str]) -> DicomHeader:
    """Read the header of a DICOM file.

    Parameters
    ----------
    dicom
        The whole file (PS3.10).
    wanted
        The tags to return, ``gggg,eeee``.

    Raises
    ------
    OrthancError
        15 if it is no DICOM file.
    """
    from orthanc_lab.dicom.scan_by_pydicom import scan_by_pydicom  # imports pydicom: slow, and rarely needed

    return scan_by_pydicom(dicom, wanted)
