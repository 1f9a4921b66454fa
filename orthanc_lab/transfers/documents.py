"""The JSON documents of a transfer: the answer of a lookup, the body that opens a push."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from orthanc_lab.protocol import lenient_json
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.transfers.buckets import Bucket, Chunk
from orthanc_lab.transfers.compression import check_compression
from orthanc_lab.transfers.instances import TransferInstance, megabytes, total_size

__all__ = ["PushRequest", "lookup_document", "push_document", "read_lookup", "read_push"]

_FEW = 1000
_SHORTEST_VALUE = 16  # bytes on average; the identifier and the MD5 of an instance have 76
_NUMBER = re.compile(r"[0-9]{1,18}", re.ASCII)
_ID = re.compile(r"[0-9a-f-]{1,64}", re.ASCII)


@dataclass(frozen=True, slots=True)
class PushRequest:
    """What a sender announces: the instances, and the buckets in which their bytes will come."""

    compression: str
    instances: tuple[TransferInstance, ...]
    buckets: tuple[Bucket, ...]


def lookup_document(instances: Sequence[TransferInstance], originator: str) -> dict[str, Any]:
    """Return the answer of a lookup."""
    size = total_size(instances)
    return {
        "CountInstances": len(instances),
        "Instances": _instances_document(instances),
        "Originator": originator,
        "TotalSize": str(size),
        "TotalSizeMB": megabytes(size),
    }


def read_lookup(body: bytes) -> tuple[list[TransferInstance], str]:
    """Return the instances of a lookup, sorted by identifier, and the originator.

    Raises
    ------
    OrthancError
        15 for any other document, or one with far more values than its length allows for; 28 for no JSON.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > _FEW + len(body) // _SHORTEST_VALUE:
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT, "The list of instances has values without content")
    fields = _object(lenient_json.loads(body))
    instances = _read_instances(fields)
    if any(not _ID.fullmatch(instance.id) for instance in instances):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return sorted(instances, key=lambda instance: instance.id), _text(fields, "Originator")


def push_document(request: PushRequest) -> dict[str, Any]:
    """Return the body that opens a push."""
    buckets = [
        [{"ID": chunk.instance, "Offset": str(chunk.offset), "Size": str(chunk.size)} for chunk in bucket.chunks]
        for bucket in request.buckets
    ]
    return {
        "Buckets": buckets,
        "Compression": request.compression,
        "Instances": _instances_document(request.instances),
    }


def read_push(document: Any) -> PushRequest:
    """Read the body that opens a push; that it makes sense is not checked, as with Orthanc.

    Raises
    ------
    OrthancError
        15 for any other document, 3 for an unknown compression.
    """
    fields = _object(document)
    instances = _read_instances(fields)
    buckets = [Bucket(tuple(map(_read_chunk, _array(bucket)))) for bucket in _list(fields, "Buckets")]
    return PushRequest(check_compression(_text(fields, "Compression")), tuple(instances), tuple(buckets))


def _instances_document(instances: Sequence[TransferInstance]) -> list[dict[str, str]]:
    return [{"ID": one.id, "MD5": one.md5, "Size": str(one.size)} for one in instances]


def _read_instances(fields: dict[str, Any]) -> list[TransferInstance]:
    return [_read_instance(_object(instance)) for instance in _list(fields, "Instances")]


def _read_instance(fields: dict[str, Any]) -> TransferInstance:
    return TransferInstance(_text(fields, "ID"), _number(fields, "Size"), _text(fields, "MD5"))


def _read_chunk(document: Any) -> Chunk:
    fields = _object(document)
    return Chunk(_text(fields, "ID"), _number(fields, "Offset"), _number(fields, "Size"))


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _array(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _list(fields: dict[str, Any], name: str) -> list[Any]:
    return _array(fields.get(name))


def _text(fields: dict[str, Any], name: str) -> str:
    value = fields.get(name)
    if not isinstance(value, str):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return value


def _number(fields: dict[str, Any], name: str) -> int:
    text = _text(fields, name)
    if not _NUMBER.fullmatch(text):
        raise OrthancError(ErrorCode.BAD_FILE_FORMAT)
    return int(text)
