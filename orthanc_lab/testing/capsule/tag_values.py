"""Values of DICOM tags, as text and as bytes: each becomes one of the same length that says nothing."""

from __future__ import annotations

import re

from orthanc_lab.dicom.dictionary.vrs import TEXT_VRS, TEXT_VRS_OF_CHARSET
from orthanc_lab.dicom.files.charsets import LATIN1, by_term
from orthanc_lab.testing.capsule.dates import is_time
from orthanc_lab.testing.capsule.kept_tags import kept_number_bytes, kept_text
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.pseudonyms import filled
from orthanc_lab.testing.capsule.registered import entry_of
from orthanc_lab.testing.capsule.scrubbing import Scrubber

__all__ = ["TagValues"]

_FREE_TEXT = frozenset({"LT", "ST", "UC", "UR", "UT"})
_NUMBER_VRS = frozenset({"US", "SS", "UL", "SL", "FL", "FD", "UV", "SV"})
_BINARY_VRS = frozenset({"OB", "OW", "OF", "OD", "OL", "OV", "UN", "SQ"})
_UID = re.compile(r"[0-9.]{1,100}", re.ASCII)
_DATE = re.compile(r"\d++", re.ASCII)
_TIME = re.compile(r"\d++(?:\.\d++)?", re.ASCII)
_MOMENT = re.compile(r"(\d{8})(\d{2,6}(?:\.\d{0,6})?)?([+-]\d{4})?", re.ASCII)
_AGE = re.compile(r"(\d{1,3})([DWMY])", re.ASCII)
_JAPANESE = re.compile(r"ISO 2022 IR (?:87|159)")
_PRINTABLE = re.compile(rb"[\x20-\x7e\r\n\t]*+")


class TagValues:
    """Replaces the values of tags.

    Parameters
    ----------
    scrubber
        Replaces words, UIDs, dates.
    manifest
        Takes note of values that stay.
    """

    def __init__(self, scrubber: Scrubber, manifest: Manifest) -> None:
        self._scrubber = scrubber
        self._manifest = manifest

    def text(self, tag: int, vr: str, text: str) -> str:
        r"""Return what stands for the values of a tag as JSON shows them, with ``\`` between them."""
        if vr in _FREE_TEXT:
            return self._filled(text)
        return "\\".join(self._one(tag, vr, value) for value in text.split("\\"))

    def _one(self, tag: int, vr: str, value: str) -> str:
        if not value:
            return value
        kept = kept_text(tag, value)
        if kept is not None:
            if not self._scrubber.learning:
                self._manifest.keep(_place(tag), kept.strip())
            return kept
        return self._replaced(vr, value)

    def _replaced(self, vr: str, value: str) -> str:
        scrubber = self._scrubber
        if vr == "UI":
            return scrubber.uid(value) if _UID.fullmatch(value) else scrubber.text(value)
        if vr == "DA":
            return _DATE.sub(lambda match: scrubber.date(match[0]), self._without_words(value))
        if vr == "TM":
            return _TIME.sub(lambda match: scrubber.time(match[0]), self._without_words(value))
        if vr == "DT" and (moment := _MOMENT.fullmatch(value.strip(" "))):
            return scrubber.date(moment[1]) + self._time(moment[2] or "") + re.sub(r"\d", "0", moment[3] or "")
        if vr in ("DS", "IS"):
            return scrubber.number(value)
        if vr == "AS" and (age := _AGE.fullmatch(value)):
            return scrubber.number(age[1]) + age[2]
        if vr in _NUMBER_VRS:
            return "0"
        if vr in _BINARY_VRS:
            return self._filled(value)
        if vr == "AT":
            return re.sub(r"[0-9a-fA-F]", "0", scrubber.text(value) if re.search(r"[^0-9a-fA-F,]", value) else value)
        return scrubber.text(value)

    def _without_words(self, value: str) -> str:
        """Return a date or time, or a range of them, as it is, and anything else as a text."""
        return value if re.fullmatch(r"[0-9. \-]*+", value) else self._scrubber.text(value)

    def _time(self, text: str) -> str:
        return self._scrubber.time(text) if is_time(text) else self._scrubber.number(text)

    def _filled(self, text: str) -> str:
        if text and not self._scrubber.learning:
            self._manifest.replaced["texts, filled with x"] += 1
        return filled(text)

    # -- bytes --------------------------------------------------------------------------

    def encoded(self, tag: int, vr: str, value: bytes, charset: str) -> bytes:
        """Return as many bytes.

        Parameters
        ----------
        charset
            Specific Character Set (0008,0005); "" without.
        """
        if vr in TEXT_VRS:
            return self._encoded_text(tag, vr, value, charset)
        if vr == "UN" and value and _PRINTABLE.fullmatch(value):
            core = value.rstrip(b" ")
            return b"x" * len(core) + value[len(core) :]
        if kept_number_bytes(tag, vr, value):
            if tag & 0xFFFF and not self._scrubber.learning:
                self._manifest.keep(_place(tag), str(int.from_bytes(value, "little")))
            return value
        if value and not self._scrubber.learning:
            self._manifest.replaced["binary values, filled with zeros"] += 1
        return bytes(len(value))

    def _encoded_text(self, tag: int, vr: str, value: bytes, charset: str) -> bytes:
        core = value.rstrip(b"\0 ")
        pad = re.sub(rb"[^\0 ]", b" ", value[len(core) :])
        try:
            codec = _codec(vr, core, charset)
            new = self.text(tag, vr, core.decode(codec)).encode(codec)
        except ValueError:  # bytes that the character set does not have
            new = b""
        return (new if len(new) == len(core) else b"x" * len(core)) + pad


def _codec(vr: str, text: bytes, charset: str) -> str:
    """Return the codec of a text.

    Raises
    ------
    ValueError
        For changes of the character set within the text that no codec knows.
    """
    if vr not in TEXT_VRS_OF_CHARSET:
        return LATIN1.codec
    if b"\x1b" not in text:
        return (by_term(charset.split("\\", maxsplit=1)[0]) or LATIN1).codec
    if _JAPANESE.search(charset) is None:
        raise ValueError(charset)
    return "iso2022_jp_1"


def _place(tag: int) -> str:
    entry = entry_of(tag, None)
    return f"({tag >> 16:04x},{tag & 0xFFFF:04x}) {entry.name if entry else ''}".rstrip()
