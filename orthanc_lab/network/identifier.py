"""The identifier of a query: which level is asked for, and by which tags (PS3.4 section C.2.2.1)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.dictionary import Dictionary, Tag
from orthanc_lab.dicom.dictionary.tags import QUERY_RETRIEVE_LEVEL
from orthanc_lab.dicom.files.read import DicomFile, creator_of, read_data_set
from orthanc_lab.dicom.files.values import is_written
from orthanc_lab.dicom.limits import MAX_MESSAGE_ELEMENTS
from orthanc_lab.dicom.shown.tags_json import TagsFormat, data_set_to_json
from orthanc_lab.network.request import Request
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Settings

__all__ = ["Identifier", "IdentifierReader", "Key"]


@dataclass(frozen=True, slots=True)
class Key:
    """One tag of an identifier."""

    tag: Tag
    vr: str  # in the dictionary
    value: str  # empty: it only asks for the value
    is_sequence: bool  # the value is one
    has_items: bool  # … and not empty
    private_creator: str | None  # of a private tag


@dataclass(frozen=True, slots=True)
class Identifier:
    """What a client asks for."""

    level: str  # as written; empty if it is missing
    keys: Mapping[str, Key]  # by ``gggg,eeee``, sorted; the level is none

    def value(self, tag: str) -> str | None:
        """Return the value of a key, None if it is missing."""
        key = self.keys.get(tag)
        return None if key is None else key.value


@dataclass(frozen=True, slots=True)
class IdentifierReader:
    """Reads identifiers.

    Parameters
    ----------
    settings
        With ``DefaultEncoding``.
    """

    dictionary: Dictionary
    settings: Settings

    def read(self, request: Request) -> Identifier:
        """Return the identifier of a request.

        Raises
        ------
        OrthancError
            15 if the bytes are no data set, or have too many elements; 8 if there are none.
        """
        if not request.message.has_data:
            raise OrthancError(ErrorCode.BAD_REQUEST, "The request has no identifier")
        syntax = request.transfer_syntax
        data = bytes(request.message.data)
        data_set = read_data_set(data, syntax, self.dictionary, most=MAX_MESSAGE_ELEMENTS)
        shown = data_set_to_json(
            DicomFile({}, syntax, data_set),
            TagsFormat.FULL,
            self.dictionary,
            default_encoding=self.settings["DefaultEncoding"],
            ignore_length=data_set.keys(),
        )
        keys: dict[str, Key] = {}
        level = ""
        for tag in sorted(data_set):
            name = f"{tag >> 16:04x},{tag & 0xFFFF:04x}"
            value = shown[name]["Value"]
            text = value if isinstance(value, str) else ""
            if tag == QUERY_RETRIEVE_LEVEL:
                level = text
            elif is_written(tag):
                creator = creator_of(tag, data_set)
                vr = self.dictionary.vr_of(tag, creator)
                keys[name] = Key(tag, vr, text, isinstance(value, list), bool(value), creator)
        return Identifier(level, keys)
