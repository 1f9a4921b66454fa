"""What is said in storage commitment: which instances are meant, and what became of them (PS3.4 annex J)."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.files.data_set import DataSet, Element, encode
from orthanc_lab.dicom.files.read import read_data_set
from orthanc_lab.dicom.limits import MAX_MESSAGE_ELEMENTS
from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = [
    "ALL_THERE",
    "PUSH_MODEL",
    "PUSH_MODEL_INSTANCE",
    "SOME_MISSING",
    "CommitmentRequest",
    "CommitmentResult",
    "Failure",
    "FailureReason",
    "Reference",
]

PUSH_MODEL = "1.2.840.10008.1.20.1"
PUSH_MODEL_INSTANCE = "1.2.840.10008.1.20.1.1"
ALL_THERE, SOME_MISSING = 1, 2  # event types


class FailureReason:
    """Why an instance is not committed (PS3.3 section C.14.1.1)."""

    NO_SUCH_OBJECT_INSTANCE = 0x0112
    CLASS_INSTANCE_CONFLICT = 0x0119


class Reference(NamedTuple):
    """An instance."""

    sop_class: str
    sop_instance: str


class Failure(NamedTuple):
    """An instance that is not committed."""

    sop_class: str
    sop_instance: str
    reason: int


@dataclass(frozen=True, slots=True)
class CommitmentRequest:
    """The action information of a request."""

    transaction: str  # UID
    references: Sequence[Reference]

    def encoded(self, transfer_syntax: str) -> bytes:
        """Return its data set."""
        return _encoded(
            {
                tags.TRANSACTION_UID: _uid(self.transaction),
                tags.REFERENCED_SOP_SEQUENCE: Element("SQ", [_item(*reference) for reference in self.references]),
            },
            transfer_syntax,
        )

    @classmethod
    def read(cls, data: bytes, transfer_syntax: str) -> CommitmentRequest:
        """Read a data set.

        Raises
        ------
        OrthancError
            9 for what is missing, 15 if it is no data set.
        """
        data_set = read_data_set(data, transfer_syntax, most=_most_elements(data))
        transaction = _mandatory(data_set, tags.TRANSACTION_UID)
        return cls(transaction, _references(data_set, tags.REFERENCED_SOP_SEQUENCE))


@dataclass(frozen=True, slots=True)
class CommitmentResult:
    """The event information of a report."""

    transaction: str  # UID
    success: Sequence[Reference]
    failures: Sequence[Failure]

    @property
    def event_type(self) -> int:
        """The event type of the report."""
        return SOME_MISSING if self.failures else ALL_THERE

    def encoded(self, transfer_syntax: str) -> bytes:
        """Return its data set."""
        data_set: DataSet = {
            tags.TRANSACTION_UID: _uid(self.transaction),
            tags.REFERENCED_SOP_SEQUENCE: Element("SQ", [_item(*reference) for reference in self.success]),
        }
        if self.failures:
            failed = [
                _item(sop_class, sop_instance) | {tags.FAILURE_REASON: Element("US", struct.pack("<H", reason))}
                for sop_class, sop_instance, reason in self.failures
            ]
            data_set[tags.FAILED_SOP_SEQUENCE] = Element("SQ", failed)
        return _encoded(data_set, transfer_syntax)

    @classmethod
    def read(cls, data: bytes, transfer_syntax: str, event_type: int) -> CommitmentResult:
        """Read a data set.

        Raises
        ------
        OrthancError
            9 for what is missing, or another event type; 15 if it is no data set.
        """
        data_set = read_data_set(data, transfer_syntax, most=_most_elements(data))
        transaction = _mandatory(data_set, tags.TRANSACTION_UID)
        if event_type == ALL_THERE:
            return cls(transaction, _references(data_set, tags.REFERENCED_SOP_SEQUENCE), ())
        if event_type != SOME_MISSING:
            details = f"Unknown event type of a storage commitment: {event_type}"
            raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)
        failed = [
            Failure(*reference, _reason(item))
            for reference, item in zip(
                _references(data_set, tags.FAILED_SOP_SEQUENCE), _items(data_set, tags.FAILED_SOP_SEQUENCE), strict=True
            )
        ]
        success = (
            _references(data_set, tags.REFERENCED_SOP_SEQUENCE) if tags.REFERENCED_SOP_SEQUENCE in data_set else ()
        )
        return cls(transaction, success, failed)


def _most_elements(data: bytes) -> int:
    """Return how many elements and items there may be: what names an instance takes 25 bytes for each of its three."""
    return max(MAX_MESSAGE_ELEMENTS, len(data) // 20)


def _encoded(data_set: DataSet, transfer_syntax: str) -> bytes:
    return b"".join(encode(data_set, transfer_syntax))


def _uid(uid: str) -> Element:
    return Element("UI", uid.encode("latin-1", "replace"))


def _item(sop_class: str, sop_instance: str) -> DataSet:
    return {tags.REFERENCED_SOP_CLASS_UID: _uid(sop_class), tags.REFERENCED_SOP_INSTANCE_UID: _uid(sop_instance)}


def _text(data_set: DataSet, tag: int) -> str:
    element = data_set.get(tag)
    value = b"" if element is None else element.value
    return value.decode("latin-1").strip(" \0") if isinstance(value, bytes) else ""


def _mandatory(data_set: DataSet, tag: int) -> str:
    text = _text(data_set, tag)
    if not text:
        details = f"Missing mandatory tag in dataset: ({tag >> 16:04x},{tag & 0xFFFF:04x})"
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)
    return text


def _items(data_set: DataSet, tag: int) -> list[DataSet]:
    element = data_set.get(tag)
    if element is None or not isinstance(element.value, list):
        details = f"Missing mandatory sequence in dataset: ({tag >> 16:04x},{tag & 0xFFFF:04x})"
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)
    return element.value


def _references(data_set: DataSet, tag: int) -> list[Reference]:
    found = [
        Reference(_text(item, tags.REFERENCED_SOP_CLASS_UID), _text(item, tags.REFERENCED_SOP_INSTANCE_UID))
        for item in _items(data_set, tag)
    ]
    if not all(sop_class and sop_instance for sop_class, sop_instance in found):
        details = "Missing Referenced SOP Class/Instance UID in storage commitment dataset"
        raise OrthancError(ErrorCode.NETWORK_PROTOCOL, details)
    return found


def _reason(item: DataSet) -> int:
    element = item.get(tags.FAILURE_REASON)
    value = b"" if element is None else element.value
    return struct.unpack("<H", value)[0] if isinstance(value, bytes) and len(value) == 2 else 0
