"""How the parts that write resources as JSON are put together."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.shown.tag_format import TagNames
from orthanc_lab.queries.file_tags import FileTags
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.rest.resources.resource_json import ResourceJson
from orthanc_lab.rest.services import Services

__all__ = ["Presentation", "presentation_of"]


@dataclass(frozen=True, slots=True)
class Presentation:
    """What a resource needs to answer with JSON of patients, studies, series and instances."""

    dictionary: Dictionary
    requested: RequestedTags
    json: ResourceJson


def presentation_of(services: Services) -> Presentation:
    """Put the parts together by the configuration."""
    settings, storage = services.settings, services.storage
    dictionary = services.dictionary
    names = TagNames(dictionary)
    # "Answers" is to Orthanc 1.12.7 what "Always" is: it filters by what stands in files, too.
    files = None if settings["StorageAccessOnFind"] == "Never" else FileTags(storage, dictionary, settings)
    requested = RequestedTags(storage, names, files)
    return Presentation(dictionary, requested, ResourceJson(storage, names, requested))
