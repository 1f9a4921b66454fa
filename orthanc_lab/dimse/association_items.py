"""The items of an association's request and of its acceptance, before pynetdicom reads them (PS3.8 section 9.3.2).

pynetdicom has each UID checked by pydicom, which warns of those that are invalid, and Python keeps the text of each
warning for good. So here an invalid UID is replaced by one that nothing has, and one that is too long is refused.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator

from orthanc_lab.dimse.pdu_reader import PduError

__all__ = ["ASSOCIATION_PDUS", "with_sound_items"]

ASSOCIATION_PDUS = (0x01, 0x02)
"""The types of the PDUs that have such items."""

_HEADER = struct.Struct(">BxI")
_FIRST_ITEM = 74
_ITEM = struct.Struct(">BxH")
_CONTEXTS = (0x20, 0x21)
_CONTEXT_HEAD = 4  # bytes before the items of a presentation context
_USER_INFORMATION = 0x50
_UIDS = (0x10, 0x30, 0x40, 0x52)
_VERSION_NAME = 0x55
_ABOUT_UID = (0x54, 0x56)  # roles and extended negotiation: a UID comes first, after its length
_ABOUT_UIDS = 0x57  # common extended negotiation, which nothing here knows
_UID = re.compile(rb"(?:0|[1-9][0-9]*+)(?:\.(?:0|[1-9][0-9]*+))*+\0?")
_NO_UID = b"0"
_LONGEST = 64  # bytes, also of a version name: DCMTK takes so many
_LONGEST_VERSION_NAME = 16  # bytes
_VISIBLE = bytes(code if 32 <= code < 127 else ord("?") for code in range(256))


def with_sound_items(pdu: memoryview) -> bytearray:
    """Return an A-ASSOCIATE-RQ or -AC in which each UID is valid.

    Raises
    ------
    PduError
        If an item is cut off, or a UID or a version name is too long.
    """
    body = bytes(pdu[_HEADER.size : _FIRST_ITEM]) + b"".join(_sound(bytes(pdu[_FIRST_ITEM:]), is_outer=True))
    return bytearray(_HEADER.pack(pdu[0], len(body)) + body)


def _sound(items: bytes, *, is_outer: bool = False) -> Iterator[bytes]:
    position = 0
    while position < len(items):
        if position + _ITEM.size > len(items):
            raise _cut_off()
        kind, size = _ITEM.unpack_from(items, position)
        position += _ITEM.size
        value = items[position : position + size]
        position += size
        if len(value) < size:
            raise _cut_off()
        if is_outer and kind in _CONTEXTS:
            value = value[:_CONTEXT_HEAD] + b"".join(_sound(value[_CONTEXT_HEAD:]))
        elif is_outer and kind == _USER_INFORMATION:
            value = b"".join(_sound(value))
        elif kind in _UIDS:
            value = value if _is_uid(_bounded(value)) or not value else _NO_UID
        elif kind == _VERSION_NAME:
            value = _bounded(value)[:_LONGEST_VERSION_NAME].translate(_VISIBLE)
        elif kind == _ABOUT_UIDS or (kind in _ABOUT_UID and not _is_uid(value[2 : 2 + int.from_bytes(value[:2])])):
            continue  # nothing can follow from it
        yield _ITEM.pack(kind, len(value)) + value


def _is_uid(value: bytes) -> bool:
    return len(value) <= _LONGEST and _UID.fullmatch(value) is not None


def _bounded(value: bytes) -> bytes:
    if len(value) > _LONGEST:
        words = f"DUL illegal subitem length {len(value)}. Maximum allowed size is {_LONGEST}."
        raise PduError(f"an item of {len(value):,} bytes where {_LONGEST} are allowed", words)
    return value


def _cut_off() -> PduError:
    return PduError("a request for an association with an item that is cut off", "DUL Illegal PDU length")
