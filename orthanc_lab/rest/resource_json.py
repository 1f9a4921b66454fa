"""A resource as JSON: what ``/studies/{id}``, ``expand`` and ``/tools/find`` answer."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from enum import Enum
from typing import Any

from orthanc_lab.protocol.levels import Level
from orthanc_lab.rest.relatives import Relatives
from orthanc_lab.rest.requested_tags import RequestedTags
from orthanc_lab.rest.tag_format import TagFormat, TagNames, in_format
from orthanc_lab.storage.ports import Storage
from orthanc_lab.storage.records import Attachment, AttachmentType, Resource

__all__ = ["EXPANDED", "Part", "ResourceJson", "attachment_json"]


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

_CHILDREN = {Level.PATIENT: "Studies", Level.STUDY: "Series", Level.SERIES: "Instances"}
_PARENT = {Level.STUDY: "ParentPatient", Level.SERIES: "ParentStudy", Level.INSTANCE: "ParentSeries"}


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

    def __init__(self, storage: Storage, names: TagNames, requested: RequestedTags) -> None:
        self._storage = storage
        self._names = names
        self._requested = requested
        self._patient_tags = storage.indexed_tags(Level.PATIENT)

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
        documents = [self._document(resource, form, parts, relatives) for resource in resources]
        if requested:
            values = self._requested.of(resources, requested, form, relatives)
            for document, value in zip(documents, values, strict=True):
                document["RequestedTags"] = value
        return documents

    def _document(
        self, resource: Resource, form: TagFormat, parts: Collection[Part], relatives: Relatives
    ) -> dict[str, Any]:
        level = resource.level
        document: dict[str, Any] = {"ID": resource.id, "Type": level.value}
        if Part.MAIN_DICOM_TAGS in parts:
            self._add_main_tags(document, resource, form)
        if Part.CHILDREN in parts and level is not Level.INSTANCE:
            document[_CHILDREN[level]] = resource.children
        if Part.PARENT in parts and level is not Level.PATIENT:
            document[_PARENT[level]] = resource.parent
        if Part.LABELS in parts:
            document["Labels"] = resource.labels
        if Part.METADATA in parts:
            document["Metadata"] = resource.metadata
        if Part.ATTACHMENTS in parts:
            document["Attachments"] = [attachment_json(attachment) for attachment in resource.attachments.values()]
        if Part.IS_STABLE in parts and level is not Level.INSTANCE:
            document["IsStable"] = resource.is_stable
        if Part.STATUS in parts and level is Level.SERIES:
            document["Status"] = _status(resource, relatives)
        if Part.DETAILS in parts:
            _add_details(document, resource)
        return document

    def _add_main_tags(self, document: dict[str, Any], resource: Resource, form: TagFormat) -> None:
        tags = resource.tags
        if resource.level is Level.STUDY:
            of_patient = {tag: value for tag, value in tags.items() if tag in self._patient_tags}
            tags = {tag: value for tag, value in tags.items() if tag not in self._patient_tags}
            document["PatientMainDicomTags"] = in_format(of_patient, form, self._names)
        sequences = resource.metadata.get("MainDicomSequences", "")
        document["MainDicomTags"] = in_format(tags, form, self._names, sequences)


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


def _add_details(document: dict[str, Any], resource: Resource) -> None:
    metadata = resource.metadata
    if resource.level is Level.INSTANCE:
        document["IndexInSeries"] = _number(metadata.get("IndexInSeries"))
        file = resource.attachments.get(AttachmentType.DICOM)
        if file is not None:
            document["FileSize"] = file.uncompressed_size
            document["FileUuid"] = file.uuid
    elif "LastUpdate" in metadata:
        document["LastUpdate"] = metadata["LastUpdate"]
    if resource.level is Level.SERIES:
        document["ExpectedNumberOfInstances"] = _expected(resource)
    for name in ("AnonymizedFrom", "ModifiedFrom"):
        if name in metadata:
            document[name] = metadata[name]


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
