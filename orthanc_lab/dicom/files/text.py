"""Text of DICOM elements converted to Unicode as Orthanc does (PS3.3 section C.12.1.1.2).

One character set holds for the whole file, its sequences included: the first term of Specific
Character Set (0008,0005) that is not empty. Where there are several terms, escape sequences
are dropped. Bytes that are invalid in the character set are dropped as well.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

from orthanc_lab.dicom.files import charsets

__all__ = ["TextDecoder", "decoder_of", "text_bytes"]

TextDecoder = Callable[[bytes], str]

_ESCAPE_SEQUENCE = re.compile(rb"\x1b[\x20-\x2f]++[\x30-\x7e]|[\x0e\x0f]")  # ECMA-35 section 13.2, and shifts
_NOT_PLAIN = re.compile(rb"[^\n\x20-\x7e]")
_YEN = str.maketrans("\\~", "¥‾")  # JIS X 0201 has them in the place of backslash and tilde
_SHIFTS = str.maketrans("", "", "\x0e\x0f\x1b")
_C1 = bytes(range(0x80, 0xA0))
_KOREAN = re.compile("[\x81-\xfe][\x40-\x7e\x80-\xfe]|[\x80-\xff]")  # windows-949: a pair is one character or none
_KOREAN_SINGLE = {"\x80": "\x80", "\xff": "\uf8f7"}
_KOREAN_PRIVATE = {"\xc9": 0xE000 - 0xA1, "\xfe": 0xE05E - 0xA1}  # rows for private use
_USUAL = 64  # bytes of a character set that is remembered
_ESCAPES_ARE_CONTENT = frozenset({"ascii", "iso2022_jp_1"})


def decoder_of(specific_character_set: bytes | None, default_encoding: str = "Latin1") -> TextDecoder:
    """Return the function that converts bytes of a file to text.

    Parameters
    ----------
    specific_character_set
        Value of (0008,0005), None if the file has none. An unknown term stands for ASCII.
    default_encoding
        The option ``DefaultEncoding``, for a file without a term.
    """
    if specific_character_set and len(specific_character_set) > _USUAL:
        return _decoder(*_codec(specific_character_set, default_encoding))
    return _usual_decoder(specific_character_set, default_encoding)


def _codec(specific_character_set: bytes | None, default_encoding: str) -> tuple[str, bool]:
    """Return the codec, and whether there are escape sequences."""
    if specific_character_set:
        terms = specific_character_set.decode("latin-1").split("\0", 1)[0].split("\\")
        term = next((term for term in terms if term.strip()), "")
        if term:
            charset = charsets.by_term(term)
            return "ascii" if charset is None else charset.codec, len(terms) > 1
    charset = charsets.by_name(default_encoding)
    return "ascii" if charset is None else charset.codec, False


@functools.lru_cache(maxsize=64)
def _usual_decoder(specific_character_set: bytes | None, default_encoding: str) -> TextDecoder:
    return _decoder(*_codec(specific_character_set, default_encoding))


def text_bytes(value: bytes) -> bytes:
    """Return a text value without its padding and without what follows a NUL, as DCMTK reads it."""
    if not len(value) & 1:
        value = value.rstrip(b" ")
    end = value.find(b"\0")
    return value if end < 0 else value[:end]


@functools.lru_cache(maxsize=64)
def _decoder(codec: str, code_extensions: bool) -> TextDecoder:
    decode = _SPECIAL.get(codec) or functools.partial(_lenient, codec=codec)
    if code_extensions and codec not in _ESCAPES_ARE_CONTENT:
        plain = decode
        return lambda value: plain(_ESCAPE_SEQUENCE.sub(b"", value))
    return decode


def _lenient(value: bytes, codec: str) -> str:
    return value.decode(codec, "ignore")


def _latin1(value: bytes) -> str:
    return value.decode("latin-1")


def _ascii(value: bytes) -> str:
    return _NOT_PLAIN.sub(b"", value).decode("ascii")


def _iso_2022_jp(value: bytes) -> str:
    return value.decode("iso2022_jp_1", "ignore").translate(_SHIFTS)


def _shift_jis(value: bytes) -> str:
    return value.decode("shift_jis", "ignore").translate(_YEN)


def _thai(value: bytes) -> str:
    return value.translate(None, _C1).decode("tis-620", "ignore")


def _korean(value: bytes) -> str:
    return _KOREAN.sub(_korean_character, value.decode("latin-1"))


def _korean_character(match: re.Match[str]) -> str:
    lead, trail = match[0][0], match[0][1:]
    if not trail:
        return _KOREAN_SINGLE.get(lead, "")
    if trail >= "\xa1" and lead in _KOREAN_PRIVATE:
        return chr(_KOREAN_PRIVATE[lead] + ord(trail))
    try:
        return match[0].encode("latin-1").decode("cp949")
    except UnicodeDecodeError:
        return ""


def _gb18030(value: bytes) -> str:
    return value.decode("gb18030", "ignore").translate(charsets.GB18030_2005)


def _utf8(value: bytes) -> str:
    try:
        return value.decode("utf-8")
    except UnicodeDecodeError:
        return "".join(_valid_utf8(value))


def _valid_utf8(value: bytes) -> list[str]:
    # A byte that breaks a character off is lost together with what came before it.
    found = []
    position = 0
    while position < len(value):
        length = 1 + _trail_length(value[position])
        start, position = position, position + 1
        while position - start < length and position < len(value):
            position += 1
            if value[position - 1] & 0xC0 != 0x80:
                break
        if length:
            found.append(value[start:position].decode("utf-8", "ignore") if _is_whole(value[start:position]) else "")
    return found


def _trail_length(lead: int) -> int:
    if lead < 0x80:
        return 0
    if lead < 0xC2:
        return -1
    return 1 if lead < 0xE0 else 2 if lead < 0xF0 else 3 if lead <= 0xF4 else -1


def _is_whole(character: bytes) -> bool:
    try:
        return len(character.decode("utf-8")) == 1
    except UnicodeDecodeError:
        return False


_SPECIAL: dict[str, TextDecoder] = {
    "ascii": _ascii,
    "latin-1": _latin1,
    "utf-8": _utf8,
    "iso2022_jp_1": _iso_2022_jp,
    "shift_jis": _shift_jis,
    "euc_kr": _korean,
    "gb18030": _gb18030,
    "tis-620": _thai,
}
