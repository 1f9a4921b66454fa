"""The answers to a C-FIND: kept as they came, and shown as Orthanc shows them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from orthanc_lab.dicom.dictionary import tags
from orthanc_lab.dicom.dictionary.dictionary import Dictionary, format_tag
from orthanc_lab.dicom.files.charsets import LATIN1, by_name
from orthanc_lab.dicom.files.data_set import DataSet
from orthanc_lab.dicom.files.read import read_data_set
from orthanc_lab.dicom.files.text import decoder_of
from orthanc_lab.dicom.shown.tags_json import TagsFormat, TagsWriter
from orthanc_lab.dimse.identifiers import LEVEL_NAMES
from orthanc_lab.protocol.levels import Level
from orthanc_lab.protocol.transfer_syntaxes import IMPLICIT_LE

__all__ = ["AnswersReader", "FindAnswer", "with_meta_header"]

_OVERHEAD = 100  # bytes of memory that an answer takes beside its own
_SHOWN_TWICE = {
    format_tag(tags.SOP_CLASS_UID): format_tag(tags.MEDIA_STORAGE_SOP_CLASS_UID),
    format_tag(tags.SOP_INSTANCE_UID): format_tag(tags.MEDIA_STORAGE_SOP_INSTANCE_UID),
}


@dataclass(frozen=True, slots=True)
class FindAnswer:
    """One answer to a C-FIND."""

    data: bytes  # the encoded data set
    transfer_syntax: str  # UID

    @property
    def size(self) -> int:
        """The bytes of memory that it takes."""
        return len(self.data) + _OVERHEAD


class AnswersReader:
    """Reads answers, as queries show them: texts and numbers, no sequences; and whole, as worklists are shown.

    Parameters
    ----------
    default_encoding
        The option ``DefaultEncoding``.
    """

    def __init__(self, dictionary: Dictionary, default_encoding: str) -> None:
        self._dictionary = dictionary
        charset = by_name(default_encoding) or LATIN1
        self._encoding = charset.name
        # The texts are Unicode when they are shown; Orthanc says what it would encode them in.
        self._character_set = (
            {_CHARACTER_SET: _string(_CHARACTER_SET, charset.term, dictionary)} if charset.term else {}
        )
        self._levels = {level: _string(_LEVEL, name, dictionary) for level, name in LEVEL_NAMES.items()}

    def full(self, answer: FindAnswer, level: Level) -> dict[str, dict[str, Any]]:
        """Return the tags of an answer: ``gggg,eeee`` -> name, type and value.

        Parameters
        ----------
        level
            Of the query, for an answer that names none.
        """
        data_set = read_data_set(answer.data, answer.transfer_syntax, self._dictionary)
        shown = self._writer(data_set, answer.transfer_syntax).write(data_set)
        found = {tag: _without_creator(element) for tag, element in shown.items() if element["Type"] == "String"}
        found.setdefault(_LEVEL, self._levels[level])
        found.pop(_CHARACTER_SET, None)
        return with_meta_header(dict(sorted((found | self._character_set).items())), self._dictionary)

    def texts(self, answer: FindAnswer, level: Level) -> dict[int, str]:
        """Return the tags of an answer with their texts; what has none is left out."""
        return {
            int(tag.replace(",", ""), 16): element["Value"]
            for tag, element in self.full(answer, level).items()
            if element["Value"] is not None and not tag.startswith("0002,")
        }

    def whole(self, answer: FindAnswer, form: TagsFormat) -> dict[str, Any]:
        """Return all of an answer, with its sequences."""
        data_set = read_data_set(answer.data, answer.transfer_syntax, self._dictionary)
        return self._writer(data_set, answer.transfer_syntax, form).write(data_set)

    def _writer(self, data_set: DataSet, transfer_syntax: str, form: TagsFormat = TagsFormat.FULL) -> TagsWriter:
        named = data_set.get(tags.SPECIFIC_CHARACTER_SET)
        value = named.value if named is not None and isinstance(named.value, bytes) else None
        return TagsWriter(
            form,
            self._dictionary,
            decoder_of(value, self._encoding),
            ignore_length=data_set,
            implicit=transfer_syntax == IMPLICIT_LE,
        )


_LEVEL = format_tag(tags.QUERY_RETRIEVE_LEVEL)
_CHARACTER_SET = format_tag(tags.SPECIFIC_CHARACTER_SET)


def with_meta_header(full: dict[str, dict[str, Any]], dictionary: Dictionary) -> dict[str, dict[str, Any]]:
    """Return the tags with the identifiers of an instance repeated as those of a meta header, as Orthanc shows them."""
    repeated = {
        _SHOWN_TWICE[tag]: _string(_SHOWN_TWICE[tag], full[tag]["Value"], dictionary)
        for tag in _SHOWN_TWICE
        if tag in full
    }
    return repeated | full


def _string(tag: str, value: str, dictionary: Dictionary) -> dict[str, Any]:
    return {"Name": dictionary.name_of(int(tag.replace(",", ""), 16)), "Type": "String", "Value": value}


def _without_creator(element: dict[str, Any]) -> dict[str, Any]:
    # Orthanc does not show who reserves a private block.
    return {**element, "Type": "Null", "Value": None} if element["Name"] == "PrivateCreator" else element
