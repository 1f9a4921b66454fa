"""The filled-in form: its problems, and the request made from it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pydicom.datadict import dictionary_VR

from orthanc_lab.client import ResponseError
from orthanc_lab.widgets.dicomize.contents import Content
from orthanc_lab.widgets.dicomize.keywords import Attribute
from orthanc_lab.widgets.dicomize.private_tags import PrivateBlock
from orthanc_lab.widgets.dicomize.values import problem, typed_value, uses_character_set

__all__ = ["Form", "Request", "field_of", "not_kept", "words_of"]

_CAPTURE = {"SOPClassUID": "1.2.840.10008.5.1.4.1.1.7", "ConversionType": "WSD"}  # Secondary Capture Image Storage
_INHERITED = 2020  # Orthanc: Trying to override a value inherited from a parent module
_PARENTS = (2024, 2025)  # Orthanc: no such parent; an instance as parent
_UNKNOWN_TAG = 27
_BAD_FORMAT = 15
_UNREADABLE = 17  # Orthanc: unknown resource


@dataclass(frozen=True, slots=True)
class Request:
    """The arguments of `Client.create_dicom`."""

    content: Path | list[Path] | list[dict[str, Any]] | None  # dictionaries where an image has tags of its own
    tags: Mapping[str, str | bytes]
    fields: Mapping[str, Any]  # parent, private_creator, Force, Encapsulate


@dataclass(frozen=True, slots=True)
class Form:
    """Everything that a user can fill in.

    Examples
    --------
    >>> from orthanc_lab.widgets.dicomize.keywords import find
    >>> form = Form(tags=((find("PatientID"), "7"), (find("StudyDate"), "yesterday")))
    >>> form.problems()["StudyDate"]
    "'yesterday' is not a date in the form YYYYMMDD, such as 20260131"
    """

    contents: tuple[Content, ...] = ()
    tags: tuple[tuple[Attribute, str], ...] = ()  # tags with an empty value are not sent
    private: PrivateBlock = field(default_factory=PrivateBlock)
    parent: str = ""  # Orthanc identifier
    inherited: Mapping[str, str] = field(default_factory=dict)  # by keyword: what the parent gives to its children
    force: bool = False
    encapsulate: bool = False
    as_capture: bool = True  # images get the SOP class and the modality that create-dicom leaves out

    def problems(self) -> dict[str, str]:
        """Return the problems by field: key of a tag, ``private …`` (see `PrivateBlock`), ``contents``."""
        found: dict[str, str] = {}
        if not self.contents:
            found["contents"] = "Drop a PNG, JPEG or PDF first."
        elif self.encapsulate and (len(self.contents) > 1 or self.contents[0].kind != "JPEG"):
            found["contents"] = "Encapsulate works only with a single JPEG."
        for attribute, value in self.tags:
            if words := problem(attribute.vr, value, attribute.vm) if value else "":
                found[attribute.key] = words
            elif value and not self.force and self._is_inherited(attribute):
                found[attribute.key] = "is inherited from the parent: leave it empty, or check Force"
        return found | {f"private {place}": words for place, words in self.private.problems().items()}

    def _is_inherited(self, attribute: Attribute) -> bool:
        # Orthanc lets PatientID pass, and makes another patient of a child with the UIDs of the parent.
        return attribute.keyword in self.inherited or (bool(self.parent) and attribute.keyword == "PatientID")

    @property
    def is_mixed(self) -> bool:
        """Whether images and documents become one series."""
        return len({content.is_picture for content in self.contents}) > 1

    def request(self) -> Request:
        """Return the request; several contents become a series, in order."""
        tags: dict[str, str | bytes] = {
            attribute.key: typed_value(attribute.vr, value) for attribute, value in self.tags if value
        }
        tags |= self.private.tags()
        of_images: dict[str, str] = {}
        if self.as_capture and any(content.is_picture for content in self.contents):
            of_images = {name: value for name, value in _CAPTURE.items() if name not in tags}
            if not self.inherited.get("Modality"):
                tags.setdefault("Modality", "OT")
        if not self.is_mixed:
            tags |= of_images
        if not self.parent and not all(is_latin_1(value) for value in tags.values()):
            tags.setdefault("SpecificCharacterSet", "ISO_IR 192")  # otherwise characters would be lost silently
        fields: dict[str, Any] = {}
        if self.parent:
            fields["parent"] = self.parent
        if self.private.rows:
            fields["private_creator"] = self.private.creator
        if self.force:
            fields["Force"] = True
        if self.encapsulate:
            fields["Encapsulate"] = True
        return Request(self._content(of_images), tags, fields)

    def _content(self, of_images: Mapping[str, str]) -> Any:
        if self.is_mixed:  # a document has an SOP class of its own
            return [
                {"Content": content.path, "Tags": of_images if content.is_picture else {}} for content in self.contents
            ]
        paths = [content.path for content in self.contents]
        return paths if len(paths) > 1 else (paths[0] if paths else None)


def is_latin_1(value: str | bytes) -> bool:
    """Whether Orthanc's default character set contains all characters of a value."""
    if isinstance(value, bytes):
        return True
    try:
        value.encode("latin-1")
    except UnicodeEncodeError:
        return False
    return True


def field_of(error: ResponseError, form: Form) -> str:
    """Return the field that an error from the server concerns, as in `Form.problems`; "" if there is none."""
    if error.code in _PARENTS:
        return "parent"
    details = error.details
    if error.code == _UNREADABLE or (error.code == _BAD_FORMAT and not details) or "JPEG" in details:
        return "contents"
    if number := re.search(r"\b([0-9a-fA-F]{4})[,-]([0-9a-fA-F]{4})\b", details):
        word = f"{number[1]},{number[2]}".lower()
    else:
        word = details.strip()
    for attribute, _ in form.tags:
        if word and word in (attribute.keyword, attribute.number):
            return attribute.key
    for place, row in enumerate(form.private.rows):
        if word == f"{form.private.group},10{row.element}".lower():
            return f"private {place}"
    return ""


def words_of(error: ResponseError) -> str:
    """Return an error from the server as a message for a field."""
    if error.code == _INHERITED:
        return "is set by the parent or by the server: leave it empty, or check Force"
    if error.code == _UNREADABLE:
        return "The server cannot read the first of the files."  # what this error means for a series
    if error.code == _UNKNOWN_TAG:
        return "is unknown to this server"
    return f"{error.text}: {error.details}" if error.details else error.text


def not_kept(request: Request, stored: Mapping[str, Any]) -> list[str]:
    """Return the keywords of texts that the server did not store completely, judging by its ``simplified-tags``.

    The character set of a parent may lack some characters, and Orthanc then silently drops them.
    """
    return [
        keyword
        for keyword, value in request.tags.items()
        if keyword.isalnum()
        and isinstance(value, str)
        and uses_character_set(dictionary_VR(keyword))
        and isinstance(stored.get(keyword), str)
        and stored[keyword].strip() != value.strip()
    ]
