"""Tags that the index does not keep, read from the header of a file."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import PIXEL_REPRESENTATION, SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.read import read_file
from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json
from orthanc_lab.protocol.errors import VANISHED, ErrorCode, OrthancError
from orthanc_lab.protocol.memory_budget import UNLIMITED, MemoryBudget
from orthanc_lab.protocol.ports import Settings
from orthanc_lab.storage.ports import Files

__all__ = ["FileTags"]

_log = logging.getLogger("orthanc_lab.dicom")
_UNREADABLE = VANISHED | {ErrorCode.BAD_FILE_FORMAT, ErrorCode.CORRUPTED_FILE}


class FileTags:
    """Reads tags of an instance in the full form: name, type and value."""

    def __init__(
        self, storage: Files, dictionary: Dictionary, settings: Settings, memory: MemoryBudget = UNLIMITED
    ) -> None:
        self._storage = storage
        self._dictionary = dictionary
        self._settings = settings
        self._memory = memory

    def read(self, instance: str, tags: Sequence[str]) -> dict[str, dict[str, Any]]:
        """Return the present ones of `tags`; nothing of a file that is gone or damaged."""
        try:
            header = self._storage.read_dicom_header(instance)
            file = read_file(header, self._dictionary, skip_pixel_data=True, memory=self._memory)
        except OrthancError as error:
            if error.code not in _UNREADABLE:
                raise
            _log.warning("The tags of instance %s cannot be read: %s", instance, error)
            return {}
        wanted = {int(tag[:4] + tag[5:], 16) for tag in tags}
        context = {SPECIFIC_CHARACTER_SET, PIXEL_REPRESENTATION} - wanted
        chosen = {tag: element for tag, element in file.data_set.items() if tag in wanted or tag in context}
        found = data_set_to_json(
            replace(file, data_set=chosen),
            TagsFormat.FULL,
            self._dictionary,
            default_encoding=self._settings["DefaultEncoding"],
        )
        return {tag: found[tag] for tag in tags if tag in found}
