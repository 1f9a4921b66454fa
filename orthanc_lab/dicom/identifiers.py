"""The Orthanc identifiers of an instance and of the resources that contain it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from orthanc_lab.dicom.dictionary.main_tags import IDENTIFIER_TAGS, PATIENT_ID, SERIES_UID, SOP_UID, STUDY_UID
from orthanc_lab.dicom.files.scan import DicomHeader
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.identifiers import orthanc_id

__all__ = ["ResourceIdentifiers", "identify"]


@dataclass(frozen=True, slots=True)
class ResourceIdentifiers:
    """The Orthanc identifiers of an instance and of its series, study and patient."""

    patient: str
    study: str
    series: str
    instance: str


def identify(header: DicomHeader) -> ResourceIdentifiers:
    """Return the identifiers of the instance that has this header.

    Raises
    ------
    OrthancError
        21 if one of the three UIDs is absent, 15 if one is empty, 5 if one of them (or PatientID) is not text
        of at most 256 bytes. A missing PatientID counts as empty.
    """
    tags, unreadable = header.tags, header.unreadable
    if unreadable and not unreadable.isdisjoint(IDENTIFIER_TAGS.values()):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    patient = tags.get(PATIENT_ID, "")
    try:
        study, series, instance = tags[STUDY_UID], tags[SERIES_UID], tags[SOP_UID]
    except KeyError as missing:
        raise OrthancError(ErrorCode.INEXISTENT_TAG) from missing
    if not (study and series and instance):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "missing StudyInstanceUID, SeriesInstanceUID or SOPInstanceUID")
    return ResourceIdentifiers(*_parents(patient, study, series), orthanc_id(patient, study, series, instance))


@lru_cache(maxsize=256)  # the instances of a series come one after the other
def _parents(patient: str, study: str, series: str) -> tuple[str, str, str]:
    return orthanc_id(patient), orthanc_id(patient, study), orthanc_id(patient, study, series)
