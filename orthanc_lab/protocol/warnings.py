"""The warnings that the option ``Warnings`` switches off one by one, by their names in Orthanc."""

from __future__ import annotations

__all__ = ["WARNINGS"]

WARNINGS = frozenset(
    {
        "W001_TagsBeingReadFromStorage",
        "W002_InconsistentDicomTagsInDb",
        "W003_DecoderFailure",
        "W004_NoMainDicomTagsSignature",
        "W005_RequestingTagFromLowerResourceLevel",
        "W006_RequestingTagFromMetaHeader",
        "W007_MissingRequestedTagsNotReadFromDisk",
    }
)
"""The names."""
