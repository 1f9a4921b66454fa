"""Texts compared without regard to case and accents, which Orthanc's search tells apart."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["folded", "holds", "pattern_without_accents"]

_STROKES = str.maketrans("łøđħŧıĸŋ", "lodhtikn")  # letters that Unicode does not take apart
_ACCENTED = frozenset("acdegilnorstuyzαεηιουωеи")  # the letters that carry accents in European names
_FEWEST = 3  # letters of a text that is sought with other accents: fewer would match nearly everything


def folded(text: str) -> str:
    """Return a text in lower case, without accents, with single spaces between its words.

    Examples
    --------
    >>> folded("Müller^Änne"), folded("Łukasz")
    ('muller anne', 'lukasz')
    """
    letters = unicodedata.normalize("NFKD", text.replace("^", " ").replace("=", " ").lower())
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    return " ".join(plain.translate(_STROKES).split())


def holds(text: str, words: str) -> bool:
    """Whether a text holds words that were `folded`, in this order.

    Examples
    --------
    >>> holds("Müller^Änne", "mull an"), holds("Miller^Anne", "muller")
    (True, False)
    """
    at, value = 0, folded(text)
    for word in words.split():
        at = value.find(word, at)
        if at < 0:
            return False
        at += len(word)
    return True


def pattern_without_accents(words: str) -> str:
    """Return a pattern that also matches words with other accents, "" if they can have none.

    It has ``*`` where letters with accents may be, not ``?``: Orthanc drops such letters before it compares.

    Examples
    --------
    >>> pattern_without_accents("Müller"), pattern_without_accents("M?ller"), pattern_without_accents("123")
    ('*m*', '', '')
    """
    if "?" in words or len(words) < _FEWEST:
        return ""
    letters = [_plain(letter) for letter in unicodedata.normalize("NFC", words.lower())]
    if not _ACCENTED.intersection(letters):
        return ""
    pattern = "".join("*" if letter in _ACCENTED else letter for letter in letters)
    return re.sub(r"\*+", "*", f"*{pattern}*")


def _plain(letter: str) -> str:
    return folded(letter) or letter
