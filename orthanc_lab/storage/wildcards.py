"""Patterns with ``*`` (any text) and ``?`` (any one character), matched in linear time.

A regular expression with several ``.*`` would try all the ways to share out a text among them, and would keep the
interpreter lock for all that time. Here each part between two ``*`` takes the first place that it fits.
"""

from __future__ import annotations

from collections.abc import Sequence

from orthanc_lab.protocol.errors import ErrorCode, OrthancError

__all__ = ["MOST_COMPARISONS", "Wildcards"]

MOST_COMPARISONS = 4_000_000
"""Letters that are compared at most to find one part with ``?`` in a text."""


class Wildcards:
    """A pattern.

    Examples
    --------
    >>> pattern = Wildcards("a?c*f")
    >>> pattern.matches("abcdef"), pattern.matches("abdef")
    (True, False)
    """

    def __init__(self, pattern: str) -> None:
        parts = [_Part(text) for text in pattern.split("*")]
        self._head, self._tail = parts[0], parts[-1]
        self._is_fixed = len(parts) == 1
        self._inner = [part for part in parts[1:-1] if part.length]

    def matches(self, text: str) -> bool:
        """Tell whether the whole text fits the pattern.

        Raises
        ------
        OrthancError
            8 for a part with many ``?`` that would have to be compared with too many places of a long text.
        """
        if self._is_fixed:
            return len(text) == self._head.length and self._head.fits(text, 0)
        position, end = self._head.length, len(text) - self._tail.length
        if position > end or not self._head.fits(text, 0) or not self._tail.fits(text, end):
            return False
        for part in self._inner:
            found = part.find(text, position, end)
            if found < 0:
                return False
            position = found + part.length
        return True


class _Part:
    """What stands between two ``*``: pieces of text at fixed distances, the longest of which is the anchor."""

    __slots__ = ("_anchor", "_offset", "_pieces", "length")  # a pattern may have many

    def __init__(self, text: str) -> None:
        self.length = len(text)
        self._pieces = _pieces(text) if "?" in text else ((0, text),)
        self._offset, self._anchor = max(self._pieces, key=lambda piece: len(piece[1]), default=(0, ""))

    def fits(self, text: str, position: int) -> bool:
        """Tell whether it stands at a position, where there is room for it."""
        return all(text.startswith(piece, position + offset) for offset, piece in self._pieces)

    def find(self, text: str, start: int, end: int) -> int:
        """Return the first position from `start` on where it stands before `end`, -1 if there is none."""
        left = MOST_COMPARISONS
        last = end - self.length
        while start <= last:
            found = text.find(self._anchor, start + self._offset, last + self._offset + len(self._anchor))
            start = found - self._offset
            if found < 0 or len(self._pieces) <= 1 or self.fits(text, start):
                return start if found >= 0 else -1
            left -= self.length
            if left < 0:
                raise OrthancError(ErrorCode.BAD_REQUEST, "A pattern with wildcards is too complex")
            start += 1
        return -1


def _pieces(text: str) -> Sequence[tuple[int, str]]:
    """Return the pieces of text between the ``?``, each with its place."""
    pieces = []
    offset = 0
    for piece in text.split("?"):
        if piece:
            pieces.append((offset, piece))
        offset += len(piece) + 1
    return pieces
