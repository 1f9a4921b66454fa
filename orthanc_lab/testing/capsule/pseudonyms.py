"""Pseudonyms: for each word, UID and identifier another one of the same shape, the same wherever it comes.

They are made with a key that is forgotten with the object, so that nobody finds a word by trying out all words.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from collections.abc import Iterator
from itertools import count

__all__ = ["LONGEST_WORD", "Pseudonyms", "filled"]

LONGEST_WORD = 64
"""Letters of a word up to which it gets a pseudonym; a longer one is filled with ``x``."""

_TRIES = 300
_STRICT_TRIES = 200
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_DIGITS = "0123456789"
_HEX = "0123456789abcdef"
_SCRIPTS = (  # first and last letter, and some that all character sets of the script have
    (0x00DF, 0x00FF, "áâäçéëíîóôöúüý"),
    (0x0100, 0x017F, "áâäçéëíîóôöúüý"),
    (0x03AC, 0x03CE, "αβγδεζηθικλμνξοπρστυφχψω"),
    (0x0430, 0x045F, "абвгдежзиклмнопрстуфхцчшщыэюя"),
    (0x05D0, 0x05EA, "אבגדהוזחטיכלמנסעפצקרשת"),
    (0x0621, 0x064A, "ابتثجحخدذرزسشصضطظعغفقكلمنهوي"),
    (0x0E01, 0x0E2E, "กขคงจชซญดตถทนบปผพฟมยรลวสห"),
    (0x3041, 0x3096, "あいうえおかきくけこさしすせそたちつてと"),
    (0x30A1, 0x30FA, "アイウエオカキクケコサシスセソタチツテト"),
    (0x4E00, 0x9FFF, "一二三四五六七八九十山川田中本木日月火水"),
    (0xAC00, 0xD7A3, "가나다라마바사아자차카타파하"),
    (0xFF66, 0xFF9D, "ｱｲｳｴｵｶｷｸｹｺｻｼｽｾｿﾀﾁﾂﾃﾄ"),
)


_LINE = re.compile(r"[^\r\n]++")
_FILL = bytes(code if code in b"\r\n" else ord("x") for code in range(256))


def filled(text: str) -> str:
    r"""Return a text of as many letters, all of them ``x``; line breaks stay.

    Examples
    --------
    >>> filled("Two lines\n of text")
    'xxxxxxxxx\nxxxxxxxx'
    """
    if text.isascii():  # ten times as fast
        return text.encode().translate(_FILL).decode()
    return _LINE.sub(lambda line: "x" * len(line[0]), text)


class Pseudonyms:
    """The pseudonyms of one capsule.

    Before the first pseudonym is asked for, all words that occur are to be learned: none of them is used as a
    pseudonym, as far as words of their length leave a choice.

    Parameters
    ----------
    key
        Decides which ones they are; one that nobody knows if omitted.

    Examples
    --------
    >>> pseudonyms = Pseudonyms(b"of this example")
    >>> pseudonyms.word("Miller"), pseudonyms.word("MILLER"), pseudonyms.word("PAT007")
    ('Jtdxms', 'JTDXMS', 'EHE040')
    """

    def __init__(self, key: bytes | None = None) -> None:
        self._key = key or secrets.token_bytes(32)
        self._originals: set[str] = set()
        self._of: dict[str, str] = {}
        self._used: set[str] = set()

    def learn(self, text: str) -> None:
        """Take note of a word, UID or identifier that occurs."""
        self._originals.add(text.lower())

    def __len__(self) -> int:
        return len(self._of)

    def word(self, word: str) -> str:
        """Return the pseudonym of a word: letters for letters, digits for digits, in the same case."""
        if len(word) > LONGEST_WORD:
            return filled(word)
        plain = word.lower()
        if len(plain) != len(word):
            plain = word
        found = self._of.get(plain) or self._new(plain, [_alphabet(letter) for letter in plain])
        return "".join(_in_case(letter, like) for letter, like in zip(found, word, strict=True))

    def uid(self, uid: str) -> str:
        """Return the pseudonym of a UID: numbers of the same length between the same dots."""
        found = self._of.get(uid)
        if found is not None:
            return found
        alphabets: list[str] = []
        for place, number in enumerate(uid.split(".")):
            if alphabets:
                alphabets.append(".")
            first = number[:1] if number[:1] == "0" or not place else "123" if place == 1 else "123456789"
            alphabets += [first] * bool(number) + [_DIGITS] * (len(number) - 1)
        return self._new(uid, alphabets)

    def hexadecimal(self, text: str) -> str:
        """Return the pseudonym of an identifier in lower-case hexadecimal digits, with the same dashes."""
        plain = text.lower()
        found = self._of.get(plain)
        if found is None:
            found = self._new(plain, [_HEX if letter in _HEX else letter for letter in plain])
        return found if text == plain else found.upper()

    def _new(self, text: str, alphabets: list[str]) -> str:
        found = ""
        for number, candidate in zip(range(_TRIES), self._candidates(text, alphabets), strict=False):
            found = candidate
            if candidate not in self._used and (candidate not in self._originals or number > _STRICT_TRIES):
                break
        self._used.add(found)
        self._of[text] = found
        return found

    def _candidates(self, text: str, alphabets: list[str]) -> Iterator[str]:
        for number in count():
            stream = self._stream(f"{number} {text}", 2 * len(alphabets))
            yield "".join(
                alphabet[int.from_bytes(stream[2 * index : 2 * index + 2], "big") % len(alphabet)]
                for index, alphabet in enumerate(alphabets)
            )

    def _stream(self, text: str, size: int) -> bytes:
        found = b""
        for block in count():
            if len(found) >= size:
                return found
            data = f"{block} {text}".encode("utf-8", "surrogatepass")
            found += hashlib.blake2b(data, key=self._key[:64]).digest()
        return found


def _alphabet(letter: str) -> str:
    if letter in _LETTERS:
        return _LETTERS
    if letter in _DIGITS:
        return _DIGITS
    code = ord(letter)
    return next((letters for first, last, letters in _SCRIPTS if first <= code <= last), "x")


def _in_case(letter: str, like: str) -> str:
    if not like.isupper():
        return letter
    upper = letter.upper()
    return upper if len(upper) == 1 else letter
