"""The fields that Orthanc knows in the bodies of calls, as the Orthanc Book spells them."""

from __future__ import annotations

__all__ = [
    "ANONYMIZE",
    "ANONYMIZE_INSTANCE",
    "CREATE",
    "MERGE",
    "MODALITY",
    "MODIFY",
    "MODIFY_INSTANCE",
    "RENDER",
    "RETRIEVE",
    "RETRIEVE_BY_TAGS",
    "SEND",
    "SEND_TO_PEER",
    "SPLIT",
]

_JOB = ("Permissive", "UserData")
_TAGS = ("Replace", "Remove", "Keep", "Force", "PrivateCreator", "InterpretBinaryTags", "Transcode", "LossyQuality")
_OF_MODIFICATION = ("RemovePrivateTags",)
_OF_ANONYMIZATION = ("KeepPrivateTags", "DicomVersion")
_COPIES = ("KeepSource", "KeepLabels")

MODIFY_INSTANCE = (*_TAGS, *_OF_MODIFICATION)
ANONYMIZE_INSTANCE = (*_TAGS, *_OF_ANONYMIZATION)
MODIFY = (*MODIFY_INSTANCE, *_COPIES, *_JOB)
ANONYMIZE = (*ANONYMIZE_INSTANCE, *_COPIES, *_JOB)
SPLIT = ("Instances", "Replace", "Remove", *_COPIES, *_JOB)
MERGE = ("KeepSource", *_JOB)
CREATE = ("Force", "InterpretBinaryTags", "Encapsulate")
SEND = (
    "LocalAet",
    "CalledAet",
    "Host",
    "Port",
    "Timeout",
    "MoveOriginatorAet",
    "MoveOriginatorID",
    "StorageCommitment",
    *_JOB,
)
SEND_TO_PEER = ("Compress", "Transcode", *_JOB)
RETRIEVE_BY_TAGS = ("LocalAet", "Timeout", *_JOB)
RETRIEVE = ("Full", "Simplify", "Timeout", *_JOB)
RENDER = ("window_center", "window_width", "width", "height", "smooth")
MODALITY = (
    "AET",
    "Host",
    "Port",
    "Manufacturer",
    "LocalAet",
    "RetrieveMethod",
    "Timeout",
    "UseDicomTls",
    "AllowEcho",
    "AllowEventReport",
    "AllowFind",
    "AllowFindWorklist",
    "AllowGet",
    "AllowMove",
    "AllowNAction",
    "AllowStore",
    "AllowStorageCommitment",
    "AllowTranscoding",
)
