"""The names of files in a storage area: a UUID, and what kind of file it is."""

from __future__ import annotations

from orthanc_lab.storage.records import Attachment, AttachmentType

__all__ = ["extension_of", "file_name", "uuid_of"]

_UUID_LENGTH = 36
_OTHER = ".unk"
_DICOM_AS_JSON = 2  # written by Orthanc before 1.9.1
_OF_TYPE = {
    AttachmentType.DICOM: ".dcm",
    _DICOM_AS_JSON: ".json",
    AttachmentType.DICOM_UNTIL_PIXEL_DATA: ".dcm.head",
}


def extension_of(type: int) -> str:
    """Return what follows the UUID, as the plug-ins of Orthanc for object storage have it."""
    return _OF_TYPE.get(type, _OTHER)


def file_name(attachment: Attachment) -> str:
    """Return the name of the file of an attachment."""
    return attachment.uuid + extension_of(attachment.type)


def uuid_of(name: str) -> str:
    """Return the UUID in the name of a file, which may be all of it."""
    return name[:_UUID_LENGTH]
