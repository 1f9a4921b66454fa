"""A resource as JSON: what ``/studies/{id}``, ``expand`` and ``/tools/find`` answer."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from orthanc_lab.dicom.shown.tag_format import TagFormat, TagNames, in_format
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.queries.relatives import Relatives
from orthanc_lab.queries.requested_tags import RequestedTags
from orthanc_lab.rest.resources.metadata_text import readable
from orthanc_lab.storage.ports import Readable
from orthanc_lab.storage.records import Attachment, AttachmentType, Resource

__all__ = ["EXPANDED", "Part", "ResourceJson", "attachment_json", "parts_named"]


class Part(Enum):
    """A part of the JSON; the value is its name in ``ResponseContent``."""

    MAIN_DICOM_TAGS = "MainDicomTags"
    METADATA = "Metadata"
    CHILDREN = "Children"
    PARENT = "Parent"
    LABELS = "Labels"
    ATTACHMENTS = "Attachments"
    STATUS = "Status"
    IS_STABLE = "IsStable"
    DETAILS = ""  # LastUpdate, FileSize … : only in the usual form, cannot be asked for alone


EXPANDED = frozenset(Part) - {Part.METADATA, Part.ATTACHMENTS}
"""The parts of the usual form."""
_PARTS = {part.value: part for part in Part if part is not Part.DETAILS}


def parts_named(names: Iterable[str]) -> frozenset[Part]:
    """Return the parts that ``ResponseContent`` or ``response-content`` names.

    Raises
    ------
    OrthancError
        3 ``Unrecognized value for "ResponseContent": Foo``.
    """
    parts = []
    for name in names:
        if name == "RequestedTags":
            continue  # they are shown whenever there are some
        if name not in _PARTS:
            details = f'Unrecognized value for "ResponseContent": {name}'
            raise OrthancError(ErrorCode.PARAMETER_OUT_OF_RANGE, details)
        parts.append(_PARTS[name])
    return frozenset(parts)


class ResourceJson:
    """Writes resources as JSON values.

    Parameters
    ----------
    storage
        Where parents and children are read.
    names
        Names of the tags.
    requested
        Finds the values of ``RequestedTags``.
    """

    def __init__(self, storage: Readable, names: TagNames, requested: RequestedTags) -> None:
        self._storage = storage
        self._names = names
        self._requested = requested
        self._main_tags = {level: storage.indexed_tags(level) for level in LEVELS}

    def of(
        self,
        resources: Sequence[Resource],
        form: TagFormat = TagFormat.NAMES,
        *,
        parts: Collection[Part] = EXPANDED,
        requested: Sequence[str] = (),
    ) -> list[dict[str, Any]]:
        """Return the JSON of resources of one level or several.

        Parameters
        ----------
        form
            Form of the tags.
        parts
            What is shown, besides ``ID`` and ``Type``.
        requested
            Tags ``gggg,eeee`` to show as ``RequestedTags``.
        """
        relatives = Relatives(self._storage, resources)
        if Part.STATUS in parts:
            relatives.children(resource for resource in resources if _expected(resource) is not None)
        # In Orthanc, the metadata are read if they or the usual form are shown, or if a tag is not in the index.
        with_metadata = Part.METADATA in parts or Part.DETAILS in parts or not self._requested.is_all_indexed(requested)
        writing = _Writing(form, self._names, self._main_tags, relatives, with_metadata)
        # Chosen once for many resources.
        adders = {level: [add for part, add in _ADDERS[level].items() if part in parts] for level in LEVELS}
        documents = []
        for resource in resources:
            document: dict[str, Any] = {"ID": resource.id, "Type": resource.level.value}
            for add in adders[resource.level]:
                add(document, resource, writing)
            documents.append(document)
        if requested:
            values = self._requested.of(resources, requested, form, relatives, with_metadata=with_metadata)
            for document, value in zip(documents, values, strict=True):
                document["RequestedTags"] = value
        return documents


def attachment_json(attachment: Attachment) -> dict[str, Any]:
    """Return the description of an attachment, as in ``…/attachments/{name}/info``."""
    return {
        "CompressedMD5": attachment.compressed_md5,
        "CompressedSize": attachment.compressed_size,
        "ContentType": attachment.type,
        "UncompressedMD5": attachment.uncompressed_md5,
        "UncompressedSize": attachment.uncompressed_size,
        "Uuid": attachment.uuid,
    }


@dataclass(frozen=True, slots=True)
class _Writing:
    """What the parts of one answer are written with."""

    form: TagFormat
    names: TagNames
    main_tags: Mapping[Level, frozenset[str]]  # of a level and those above
    relatives: Relatives
    with_metadata: bool

    def tags(self, resource: Resource) -> Mapping[str, str]:
        """Return the main tags, without those that the index only kept by earlier options."""
        main_tags = self.main_tags[resource.level]
        if resource.tags.keys() <= main_tags:
            return resource.tags
        return {tag: value for tag, value in resource.tags.items() if tag in main_tags}

    def sequences(self, resource: Resource) -> str:
        """Return the main tags that are sequences, which are kept as metadata."""
        return resource.metadata.get("MainDicomSequences", "") if self.with_metadata else ""


_Document = dict[str, Any]
_Adder = Callable[[_Document, Resource, _Writing], None]


def _add_main_tags(document: _Document, resource: Resource, writing: _Writing) -> None:
    sequences = writing.sequences(resource)
    document["MainDicomTags"] = in_format(writing.tags(resource), writing.form, writing.names, sequences)


def _add_main_tags_of_study(document: _Document, resource: Resource, writing: _Writing) -> None:
    names, patient_tags = writing.names, writing.main_tags[Level.PATIENT]
    named = writing.form is TagFormat.NAMES
    own: dict[str, Any] = {}
    of_patient: dict[str, Any] = {}
    # The names at once, where it is names that are asked for: most long lists are lists of studies.
    for tag, value in writing.tags(resource).items():
        if tag in patient_tags:
            of_patient[names[tag] if named else tag] = value
        else:
            own[names[tag] if named else tag] = value
    if not named:
        own, of_patient = in_format(own, writing.form, names), in_format(of_patient, writing.form, names)
    sequences = writing.sequences(resource)
    if sequences:
        own.update(in_format({}, writing.form, names, sequences))
    document["MainDicomTags"] = own
    document["PatientMainDicomTags"] = of_patient


def _children_as(name: str) -> _Adder:
    def add(document: _Document, resource: Resource, writing: _Writing) -> None:
        document[name] = resource.children

    return add


def _parent_as(name: str) -> _Adder:
    def add(document: _Document, resource: Resource, writing: _Writing) -> None:
        document[name] = resource.parent

    return add


def _add_labels(document: _Document, resource: Resource, writing: _Writing) -> None:
    document["Labels"] = resource.labels


def _add_metadata(document: _Document, resource: Resource, writing: _Writing) -> None:
    document["Metadata"] = {name: readable(value) for name, value in resource.metadata.items()}


def _add_attachments(document: _Document, resource: Resource, writing: _Writing) -> None:
    document["Attachments"] = [attachment_json(attachment) for attachment in resource.attachments.values()]


def _add_is_stable(document: _Document, resource: Resource, writing: _Writing) -> None:
    document["IsStable"] = resource.is_stable


def _add_status(document: _Document, resource: Resource, writing: _Writing) -> None:
    document["Status"] = _status(resource, writing.relatives)


def _add_details(document: _Document, resource: Resource, writing: _Writing) -> None:
    metadata = resource.metadata
    if "LastUpdate" in metadata:
        document["LastUpdate"] = metadata["LastUpdate"]
    for name in ("AnonymizedFrom", "ModifiedFrom"):
        if name in metadata:
            document[name] = metadata[name]


def _add_details_of_series(document: _Document, resource: Resource, writing: _Writing) -> None:
    _add_details(document, resource, writing)
    document["ExpectedNumberOfInstances"] = _expected(resource)


def _add_details_of_instance(document: _Document, resource: Resource, writing: _Writing) -> None:
    _add_details(document, resource, writing)
    document["IndexInSeries"] = _number(resource.metadata.get("IndexInSeries"))
    file = resource.attachments.get(AttachmentType.DICOM)
    if file is not None:
        document["FileSize"] = file.uncompressed_size
        document["FileUuid"] = file.uuid


_ANY_LEVEL: dict[Part, _Adder] = {
    Part.LABELS: _add_labels,
    Part.METADATA: _add_metadata,
    Part.ATTACHMENTS: _add_attachments,
}
_ADDERS: dict[Level, dict[Part, _Adder]] = {
    Level.PATIENT: {
        **_ANY_LEVEL,
        Part.MAIN_DICOM_TAGS: _add_main_tags,
        Part.CHILDREN: _children_as("Studies"),
        Part.IS_STABLE: _add_is_stable,
        Part.DETAILS: _add_details,
    },
    Level.STUDY: {
        **_ANY_LEVEL,
        Part.MAIN_DICOM_TAGS: _add_main_tags_of_study,
        Part.CHILDREN: _children_as("Series"),
        Part.PARENT: _parent_as("ParentPatient"),
        Part.IS_STABLE: _add_is_stable,
        Part.DETAILS: _add_details,
    },
    Level.SERIES: {
        **_ANY_LEVEL,
        Part.MAIN_DICOM_TAGS: _add_main_tags,
        Part.CHILDREN: _children_as("Instances"),
        Part.PARENT: _parent_as("ParentStudy"),
        Part.IS_STABLE: _add_is_stable,
        Part.STATUS: _add_status,
        Part.DETAILS: _add_details_of_series,
    },
    Level.INSTANCE: {
        **_ANY_LEVEL,
        Part.MAIN_DICOM_TAGS: _add_main_tags,
        Part.PARENT: _parent_as("ParentSeries"),
        Part.DETAILS: _add_details_of_instance,
    },
}
"""The parts that each level has."""


def _number(text: str | None) -> int | None:
    try:
        return None if text is None else int(text)
    except ValueError:
        return None


def _expected(resource: Resource) -> int | None:
    return _number(resource.metadata.get("ExpectedNumberOfInstances"))


def _status(series: Resource, relatives: Relatives) -> str:
    expected = _expected(series)
    if expected is None:
        return "Unknown"
    indexes = set()
    for instance in relatives.children((series,)):
        index = _number(instance.metadata.get("IndexInSeries"))
        if index is None:
            return "Unknown"
        if not 0 < index <= expected:
            return "Inconsistent"
        indexes.add(index)
    return "Complete" if len(indexes) == expected else "Missing"
