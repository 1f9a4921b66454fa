"""The records that cross the border of the storage. All are frozen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, IntEnum

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.levels import Level

__all__ = [
    "Attachment",
    "AttachmentType",
    "Change",
    "Constraint",
    "Export",
    "FindQuery",
    "MovedFiles",
    "NewInstance",
    "Order",
    "Origin",
    "Resource",
    "ResourceStatistics",
    "Statistics",
    "StoreStatus",
    "Stored",
]


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a DICOM file came from; becomes metadata of the instance."""

    request_origin: str = "RestApi"  # RestApi, DicomProtocol, Plugins, Lua, WebDav
    remote_ip: str = ""
    remote_aet: str = ""
    called_aet: str = ""
    http_username: str = ""


@dataclass(frozen=True, slots=True)
class NewInstance:
    """A DICOM file that was made of another one, or has come from another server, and is to be stored."""

    dicom: bytes
    metadata: Mapping[str, str] = field(default_factory=dict)  # further ones of the instance (``ModifiedFrom`` …)
    md5: str = ""  # of the file, if that is known


class StoreStatus(Enum):
    """What became of an upload; the value is the field ``Status``."""

    SUCCESS = "Success"
    ALREADY_STORED = "AlreadyStored"
    FILTERED_OUT = "FilteredOut"
    FAILURE = "Failure"


@dataclass(frozen=True, slots=True)
class Stored:
    """The answer of an upload: the Orthanc identifiers of the four levels."""

    status: StoreStatus
    instance: str
    series: str
    study: str
    patient: str


class AttachmentType(IntEnum):
    """Built-in content types; user-defined ones are 1024 … 65535."""

    DICOM = 1
    DICOM_UNTIL_PIXEL_DATA = 3


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that belongs to a resource."""

    type: int  # AttachmentType or 1024 … 65535
    uuid: str  # name of the file in the storage area; shown as FileUuid
    uncompressed_size: int  # bytes
    uncompressed_md5: str  # lower-case hex; "" if StoreMD5ForAttachments is false
    compressed_size: int  # bytes on disk
    compressed_md5: str
    compressed: bool  # zlib with Orthanc's 8-byte size prefix
    revision: int = 0  # how often it was replaced, where the index counts that


@dataclass(frozen=True, slots=True)
class MovedFiles:
    """What became of files that were to be moved to another place."""

    count: int
    size: int  # bytes
    failures: Sequence[OrthancError] = ()  # of files that stay where they were


@dataclass(frozen=True, slots=True)
class Resource:
    """A patient, study, series or instance as the index knows it."""

    id: str  # Orthanc identifier
    level: Level
    parent: str | None  # Orthanc identifier of the level above
    tags: Mapping[str, str]  # main DICOM tags, "gggg,eeee" -> UTF-8 value; of a study those of its patient, too
    metadata: Mapping[str, str]  # name (or number as text, for an unnamed one) -> value
    children: Sequence[str]  # identifiers one level below, sorted (as Orthanc lists them)
    labels: Sequence[str]  # sorted
    attachments: Mapping[int, Attachment]
    is_stable: bool
    is_protected: bool  # patients only
    metadata_revisions: Mapping[str, int] = field(default_factory=dict)
    """How often each metadata was replaced: those that were, where the index counts that."""


@dataclass(frozen=True, slots=True)
class Change:
    """One line of ``/changes``."""

    seq: int
    type: ChangeType
    level: Level
    id: str
    date: datetime  # UTC


@dataclass(frozen=True, slots=True)
class Export:
    """One line of ``/exports`` (only filled with ``LogExportedResources``)."""

    seq: int
    level: Level
    id: str
    remote_modality: str
    date: datetime
    patient_id: str
    study_instance_uid: str
    series_instance_uid: str
    sop_instance_uid: str


@dataclass(frozen=True, slots=True)
class Constraint:
    """One tag of a query, already read from Orthanc's syntax."""

    tag: str  # "gggg,eeee"
    value: str  # with wildcards, list or range as written in the query
    case_sensitive: bool = False


@dataclass(frozen=True, slots=True)
class Order:
    """One item of ``OrderBy``."""

    key: str  # "gggg,eeee" or the name of a metadata
    metadata: bool = False
    cast: str = "text"  # text, int or float
    descending: bool = False


@dataclass(frozen=True, slots=True)
class FindQuery:
    """What ``/tools/find`` and ``/tools/count-resources`` ask of the index.

    Raises
    ------
    OrthancError
        6 for a parent that is below the level of the query.
    """

    level: Level
    constraints: Sequence[Constraint] = ()
    children: Sequence[Constraint] = ()  # on tags of the level below: any child may match
    metadata: Mapping[str, str] = field(default_factory=dict)  # MetadataQuery: name -> pattern
    metadata_case_sensitive: bool = False
    labels: Sequence[str] = ()
    labels_constraint: str = "All"  # All, Any, None
    parents: Mapping[Level, str] = field(default_factory=dict)  # ParentPatient …
    order: Sequence[Order] = ()
    since: int = 0
    limit: int = 0  # 0 = no limit

    def __post_init__(self) -> None:
        if any(parent.depth > self.level.depth for parent in self.parents):
            raise OrthancError(ErrorCode.BAD_SEQUENCE_OF_CALLS)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Totals of the whole database."""

    patients: int
    studies: int
    series: int
    instances: int
    disk_size: int  # bytes
    uncompressed_size: int  # bytes


@dataclass(frozen=True, slots=True)
class ResourceStatistics:
    """Totals below one resource."""

    studies: int
    series: int
    instances: int
    disk_size: int  # bytes, all attachments
    uncompressed_size: int
    dicom_disk_size: int  # bytes, the DICOM files alone
    dicom_uncompressed_size: int
