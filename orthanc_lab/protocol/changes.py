"""The types of changes that ``/changes`` lists."""

from __future__ import annotations

from enum import Enum

__all__ = ["ChangeType"]


class ChangeType(Enum):
    """Type of a change; the value is the name in JSON and in the ``type`` argument."""

    NEW_INSTANCE = "NewInstance"
    NEW_SERIES = "NewSeries"
    NEW_STUDY = "NewStudy"
    NEW_PATIENT = "NewPatient"
    STABLE_PATIENT = "StablePatient"
    STABLE_STUDY = "StableStudy"
    STABLE_SERIES = "StableSeries"
    UPDATED_ATTACHMENT = "UpdatedAttachment"
    UPDATED_METADATA = "UpdatedMetadata"
    COMPLETED_SERIES = "CompletedSeries"
    ANONYMIZED_PATIENT = "AnonymizedPatient"
    ANONYMIZED_STUDY = "AnonymizedStudy"
    ANONYMIZED_SERIES = "AnonymizedSeries"
    MODIFIED_PATIENT = "ModifiedPatient"
    MODIFIED_STUDY = "ModifiedStudy"
    MODIFIED_SERIES = "ModifiedSeries"
