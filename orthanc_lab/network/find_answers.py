"""The answers of a C-FIND, encoded: what was asked for, in the default character set of the server."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.charsets import Charset
from orthanc_lab.dicom.files.data_set import DataSet, Element, encode
from orthanc_lab.dicom.files.values import JsonValues
from orthanc_lab.network.identifier import QUERY_RETRIEVE_LEVEL, Identifier, Key

__all__ = ["AnswerWriter"]

_RETRIEVE_AE_TITLE = 0x00080054
_NOTHING: Mapping[str, Any] = {"Type": "Null", "Value": None}


class AnswerWriter:
    """Writes the answers to one identifier.

    Parameters
    ----------
    aet
        Where the resources can be retrieved: our title.
    charset
        In which texts are written; characters that it lacks are dropped.
    transfer_syntax
        Of the answers.
    """

    def __init__(
        self, identifier: Identifier, aet: str, charset: Charset, dictionary: Dictionary, transfer_syntax: str
    ) -> None:
        self._keys = [(name, key) for name, key in identifier.keys.items() if key.tag != SPECIFIC_CHARACTER_SET]
        self._syntax = transfer_syntax
        self._values = JsonValues(dictionary, charset, decode_binary=False)
        self._same: DataSet = {
            SPECIFIC_CHARACTER_SET: Element("CS", charset.term.encode()),
            QUERY_RETRIEVE_LEVEL: Element("CS", charset.encode(identifier.level)),
            _RETRIEVE_AE_TITLE: Element("AE", charset.encode(aet)),
        }
        # Many answers have the same values.
        self._element = functools.lru_cache(maxsize=1024)(self._make_element)

    def write(self, values: Mapping[str, Mapping[str, Any]]) -> bytes:
        """Return an answer.

        Parameters
        ----------
        values
            Name, type and value of the tags that are known, by ``gggg,eeee``. As in Orthanc, a sequence that has items
            is left out.
        """
        answer = dict(self._same)
        for name, key in self._keys:
            found = values.get(name, _NOTHING)
            if found["Type"] != "Sequence":
                answer[key.tag] = self._element(key, found["Value"] or "")
        return b"".join(encode(answer, self._syntax))

    def _make_element(self, key: Key, text: str) -> Element:
        if not text:
            return Element(key.vr, [] if key.vr == "SQ" else b"")
        _, value = self._values.element(key.tag, text)
        return Element(key.vr, value)
