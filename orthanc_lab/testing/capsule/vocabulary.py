"""Words of the REST API: names of routes, parameters and fields, and the values that Orthanc itself gives."""

from __future__ import annotations

import functools
import re
from http import HTTPStatus
from pathlib import Path

from orthanc_lab.dicom.dictionary.vrs import VRS
from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ERROR_TEXTS
from orthanc_lab.protocol.jobs import JobState
from orthanc_lab.protocol.metrics import POLICIES
from orthanc_lab.server.options.option_table import OPTIONS
from orthanc_lab.testing.capsule.registered import is_keyword, is_known_tag

__all__ = [
    "MEDIA_TYPES",
    "is_field",
    "is_kept_count",
    "is_metric",
    "is_parameter",
    "is_route_word",
    "is_tag_list",
    "kept_field_value",
    "safe_message_words",
]

MEDIA_TYPES = frozenset(
    {"application/json", "application/dicom", "application/dicom+json", "application/dicom+xml", "application/zip"}
    | {"application/octet-stream", "application/pdf", "application/xml", "application/javascript", "application/gzip"}
    | {"application/x-www-form-urlencoded", "image/png", "image/jpeg", "image/jpg", "image/x-portable-arbitrarymap"}
    | {"image/jp2", "image/jls", "image/dicom-rle", "image/gif", "image/x-icon", "image/svg+xml", "image/webp"}
    | {"text/plain", "text/html", "text/css", "text/xml", "text/javascript", "text/csv", "video/mp4", "*/*"}
    | {"multipart/form-data", "multipart/related", "multipart/mixed", "application/*", "image/*", "text/*"}
)

_LEVELS = frozenset({"Patient", "Study", "Series", "Instance", "patient", "study", "series", "instance"})
_VALUE_TYPES = frozenset({"String", "Sequence", "Null", "Binary", "TooLong"})
_TEXTS = frozenset(ERROR_TEXTS.values()) | {status.phrase for status in HTTPStatus}
_STORED = frozenset({"Success", "AlreadyStored", "Failure", "FilteredOut", "StorageFull", "Unknown", "Pending"})
_SERIES = frozenset({"Complete", "Missing", "Inconsistent", "Unknown"})
_VERSION = re.compile(r"(?:mainline|[0-9]{1,2}(?:\.[0-9]{1,3}){1,3}(?:[a-z]\d?)?)", re.ASCII)
_COUNT = re.compile(r"-?[0-9]{1,7}", re.ASCII)
_SIZE = re.compile(r"[0-9]{1,11}", re.ASCII)
_YES_NO = frozenset({"true", "false", "0", "1"})
_ORIGINS = frozenset({"RestApi", "DicomProtocol", "Plugins", "Lua", "WebDav", "Unknown"})
_COUNTS = frozenset(
    {"Size", "SizeMB", "CompressedSize", "UncompressedSize", "UncompressedSizeMB", "TotalDiskSize", "TotalDiskSizeMB"}
    | {"TotalUncompressedSize", "TotalUncompressedSizeMB", "DiskSize", "DicomDiskSize", "DicomUncompressedSize"}
    | {"ArchiveSize", "ArchiveSizeMB", "TotalSize", "TotalSizeMB", "UploadedSizeMB", "DownloadedSizeMB", "FileSize"}
    | {"DiskSizeMB", "DicomDiskSizeMB", "DicomUncompressedSizeMB", "IndexInSeries", "ExpectedNumberOfInstances"}
    | {"PixelDataOffset", "Seq", "Last", "First", "Since", "Limit", "Count", "CountInstances", "CountSeries"}
    | {"CountStudies", "CountPatients", "InstancesCount", "FailedInstancesCount", "Progress", "Priority", "ErrorCode"}
    | {"HttpStatus", "OrthancStatus", "ApiVersion", "DatabaseVersion", "Timeout", "Completed", "TotalInstances"}
    | {"MaximumPatientCount", "MaximumStorageSize", "NetworkSpeedKBs", "Offset", "At", "Step"}
)


def kept_field_value(name: str, value: str) -> bool:
    """Tell whether a value of a field of JSON stays as it is, because it is one that Orthanc itself gives.

    Examples
    --------
    >>> kept_field_value("State", "Success"), kept_field_value("State", "Miller"), kept_field_value("Size", "1024")
    (True, False, True)
    """
    return (
        value in _values().get(name, ())
        or is_kept_count(name, value)
        or (name in ("Version", "OrthancVersion") and _VERSION.fullmatch(value) is not None)
        or (name in _YES_NO_FIELDS and value in _YES_NO)
        or (name == "PrivateCreator" and value == "")
        or (is_keyword(value) and any(letter.isupper() for letter in value[1:]))
        or is_tag_list(value)
    )


_YES_NO_FIELDS = frozenset({"IsCompressed", "Protected"})


def is_kept_count(name: str, text: str) -> bool:
    """Tell whether the number in a field stays: it says how much, how many, or which one."""
    return name in _COUNTS and (_SIZE if "Size" in name else _COUNT).fullmatch(text) is not None


_TAG_LIST = re.compile(r"[0-9a-fA-F]{4}[,-][0-9a-fA-F]{4}(?:;[0-9a-fA-F]{4},[0-9a-fA-F]{4})*+")


def is_tag_list(text: str) -> bool:
    """Tell whether a text is a list of tags, as in ``MainDicomTagsSignature``."""
    return _TAG_LIST.fullmatch(text) is not None and all(is_known_tag(tag) for tag in text.split(";"))


def is_field(name: str) -> bool:
    """Tell whether the key of an object of JSON is a field of Orthanc or a keyword of DICOM."""
    return name in _fields() or is_keyword(name)


def is_route_word(word: str) -> bool:
    """Tell whether a part of a path is one that Orthanc gives, or the name of one of its metadata."""
    return word in _words("routes") or word in _words("fields")


def is_parameter(name: str) -> bool:
    """Tell whether the name of a parameter in an address is one that Orthanc knows."""
    return name in _words("parameters") or is_keyword(name)


def is_metric(name: str) -> bool:
    """Tell whether a name is that of a metric of Orthanc."""
    return name in POLICIES


@functools.cache
def _fields() -> frozenset[str]:
    return _words("fields") | _values().keys() | _COUNTS | OPTIONS.keys()


@functools.cache
def safe_message_words() -> frozenset[str]:
    """Return the words of the error messages of Orthanc, in lower case."""
    words = frozenset(word.lower() for text in _TEXTS for word in re.findall(r"[A-Za-z]{2,}", text))
    return words | _words("messages")


@functools.cache
def _words(section: str) -> frozenset[str]:
    text = Path(__file__).with_name("known_words.txt").read_text("utf-8")
    for part in text.split("\n["):
        head, _, body = part.partition("]\n")
        if head == section:
            return frozenset(body.split())
    raise KeyError(section)


@functools.cache
def _values() -> dict[str, frozenset[str]]:
    return {
        "Type": _LEVELS | _words("jobs") | _VALUE_TYPES | {"Attachment", "DicomTag", "Metadata"},
        "Name": frozenset(),
        "State": frozenset(state.value for state in JobState),
        "Before": frozenset(state.value for state in JobState),
        "After": frozenset(state.value for state in JobState),
        "ChangeType": frozenset(change.value for change in ChangeType) | {"Deleted", "NewChildInstance"},
        "ResourceType": _LEVELS | {""},
        "ParentResources": frozenset(),
        "Level": _LEVELS,
        "RemainingAncestor": _LEVELS,
        "Status": _STORED | _SERIES,
        "ErrorDescription": _TEXTS,
        "Message": _TEXTS,
        "HttpError": _TEXTS,
        "OrthancError": _TEXTS,
        "Method": frozenset({"GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"}),
        "RequestOrigin": _ORIGINS,
        "Origin": _ORIGINS,
        "Description": frozenset({"REST API"}),
        "RetrieveMethod": frozenset({"C-MOVE", "C-GET", "SystemDefault"}),
        "DefaultRetrieveMethod": frozenset({"C-MOVE", "C-GET"}),
        "Manufacturer": frozenset(
            {"Generic", "GenericNoWildcardInDates", "GenericNoUniversalWildcard", "Vitrea", "GE"}
        ),
        "ResponseContent": frozenset(
            {"MainDicomTags", "Metadata", "Children", "Parent", "Labels", "Attachments", "Status", "IsStable"}
            | {"IsProtected", "RequestedTags"}
        ),
        "LabelsConstraint": frozenset({"All", "Any", "None"}),
        "MaximumStorageMode": frozenset({"Recycle", "Reject"}),
        "Direction": frozenset({"ASC", "DESC"}),
        "Compression": frozenset({"gzip", "none"}),
        "vr": VRS,
        "PixelDataVR": VRS,
        "Encoding": frozenset(),
    }
