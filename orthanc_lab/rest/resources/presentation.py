"""How the parts that write resources as JSON are put together."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag
from orthanc_lab.dicom.shown.tag_format import TagFormat, TagNames, format_of
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.warnings import WarningLog
from orthanc_lab.queries.computed_tags import check_computed
from orthanc_lab.queries.file_tags import FileTags
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.rest.http.bodies import boolean_field
from orthanc_lab.rest.resources.resource_json import ResourceJson
from orthanc_lab.rest.services import Services

__all__ = ["Presentation", "parse_requested", "presentation_of", "wanted_format"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a resource needs to answer with JSON of patients, studies, series and instances."""

    dictionary: Dictionary
    requested: RequestedTags
    json: ResourceJson


def wanted_format(body: dict[str, Any]) -> TagFormat:
    """Return how the tags in an answer are shown, by ``Short`` and ``Full`` of a body; the former one comes first.

    Raises
    ------
    OrthancError
        15 if one that counts is no boolean.
    """
    is_short = boolean_field(body, "Short", False)
    return format_of(is_short, not is_short and boolean_field(body, "Full", False))


def presentation_of(services: Services) -> Presentation:
    """Put the parts together by the configuration."""
    settings, storage = services.settings, services.storage
    dictionary = services.dictionary
    names = TagNames(dictionary)
    # "Answers" behaves as "Always" in Orthanc 1.12.7: it filters by the content of files, too.
    files = None
    if settings["StorageAccessOnFind"] != "Never":
        files = FileTags(storage, dictionary, settings, services.memory)
    requested = RequestedTags(storage, names, files, WarningLog(settings["Warnings"]))
    return Presentation(dictionary, requested, ResourceJson(storage, names, requested))


def parse_requested(arguments: dict[str, str], dictionary: Dictionary, level: Level) -> tuple[str, ...]:
    """Return the tags of the argument ``requested-tags`` (old name ``requestedTags``).

    Raises
    ------
    OrthancError
        8 ``Invalid requested-tags argument: Unknown DICOM tag Foo``, 3 as `check_computed` for the level of what is
        shown.
    """
    text = arguments.get("requested-tags", arguments.get("requestedTags", ""))
    if not text:
        return ()
    found = {}
    for name in filter(None, text.split(";")):
        try:
            found[format_tag(dictionary.parse_tag(name))] = True
        except OrthancError as error:
            details = f"Invalid requested-tags argument: Unknown DICOM tag {name}"
            raise OrthancError(ErrorCode.BAD_REQUEST, details) from error
    check_computed(found, level)
    return tuple(found)
