"""What C-FIND, C-MOVE and C-GET ask for: the identifier, made of the tags of a request (PS3.4 annex C)."""

from __future__ import annotations

from collections.abc import Mapping

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.dictionary import format_tag
from orthanc_lab.dicom.dictionary.modules import MODULES
from orthanc_lab.dicom.dictionary.tags import (
    ACCESSION_NUMBER,
    PATIENT_ID,
    QUERY_RETRIEVE_LEVEL,
    SERIES_INSTANCE_UID,
    SOP_INSTANCE_UID,
    SPECIFIC_CHARACTER_SET,
    STUDY_INSTANCE_UID,
)
from orthanc_lab.dicom.files.charsets import by_term
from orthanc_lab.dicom.files.data_set import DataSet, Element
from orthanc_lab.dicom.files.values import JsonValues, is_written
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level

__all__ = [
    "LEVEL_NAMES",
    "TagValues",
    "find_identifier",
    "get_identifier",
    "level_named",
    "move_identifier",
    "normalized",
    "retrieved",
]

TagValues = Mapping[int, str]
"""Tags with their values, as texts."""

LEVEL_NAMES = {
    Level.PATIENT: "PATIENT",
    Level.STUDY: "STUDY",
    Level.SERIES: "SERIES",
    Level.INSTANCE: "IMAGE",
}
"""Values of Query/Retrieve Level (0008,0052)."""

_KEYS: dict[Level, tuple[int, ...]] = {
    Level.PATIENT: (PATIENT_ID,),
    Level.STUDY: (STUDY_INSTANCE_UID,),
    Level.SERIES: (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID),
    Level.INSTANCE: (STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID),
}
"""What names a resource in a C-MOVE, in the order of the check."""

_ALWAYS_ASKED: dict[Level, tuple[int, ...]] = {
    level: (PATIENT_ID,) if level is Level.PATIENT else (ACCESSION_NUMBER, PATIENT_ID, *keys)
    for level, keys in _KEYS.items()
}
"""What a C-FIND asks for even if the request does not."""

_COUNTED: dict[Level, frozenset[int]] = {
    Level.PATIENT: frozenset(
        {
            tags.NUMBER_OF_PATIENT_RELATED_STUDIES,
            tags.NUMBER_OF_PATIENT_RELATED_SERIES,
            tags.NUMBER_OF_PATIENT_RELATED_INSTANCES,
        }
    ),
    Level.STUDY: frozenset(
        {
            tags.MODALITIES_IN_STUDY,
            tags.SOP_CLASSES_IN_STUDY,
            tags.NUMBER_OF_STUDY_RELATED_SERIES,
            tags.NUMBER_OF_STUDY_RELATED_INSTANCES,
        }
    ),
    Level.SERIES: frozenset({tags.NUMBER_OF_SERIES_RELATED_INSTANCES}),
    Level.INSTANCE: frozenset(),
}
"""Tags that are not in files, and belong to one level alone."""

_UNIVERSAL = "*"


def level_named(text: str) -> Level | None:
    """Return the level of a value of Query/Retrieve Level, None for any other text."""
    return next((level for level, name in LEVEL_NAMES.items() if name == text), None)


def normalized(asked: TagValues, level: Level) -> dict[int, str]:
    """Return the tags that belong to a level or one above it (``Normalize``)."""
    known = frozenset().union(*(MODULES[above] for above in LEVELS[: level.depth + 1])) | _COUNTED[level]
    known |= {SPECIFIC_CHARACTER_SET}
    return {tag: value for tag, value in asked.items() if tag in known}


def find_identifier(asked: TagValues, level: Level, manufacturer: str, values: JsonValues) -> DataSet:
    """Return the identifier of a C-FIND.

    Parameters
    ----------
    asked
        The tags of the request, with patterns.
    manufacturer
        Of the modality: some do not understand wildcards everywhere, some want them.
    values
        Makes elements of texts, in ``DefaultEncoding`` unless the request names another character set.

    Raises
    ------
    OrthancError
        15 for a text that is not a value of its tag, 3 for an unknown character set.
    """
    blank = _UNIVERSAL if manufacturer == "GE" else ""
    identifier = _data_set(dict.fromkeys(_ALWAYS_ASKED[level], blank) | dict(asked), level, values)
    for tag, value in asked.items():
        if value == _UNIVERSAL and tag in identifier and _is_foreign(identifier[tag].vr, manufacturer):
            identifier[tag] = Element(identifier[tag].vr, b"")
    return identifier


def move_identifier(asked: TagValues, level: Level, values: JsonValues) -> DataSet:
    """Return the identifier of a C-MOVE: what names the resource, and nothing else.

    Raises
    ------
    OrthancError
        8 if something is missing.
    """
    named = {}
    for tag in _KEYS[level]:
        if not asked.get(tag):
            raise OrthancError(ErrorCode.BAD_REQUEST, f"Missing tag {format_tag(tag)}")
        named[tag] = asked[tag]
    return _data_set(named, level, values)


def get_identifier(asked: TagValues, level: Level, values: JsonValues) -> DataSet:
    """Return the identifier of a C-GET, with all tags of the request.

    Raises
    ------
    OrthancError
        15 for a text that is not a value of its tag, 3 for an unknown character set.
    """
    return _data_set(asked, level, values)


def retrieved(answer: TagValues) -> dict[int, str]:
    """Return what a C-MOVE or C-GET needs of an answer to a C-FIND."""
    return {tag: value for tag, value in answer.items() if tag in _OF_ANSWER}


_OF_ANSWER = frozenset({ACCESSION_NUMBER, PATIENT_ID, STUDY_INSTANCE_UID, SERIES_INSTANCE_UID, SOP_INSTANCE_UID})


def _is_foreign(vr: str, manufacturer: str) -> bool:
    """Tell whether the nodes of a manufacturer do not understand ``*`` in an element."""
    return manufacturer == "GenericNoUniversalWildcard" or (manufacturer == "GenericNoWildcardInDates" and vr == "DA")


def _data_set(asked: TagValues, level: Level, values: JsonValues) -> DataSet:
    stated = asked.get(SPECIFIC_CHARACTER_SET)
    charset = by_term(stated) if stated else values.charset
    if charset is None:
        raise OrthancError(
            ErrorCode.PARAMETER_OUT_OF_RANGE,
            f'Unsupported value for the SpecificCharacterSet (0008,0005) tag: "{stated}"',
        )
    local = values.in_charset(charset)
    whole = {**asked, QUERY_RETRIEVE_LEVEL: LEVEL_NAMES[level]}
    whole.pop(SPECIFIC_CHARACTER_SET, None)
    return {tag: local.element(tag, value) for tag, value in whole.items() if is_written(tag)} | charset.declaration()
