"""Texts of any kind: each word, UID, identifier, date in them replaced; usual punctuation stays."""

from __future__ import annotations

import re
from collections.abc import Callable

from orthanc_lab.protocol.identifiers import orthanc_id
from orthanc_lab.testing.capsule.dates import Calendar, is_date, is_time
from orthanc_lab.testing.capsule.manifest import Manifest
from orthanc_lab.testing.capsule.pseudonyms import LONGEST_WORD, Pseudonyms, filled
from orthanc_lab.testing.capsule.registered import is_registered_uid

__all__ = ["Scrubber"]

_HEX = r"[0-9a-fA-F]"
_TOKENS = (
    rf"(?P<hex>(?<![^\W_])(?:{_HEX}{{8}}(?:-{_HEX}{{8}}){{4}}|{_HEX}{{8}}(?:-{_HEX}{{4}}){{3}}-{_HEX}{{12}})(?![^\W_]))"
    r"|(?P<uid>(?<![^\W_])(?<!\.)\d++(?:\.\d++){3,}+(?![^\W_]))"
    r"|(?P<stamp>(?<![^\W_])\d{8}[T-]\d{6}(?:\.\d{1,9})?(?![^\W_]))"
    r"|(?P<word>[^\W_]++)"
)
_TOKEN = re.compile(_TOKENS + r"|(?P<other>[^\w \t\r\n^=\\/.,:*?@()+-])")
_WITHOUT_MARKS = re.compile(_TOKENS + r"|(?P<other>[^\w \t\r\n])")
_SEVEN_BITS = frozenset("$%")
"""Letters of Japanese, shown as bytes of 7 bits, are these and a punctuation mark or a letter of ASCII."""
_DIGEST = re.compile(rf"(?=[0-9]*[a-fA-F])(?:{_HEX}{{32}}|{_HEX}{{40}}|{_HEX}{{64}})")
_DIGITS = re.compile(r"\d+")
_OTHER = "_"
_LEVELS = 4
_LOOPBACK = "127.0.0.1"  # an address that looks like a UID


class Scrubber:
    """Replaces what texts say, the same wherever it comes.

    It goes over a recording twice. While it learns, it takes note of what there is; then, after `close`, it replaces.

    Parameters
    ----------
    pseudonyms
        Of the capsule.
    manifest
        Counts what was replaced.

    Attributes
    ----------
    learning
        Whether it only takes note.
    """

    def __init__(self, pseudonyms: Pseudonyms, manifest: Manifest) -> None:
        self._pseudonyms = pseudonyms
        self._calendar = Calendar()
        self._manifest = manifest
        self.learning = True
        self._resources: dict[str, tuple[str, ...]] = {}  # identifier of Orthanc -> what it is the hash of
        self._children: set[tuple[str, str]] = set()
        self._ids: dict[str, str] = {}
        self._digests: dict[str, str] = {}

    # -- what is learned first -----------------------------------------------------

    def learn_resource(self, *parts: str) -> None:
        """Take note of PatientID, StudyInstanceUID, SeriesInstanceUID and SOPInstanceUID of a resource."""
        for level in range(1, len(parts) + 1):
            self._resources[orthanc_id(*parts[:level])] = parts[:level]

    def learn_child(self, parent: str, own: str) -> None:
        """Take note of a resource by the identifier of its parent, and its own UID."""
        self._children.add((parent, own))

    def close(self, pseudonym_of: Callable[[int, str], str]) -> None:
        """End the learning.

        Parameters
        ----------
        pseudonym_of
            Returns what becomes of the value of a level (0 to 3) in the hash.
        """
        self._calendar.close()
        self.learning = False
        for _ in range(2):  # series by their studies, then instances by their series
            for parent, own in self._children:
                parts = self._resources.get(parent, ())
                if 0 < len(parts) < _LEVELS:
                    self.learn_resource(*parts, own)
        for identifier, parts in self._resources.items():
            self._ids[identifier] = orthanc_id(*(pseudonym_of(level, part) for level, part in enumerate(parts)))

    def learn_digest(self, original: str, twin: str) -> None:
        """Take note that a checksum of one body stands for that of another one, from now on."""
        self._digests[original] = twin

    # -- texts ------------------------------------------------------------------------

    def text(self, text: str) -> str:
        """Return a text of the same length and usual punctuation."""
        token = _TOKEN if _SEVEN_BITS.isdisjoint(text) else _WITHOUT_MARKS
        return token.sub(self._token, text)

    def words(self, text: str, safe: frozenset[str]) -> str:
        """Return a text in which the words of a list stay."""
        return _TOKEN.sub(lambda match: match[0] if match[0].lower() in safe else self._token(match), text)

    def _token(self, match: re.Match[str]) -> str:
        kind, token = match.lastgroup, match[0]
        if kind == "word":
            return self.word(token)
        if kind == "hex":
            return self.identifier(token)
        if kind == "uid":
            return self.uid(token)
        if kind == "stamp":
            return self.date(token[:8]) + token[8] + self.time(token[9:])
        return _OTHER

    def word(self, word: str) -> str:
        """Return what stands for one word."""
        if is_date(word):
            return self.date(word)
        if len(word) > 31 and _DIGEST.fullmatch(word):
            return self._digests.get(word.lower()) or self._replaced("checksums", word, self._pseudonyms.hexadecimal)
        if len(word) > LONGEST_WORD:
            return filled(word)
        return self._replaced("words and numbers", word, self._pseudonyms.word)

    def uid(self, uid: str) -> str:
        """Return what stands for a UID; those that the standard registers stay."""
        if uid == _LOOPBACK:
            return uid
        if is_registered_uid(uid):
            if not self.learning:
                self._manifest.keep("UIDs of the standard", uid)
            return uid
        if len(uid) > 2 * LONGEST_WORD:
            return re.sub(r"[0-9]", "0", uid)
        return self._replaced("UIDs", uid, self._pseudonyms.uid)

    def identifier(self, text: str) -> str:
        """Return what stands for an identifier of Orthanc, or a UUID."""
        known = self._ids.get(text)
        return known or self._replaced("identifiers of resources and jobs", text, self._pseudonyms.hexadecimal)

    def date(self, text: str) -> str:
        """Return what stands for a date."""
        if not is_date(text):
            return self.number(text)
        if self.learning:
            self._calendar.learn_date(text)
            return text
        self._manifest.replaced["dates and times"] += 1
        return self._calendar.date(text)

    def time(self, text: str) -> str:
        """Return what stands for a time of day."""
        if not is_time(text):
            return self.number(text)
        if self.learning:
            self._calendar.learn_time(text)
            return text
        self._manifest.replaced["dates and times"] += 1
        return self._calendar.time(text)

    def number(self, text: str) -> str:
        """Return a number with other digits; its signs, dots and exponent stay."""
        if re.fullmatch(r"[\d+\-.eE ]*+", text):
            return _DIGITS.sub(lambda match: self._replaced("words and numbers", match[0], self._digits), text)
        return self.text(text)

    def _digits(self, digits: str) -> str:
        return filled(digits).replace("x", "0") if len(digits) > LONGEST_WORD else self._pseudonyms.word(digits)

    def _replaced(self, kind: str, text: str, pseudonym: Callable[[str], str]) -> str:
        if self.learning:
            self._pseudonyms.learn(text)
            return text
        self._manifest.replaced[kind] += 1
        return pseudonym(text)
