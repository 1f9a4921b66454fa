"""Small DICOM files made on the spot, and what Orthanc calls them."""

from __future__ import annotations

import hashlib
from io import BytesIO
from typing import Any

from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import ExplicitVRLittleEndian

SECONDARY_CAPTURE = "1.2.840.10008.5.1.4.1.1.7"
CT_IMAGE = "1.2.840.10008.5.1.4.1.1.2"


def dicom_file(patient: str, study: str, series: str, instance: str, **tags: Any) -> bytes:
    """Return a file with these identifiers; `tags` by keyword, None leaves one out."""
    data = Dataset()
    data.SpecificCharacterSet = "ISO_IR 192"
    data.SOPClassUID = tags.pop("SOPClassUID", SECONDARY_CAPTURE)
    data.SOPInstanceUID = instance
    data.StudyInstanceUID = study
    data.SeriesInstanceUID = series
    data.PatientID = patient
    for keyword, value in tags.items():
        if value is not None:
            setattr(data, keyword, value)
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = data.SOPClassUID
    data.file_meta.MediaStorageSOPInstanceUID = instance
    target = BytesIO()
    data.save_as(target, enforce_file_format=True)
    return target.getvalue()


def orthanc_id(*identifiers: str) -> str:
    """Return the Orthanc identifier of PatientID, StudyInstanceUID, SeriesInstanceUID, SOPInstanceUID."""
    digest = hashlib.sha1("|".join(identifiers).encode(), usedforsecurity=False).hexdigest()
    return "-".join(digest[start : start + 8] for start in range(0, 40, 8))
