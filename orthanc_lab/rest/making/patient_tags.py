"""The rule that a study must not contradict the other studies of its patient."""

from __future__ import annotations

from typing import Any

from orthanc_lab.dicom.changing.modification import PATIENT_ID, Modification
from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.ports import Readable

__all__ = ["check_patient_tags"]

_CONTRADICTION = (
    "Trying to change patient tags in a study.  The Patient already exists and has other studies.  All the 'Replace' "
    "tags should match the existing patient main dicom tags and you should specify all Patient MainDicomTags in your "
    "query.  Try using /patients/../modify instead to modify the patient. Failing tag: "
)


def check_patient_tags(storage: Readable, rules: Modification, study: str) -> None:
    """Refuse to change tags of the patient in one of several studies (Orthanc 1.11.2).

    Parameters
    ----------
    study
        Orthanc identifier of the study that is modified.

    Raises
    ------
    OrthancError
        8 with the tag in which the patient would have two values, 5 for a value that is no text, 17 if it is
        not a study.
    """
    replaced = {format_tag(tag): value for tag, value in rules.replaced.items()}
    if not storage.indexed_tags(Level.PATIENT) & replaced.keys():
        return
    if PATIENT_ID in rules.replaced:
        patients = storage.lookup_identifier(_text(rules.replaced[PATIENT_ID]))
        id = next((id for level, id in patients if level is Level.PATIENT), None)
    elif storage.find_level(study) is not Level.STUDY:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE, "Study not found")
    else:
        id = storage.ancestor(study, Level.PATIENT)
    patient = storage.get(id, Level.PATIENT) if id else None
    if patient is None or not set(patient.children) - {study}:
        return
    for tag in sorted(patient.tags):
        if tag not in replaced or _text(replaced[tag]) != patient.tags[tag]:
            raise OrthancError(ErrorCode.BAD_REQUEST, _CONTRADICTION + tag)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_PARAMETER_TYPE)
    return value
