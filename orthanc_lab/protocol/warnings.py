"""The warnings that the option ``Warnings`` switches off one by one, in Orthanc's words."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

__all__ = ["WARNINGS", "WarningLog"]

_log = logging.getLogger("orthanc_lab")

WARNINGS: Mapping[str, str] = {
    "W001_TagsBeingReadFromStorage": "Accessing DICOM tags from storage when accessing %s %s: %s",
    "W002_InconsistentDicomTagsInDb": "",
    "W003_DecoderFailure": "Unable to decode frame %d from instance %s",
    "W004_NoMainDicomTagsSignature": "",
    "W005_RequestingTagFromLowerResourceLevel": "Requested tag %s should only be read at the %s level",
    "W006_RequestingTagFromMetaHeader": (
        'Unable to include tags from the Meta Header in "RequestedTags".  Skipping them: %s'
    ),
    "W007_MissingRequestedTagsNotReadFromDisk": (
        'Unable to include requested tags since "StorageAccessOnFind" does not allow accessing the storage '
        "to build answers: %s"
    ),
}
"""Name and text of each; there is no occasion for those without a text."""


class WarningLog:
    """Writes the warnings to the log, except those that are switched off.

    Parameters
    ----------
    option
        The value of ``Warnings``; a warning that is not listed is on.
    """

    def __init__(self, option: Mapping[str, Any] | None = None) -> None:
        off = {name for name, is_on in (option or {}).items() if not is_on}
        self._texts = {name[:4]: f"{name[:4]}: {text}" for name, text in WARNINGS.items() if name not in off}

    def write(self, code: str, *values: object) -> None:
        """Write a warning, ``W001``, with the values of its text."""
        text = self._texts.get(code)
        if text is not None:
            _log.warning(text, *values)
