"""The items of an association's request and of its acceptance, before pynetdicom reads them (PS3.8 section 9.3.2).

pynetdicom has each UID checked by pydicom, which warns of those that are invalid, and Python keeps the text of each
warning for good. So here an invalid UID is replaced by one that nothing has, and one that is too long is refused.

pynetdicom refuses what it does not know, too. The standard has items of later editions ignored, and of the protocol
versions only the bit of the first one looked at; devices fill up titles with NUL, as strings of C end.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Set

from orthanc_lab.dimse.pdu_reader import PduError

__all__ = ["ASSOCIATION_PDUS", "with_sound_items"]

ASSOCIATION_PDUS = (0x01, 0x02)
"""The types of the PDUs that have such items."""

_HEADER = struct.Struct(">BxI")
_VERSION = struct.Struct(">H")
_FIRST_VERSION = 1  # bit 0
_TITLES = (10, 26)  # where the called and the calling one begin
_LONGEST_TITLE = 16  # bytes
_FIRST_ITEM = 74
_ITEM = struct.Struct(">BxH")
_REQUESTED_CONTEXT = 0x20
_CONTEXTS = (_REQUESTED_CONTEXT, 0x21)
_CONTEXT_HEAD = 4  # bytes before the items of a presentation context
_USER_INFORMATION = 0x50
_TRANSFER_SYNTAX = 0x40
_UIDS = (0x10, 0x30, _TRANSFER_SYNTAX, 0x52)
_OUTER = frozenset({0x10, *_CONTEXTS, _USER_INFORMATION})
_OF_CONTEXT = frozenset({0x30, _TRANSFER_SYNTAX})
_OF_USER = frozenset({0x51, 0x52, 0x54, 0x55, 0x56})
"""The items that are read; windows of operations and identities of users, among others, change nothing here."""
_VERSION_NAME = 0x55
_ROLES = 0x54
_ABOUT_UID = (_ROLES, 0x56)  # roles and extended negotiation: a UID comes first, after its length
_UID = re.compile(rb"(?:0|[1-9][0-9]*+)(?:\.(?:0|[1-9][0-9]*+))*+\0?")
_NO_UID = b"0"
_LONGEST = 64  # bytes, also of a version name: DCMTK takes so many
_LONGEST_VERSION_NAME = 16  # bytes
_ROLE_PAIRS = (b"\0\0", b"\0\1", b"\1\0", b"\1\1")
_VISIBLE = bytes(code if 32 <= code < 127 else ord("?") for code in range(256))
_OF_TITLE = _VISIBLE.replace(b"\\", b"?")  # which separates values, and has no place in a title


def with_sound_items(pdu: memoryview) -> bytearray:
    """Return an A-ASSOCIATE-RQ or -AC in which each title and UID is valid, and each item known.

    Raises
    ------
    PduError
        If an item is cut off, a UID or a version name is too long, or a context proposes no transfer syntax.
    """
    fixed = bytearray(pdu[:_FIRST_ITEM])
    if len(fixed) == _FIRST_ITEM:
        (versions,) = _VERSION.unpack_from(fixed, _HEADER.size)
        _VERSION.pack_into(fixed, _HEADER.size, versions & _FIRST_VERSION or versions)
        for start in _TITLES:
            title = fixed[start : start + _LONGEST_TITLE].partition(b"\0")[0].translate(_OF_TITLE)
            fixed[start : start + _LONGEST_TITLE] = title.ljust(_LONGEST_TITLE)
    body = bytes(fixed[_HEADER.size :]) + b"".join(_sound(bytes(pdu[_FIRST_ITEM:]), _OUTER))
    return bytearray(_HEADER.pack(pdu[0], len(body)) + body)


def _sound(items: bytes, known: Set[int]) -> Iterator[bytes]:
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
        if kind not in known:
            continue
        if kind in _CONTEXTS:
            value = value[:_CONTEXT_HEAD] + b"".join(_of_context(kind, value[_CONTEXT_HEAD:]))
        elif kind == _USER_INFORMATION:
            value = b"".join(_sound(value, _OF_USER))
        elif kind in _UIDS:
            value = value if _is_uid(_bounded(value)) or not value else _NO_UID
        elif kind == _VERSION_NAME:
            value = _bounded(value)[:_LONGEST_VERSION_NAME].translate(_VISIBLE)
        elif kind in _ABOUT_UID and not _is_about_uid(kind, value):
            continue  # nothing can follow from it
        yield _ITEM.pack(kind, len(value)) + value


def _of_context(kind: int, items: bytes) -> Iterator[bytes]:
    """Yield the items of a presentation context; one that is requested has a transfer syntax that is none, or more."""
    has_syntax = False
    for item in _sound(items, _OF_CONTEXT):
        is_syntax = item[0] == _TRANSFER_SYNTAX
        has_syntax = has_syntax or is_syntax
        is_empty = is_syntax and len(item) == _ITEM.size and kind == _REQUESTED_CONTEXT
        yield _ITEM.pack(_TRANSFER_SYNTAX, len(_NO_UID)) + _NO_UID if is_empty else item
    if kind == _REQUESTED_CONTEXT and not has_syntax:
        raise PduError("a presentation context without a transfer syntax", "DUL Illegal PDU length")


def _is_about_uid(kind: int, value: bytes) -> bool:
    """Whether an item of roles or extended negotiation has a UID, and two roles that are played or not."""
    end = 2 + int.from_bytes(value[:2])
    return _is_uid(value[2:end]) and (kind != _ROLES or value[end:] in _ROLE_PAIRS)


def _is_uid(value: bytes) -> bool:
    return len(value) <= _LONGEST and _UID.fullmatch(value) is not None


def _bounded(value: bytes) -> bytes:
    if len(value) > _LONGEST:
        words = f"DUL illegal subitem length {len(value)}. Maximum allowed size is {_LONGEST}."
        raise PduError(f"an item of {len(value):,} bytes where {_LONGEST} are allowed", words)
    return value


def _cut_off() -> PduError:
    return PduError("a request for an association with an item that is cut off", "DUL Illegal PDU length")
