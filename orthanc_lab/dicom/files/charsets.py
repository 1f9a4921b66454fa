"""Character sets: Orthanc's names, the terms of DICOM (PS3.3 C.12.1.1.2) and Python's codecs."""

from __future__ import annotations

from dataclasses import dataclass

from orthanc_lab.dicom.dictionary.tags import SPECIFIC_CHARACTER_SET
from orthanc_lab.dicom.files.data_set import DataSet, Element, padded

__all__ = ["ASCII", "LATIN1", "Charset", "by_name", "by_term", "names"]


@dataclass(frozen=True, slots=True)
class Charset:
    """One character set, used for the whole of a file."""

    name: str  # as in the option DefaultEncoding
    term: str  # Specific Character Set (0008,0005), "" if DICOM has none
    codec: str  # of Python

    def encode(self, text: str) -> bytes:
        """Return the text in this character set; characters it lacks are dropped, as Orthanc does."""
        return text.encode(self.codec, "ignore")

    def decode(self, value: bytes) -> str:
        """Return the text of a value; invalid bytes are replaced."""
        return value.decode(self.codec, "replace")

    def declaration(self) -> DataSet:
        """Return the element by which a data set states this character set; none if DICOM has no term for it."""
        return {SPECIFIC_CHARACTER_SET: Element("CS", padded(self.term.encode(), b" "))} if self.term else {}


ASCII = Charset("Ascii", "ISO_IR 6", "ascii")
LATIN1 = Charset("Latin1", "ISO_IR 100", "latin-1")
_CHARSETS = (
    LATIN1,
    ASCII,
    Charset("Utf8", "ISO_IR 192", "utf-8"),
    Charset("Latin2", "ISO_IR 101", "iso8859-2"),
    Charset("Latin3", "ISO_IR 109", "iso8859-3"),
    Charset("Latin4", "ISO_IR 110", "iso8859-4"),
    Charset("Latin5", "ISO_IR 148", "iso8859-9"),
    Charset("Cyrillic", "ISO_IR 144", "iso8859-5"),
    Charset("Windows1251", "", "cp1251"),
    Charset("Arabic", "ISO_IR 127", "iso8859-6"),
    Charset("Greek", "ISO_IR 126", "iso8859-7"),
    Charset("Hebrew", "ISO_IR 138", "iso8859-8"),
    Charset("Thai", "ISO_IR 166", "tis-620"),
    Charset("Japanese", "ISO_IR 13", "shift_jis"),
    Charset("Chinese", "GB18030", "gb18030"),
    Charset("JapaneseKanji", "ISO 2022 IR 87", "iso2022_jp_1"),
    Charset("Korean", "ISO 2022 IR 149", "euc_kr"),
    Charset("SimplifiedChinese", "ISO 2022 IR 58", "gb2312"),
)
_BY_NAME = {charset.name: charset for charset in _CHARSETS}
_BY_TERM = {charset.term: charset for charset in _CHARSETS if charset.term}
_BY_TERM |= {term.replace("ISO_IR", "ISO 2022 IR"): charset for term, charset in _BY_TERM.items() if "ISO_IR" in term}
_BY_TERM["GBK"] = _BY_NAME["Chinese"]
del _BY_TERM["ISO 2022 IR 192"]


# What the edition of 2005 put in the place of code points for private use; Python knows that of 2000.
GB18030_2005 = str.maketrans(
    "\ue78d\ue78e\ue78f\ue790\ue791\ue792\ue793\ue794\ue795\ue796\ue7c7\ue81e\ue826\ue82b\ue82c\ue832\ue843\ue854\ue864",
    "︐︒︑︓︔︕︖︗︘︙ḿ龴龵龶龷龸龹龺龻",
)


def names() -> tuple[str, ...]:
    """Return the names that the option ``DefaultEncoding`` knows."""
    return tuple(_BY_NAME)


def by_name(name: str) -> Charset | None:
    """Return the character set of a value of ``DefaultEncoding``."""
    return _BY_NAME.get(name)


def by_term(term: str) -> Charset | None:
    """Return the character set of a defined term (one value, any case), None if it is unknown."""
    return _BY_TERM.get(term.strip().upper())
