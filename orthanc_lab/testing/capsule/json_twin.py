"""A JSON document in which nothing stays but its shape and what Orthanc itself gives; its layout stays too."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from orthanc_lab.testing.capsule.addresses import Addresses
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.pseudonyms import filled
from orthanc_lab.testing.capsule.registered import (
    entry_of,
    is_known_tag,
    is_tag_name,
    tag_of,
    tag_of_key,
    vr_of_private_name,
)
from orthanc_lab.testing.capsule.scrubbing import Scrubber
from orthanc_lab.testing.capsule.tag_values import TagValues
from orthanc_lab.testing.capsule.vocabulary import (
    MEDIA_TYPES,
    is_field,
    is_kept_count,
    kept_field_value,
    safe_message_words,
)

__all__ = ["JsonTwin"]

_TOKEN = re.compile(
    r'(?P<blank>[ \t\r\n]++)|(?P<string>"(?:[^"\\\x00-\x1f]++|\\.)*+")|(?P<number>-?[0-9][0-9.eE+-]*+)'
    r"|(?P<word>true|false|null)|(?P<mark>[{}\[\],:])",
    re.DOTALL,
)
_PRIVATE = re.compile(r"[0-9a-fA-F]{4},[0-9a-fA-F]{4}")
_PLAIN = re.compile(r"[0-9A-Fa-f]{8}")
_SMALL = re.compile(r"-?[0-9]{1,3}(?:\.[0-9]{1,2}0*)?", re.ASCII)
_SECONDS = re.compile(r"([0-9]{1,4}(?:\.[0-9]{1,6})?)[0-9]*(e-[0-9]{1,2})?", re.ASCII)
_PRIVATE_BY_NAME = (0x0009 << 16) + 0x1000
"""Stands for private tags that are shown by their names."""
_OF_TAG = frozenset({"Value", "Alphabetic", "Ideographic", "Phonetic"})
_MESSAGES = frozenset({"Details", "ErrorDetails", "Message", "ErrorDescription", "HttpError", "OrthancError", "Reason"})
_OWN_FIELDS = frozenset({"CreationTime", "Date", "FailureReason", "Originator", "Priority", "Status"})
"""Fields of Orthanc that are keywords of DICOM as well, of tags that are in no instance."""
_PATHS = frozenset({"Path", "URI", "Uri", "Location", "BulkDataURI", "ArchiveUrl"})
_LONG = 1000  # letters of a text that is filled, not replaced word by word
_DATA = re.compile(r"data:([^;,]{0,100});base64,(.*)", re.DOTALL)
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]{64,}={0,2}\s*")


@dataclass(slots=True)
class _Open:
    """An object or array that has begun."""

    is_object: bool
    name: str  # of the field that it is the value of, or that its array is
    tag: int | None  # of DICOM, whose values are in it
    key: str = ""
    tag_of_key: int | None = None
    expects_key: bool = True
    vr: str = ""


class JsonTwin:
    """Makes twins of JSON documents.

    Parameters
    ----------
    scrubber, values, addresses
        Replace texts, values of tags, and paths.
    manifest
        Takes note of what stays.
    decoded
        Returns the twin of what is in base64.
    private_tags
        Those that came in files, with their VRs.
    """

    def __init__(
        self,
        scrubber: Scrubber,
        values: TagValues,
        addresses: Addresses,
        manifest: Manifest,
        *,
        decoded: Callable[[str, str], str],
        private_tags: Mapping[int, str],
    ) -> None:
        self._scrubber = scrubber
        self._values = values
        self._addresses = addresses
        self._manifest = manifest
        self._decoded = decoded
        self._private_tags = private_tags

    def of(self, text: str) -> str:
        """Return the twin of a document; from where it is none, its text is filled."""
        out: list[str] = []
        opened: list[_Open] = []
        position = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                out.append(filled(text[position:]))
                self._manifest.unread += len(text) - position
                break
            position = match.end()
            kind, token = match.lastgroup, match[0]
            if kind == "string":
                out.append(self._string(token, opened))
            elif kind == "number":
                out.append(self._number(token, opened))
            elif kind == "mark":
                _follow(token, opened)
                out.append(token)
            else:
                out.append(token)
        return "".join(out)

    def _string(self, token: str, opened: list[_Open]) -> str:
        try:
            text = json.loads(token, strict=False)
        except ValueError:  # an escape that there is none of
            return f'"{filled(token[1:-1])}"'
        place = opened[-1] if opened else _Open(False, "", None)
        if place.is_object and place.expects_key:
            place.key = text
            place.tag_of_key = self._tag(text, place)
            new = self._key(text, place)
        else:
            new = self._value(text, place)
            if place.is_object and place.tag is not None:
                self._notice_vr(text, place)
        return token if new == text else json.dumps(new, ensure_ascii=token.isascii())

    def _notice_vr(self, text: str, place: _Open) -> None:
        """Take the VR of the values that follow from the field before them."""
        if place.key == "vr" and kept_field_value("vr", text):
            place.vr = text
        elif place.key == "Name" and place.tag is not None and place.tag & 0x10000:
            place.vr = self._private_tags.get(place.tag) or vr_of_private_name(text)

    def _tag(self, key: str, place: _Open) -> int | None:
        if key in _OWN_FIELDS:
            return None
        if _PLAIN.fullmatch(key) and not is_known_tag(key) and tag_of(key) not in self._private_tags:
            return None
        tag = tag_of_key(key)  # of "PrivateCreator" too
        if tag is not None:
            return tag
        if place.tag is not None and key in _OF_TAG:
            return place.tag
        return _PRIVATE_BY_NAME if vr_of_private_name(key) and not is_field(key) else None

    def _key(self, key: str, place: _Open) -> str:
        is_number = _PRIVATE.fullmatch(key) or _PLAIN.fullmatch(key)
        if is_field(key) or is_tag_name(key) or (is_number and place.tag_of_key is not None):
            return key
        return self._scrubber.text(key)

    def _value(self, text: str, place: _Open) -> str:
        if not text:
            return text
        name = place.key if place.is_object else place.name
        tag = place.tag_of_key if place.is_object else place.tag
        if tag is None:
            is_name = place.tag is not None and name == "Name" and is_tag_name(text)
            return text if is_name else self._field(name, text)
        if text.startswith("data:"):
            return self._data(text)
        vr = self._vr(place, name, tag)
        if not vr:
            return self._scrubber.text(text) if len(text) <= _LONG else filled(text)
        return self._values.text(tag, vr, text)

    def _vr(self, place: _Open, name: str, tag: int) -> str:
        """Return the VR of a value, "" if nothing tells it."""
        if tag == _PRIVATE_BY_NAME:
            return vr_of_private_name(name)
        if name == "PrivateCreator":
            return "LO"
        stated = "" if place.is_object and name not in _OF_TAG else place.vr
        entry = entry_of(tag, None)
        return stated or self._private_tags.get(tag) or (entry.vr if entry else "")

    def _field(self, name: str, text: str) -> str:
        if kept_field_value(name, text):
            if not self._scrubber.learning and not is_kept_count(name, text):
                self._manifest.keep(f"JSON {name if is_field(name) else '…'}", text)
            return text
        if name in _MESSAGES:
            return self._scrubber.words(text[:_LONG], safe_message_words()) + filled(text[_LONG:])
        if text.startswith("data:"):
            return self._data(text)
        if name == "InlineBinary" or (len(text) > 64 and _BASE64.fullmatch(text)):
            return self._decoded("", text)
        if len(text) > _LONG:
            return filled(text)
        if name in _PATHS or text.startswith("/") or re.match(r"[a-z]{2,8}://", text):
            return self._addresses.address(text)
        return self._scrubber.text(text)

    def _data(self, text: str) -> str:
        match = _DATA.fullmatch(text)
        if match is None:
            return filled(text)
        return f"data:{_media_type(match[1])};base64,{self._decoded(match[1], match[2])}"

    def _number(self, token: str, opened: list[_Open]) -> str:
        place = opened[-1] if opened else _Open(False, "", None)
        name = place.key if place.is_object else place.name
        tag = place.tag_of_key if place.is_object else place.tag
        if is_kept_count(name, token) or (tag is None and _SMALL.fullmatch(token)):
            return token
        if name == "EffectiveRuntime" and (seconds := _SECONDS.fullmatch(token)):
            return seconds[1] + (seconds[2] or "")
        if tag is not None:
            new = self._values.text(tag, self._vr(place, name, tag) or "US", token)
            return new if _is_number(new) else "0"
        new = self._scrubber.number(token)
        return new if _is_number(new) else re.sub(r"(?<![0-9.])0+(?=[0-9])", lambda zeros: "1" * len(zeros[0]), new)


def _follow(mark: str, opened: list[_Open]) -> None:
    place = opened[-1] if opened else None
    if mark in "{[":
        name, tag, vr = "", None, ""
        if place is not None:
            name = place.key if place.is_object else place.name
            tag = place.tag_of_key if place.is_object else place.tag
            vr = place.vr if name in _OF_TAG or not place.is_object else ""
        opened.append(_Open(mark == "{", name, tag, vr=vr))
    elif mark in "}]":
        if opened:
            opened.pop()
    elif place is not None:
        place.expects_key = mark == ","


def _is_number(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _media_type(text: str) -> str:
    return text if text in MEDIA_TYPES else "application/octet-stream"
