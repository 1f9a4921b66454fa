"""Telling the answer to the latest request from the answers to earlier ones."""

from __future__ import annotations

__all__ = ["Latest"]


class Latest:
    """Numbers requests, so that a late answer to an earlier one is not shown.

    Attributes
    ----------
    number
        Number of the latest request, 0 before the first.

    Examples
    --------
    >>> requests = Latest()
    >>> first, second = requests.begin(), requests.begin()
    >>> requests.is_latest(first), requests.is_latest(second)
    (False, True)
    """

    def __init__(self) -> None:
        self.number = 0

    def begin(self) -> int:
        """Begin a request and return its number."""
        self.number += 1
        return self.number

    def is_latest(self, number: int) -> bool:
        """Whether no later request has begun."""
        return number == self.number
