"""The names of files in a storage area: a UUID, and what kind of file it is."""

from __future__ import annotations

from orthanc_lab.storage.records import Attachment, AttachmentType

__all__ = ["extension_of", "file_name", "possible_names", "uuid_of"]

_UUID_LENGTH = 36
_OTHER = ".unk"
_DICOM_AS_JSON = 2  # written by Orthanc before 1.9.1
_OF_TYPE = {
    AttachmentType.DICOM: ".dcm",
    _DICOM_AS_JSON: ".json",
    AttachmentType.DICOM_UNTIL_PIXEL_DATA: ".dcm.head",
}
_WRITTEN = (".dcm", ".dcm.head", ".json", _OTHER)


def extension_of(type: int) -> str:
    """Return what follows the UUID, as the plug-ins of Orthanc for object storage have it."""
    return _OF_TYPE.get(type, _OTHER)


def file_name(attachment: Attachment) -> str:
    """Return the name of the file of an attachment."""
    return attachment.uuid + extension_of(attachment.type)


def possible_names(name: str) -> list[str]:
    """Return the names that a file may have, of whose name perhaps the UUID alone is known."""
    return [f"{name}{extension}" for extension in _WRITTEN] if len(name) == _UUID_LENGTH else [name]


def uuid_of(name: str) -> str:
    """Return the UUID in the name of a file, which may be all of it."""
    return name[:_UUID_LENGTH]
