"""The option ``ExtraMainDicomTags``: further tags that the index keeps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level

__all__ = ["read_extra_main_tags"]


def read_extra_main_tags(option: Mapping[str, Any], dictionary: Dictionary) -> dict[Level, tuple[str, ...]]:
    """Return the tags ``gggg,eeee`` of each level.

    Parameters
    ----------
    option
        ``{"Patient": [...], "Study": [...], "Series": [...], "Instance": [...]}``, tags by name or number.

    Raises
    ------
    OrthancError
        3 for an unknown level, 15 if a level is not given an array, 27 for an unknown tag.
    """
    tags: dict[Level, tuple[str, ...]] = {}
    for name, wanted in option.items():
        level = Level.parse(name)
        if not isinstance(wanted, list):
            text = f"The definition of the '{name}' ExtraMainDicomTags entry is invalid (not an array)."
            raise OrthancError(ErrorCode.BAD_FILE_FORMAT, text)
        tags[level] = tuple(format_tag(dictionary.parse_tag(str(tag))) for tag in wanted)
    return tags
