"""The answers of a C-FIND, encoded: what was asked for, in the default character set of the server."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

from orthanc_lab.dicom.dictionary.dictionary import Dictionary
from orthanc_lab.dicom.dictionary.tags import QUERY_RETRIEVE_LEVEL, RETRIEVE_AE_TITLE, SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.charsets import Charset
from orthanc_lab.dicom.files.data_set import Element, encode
from orthanc_lab.dicom.files.values import JsonValues
from orthanc_lab.network.identifier import Identifier

__all__ = ["AnswerWriter"]

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
        self._syntax = transfer_syntax
        self._values = JsonValues(dictionary, charset, decode_binary=False)
        same = {
            **charset.declaration(),
            QUERY_RETRIEVE_LEVEL: Element("CS", charset.encode(identifier.level)),
            RETRIEVE_AE_TITLE: Element("AE", charset.encode(aet)),
        }
        parts: dict[int, bytes | tuple[str, int]] = {tag: self._encoded(tag, element) for tag, element in same.items()}
        self._keys = list(identifier.keys.values())
        for number, (name, key) in enumerate(identifier.keys.items()):
            if key.tag != SPECIFIC_CHARACTER_SET:
                parts[key.tag] = (name, number)
        self._parts = [parts[tag] for tag in sorted(parts)]
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
        pieces = []
        for part in self._parts:
            if isinstance(part, bytes):
                pieces.append(part)
                continue
            name, number = part
            found = values.get(name, _NOTHING)
            if found["Type"] != "Sequence":
                pieces.append(self._element(number, found["Value"] or ""))
        return b"".join(pieces)

    def _make_element(self, number: int, text: str) -> bytes:
        key = self._keys[number]
        if not text:
            return self._encoded(key.tag, Element(key.vr, [] if key.vr == "SQ" else b""))
        _, value = self._values.element(key.tag, text)
        return self._encoded(key.tag, Element(key.vr, value))

    def _encoded(self, tag: int, element: Element) -> bytes:
        return b"".join(encode({tag: element}, self._syntax))
