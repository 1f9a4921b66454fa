"""Decides which slices a viewer is sent next, and which it drops: pure logic."""

from __future__ import annotations

__all__ = ["SliceFeed"]


class SliceFeed:
    """The part of a stack of slices that a viewer holds, around the visible slice.

    Parameters
    ----------
    count
        Number of slices.
    ahead
        Number of slices on either side that are sent in advance.
    budget
        Maximum number of bytes that the viewer holds.

    Attributes
    ----------
    is_whole_wanted
        Whether all slices that there is room for are sent in advance.

    Examples
    --------
    >>> feed = SliceFeed(10, ahead=1)
    >>> feed.missing(4)
    4
    >>> feed.put(4, 4, size=100), feed.missing(4)
    ([], 5)
    """

    def __init__(self, count: int, *, ahead: int = 12, budget: int = 96 << 20) -> None:
        self.count = count
        self._ahead = ahead
        self._budget = budget
        self._sizes: dict[int, int] = {}
        self.is_whole_wanted = False

    def missing(self, at: int) -> int | None:
        """Return the nearest slice that the viewer lacks, None if it has all slices around `at`."""
        for distance in range((self.count if self.is_whole_wanted else self._ahead) + 1):
            for number in (at + distance, at - distance):
                if 0 <= number < self.count and number not in self._sizes:
                    return number if distance == 0 or self._has_room(at, number) else None
        return None

    def _has_room(self, at: int, number: int) -> bool:
        """Whether a slice of the same size fits in without displacing a nearer one."""
        nearer = [size for other, size in self._sizes.items() if abs(other - at) <= abs(number - at)]
        return not nearer or sum(nearer) + max(nearer) <= self._budget

    def put(self, at: int, number: int, size: int) -> list[int]:
        """Record that a slice was sent; return the slices to drop for it, the farthest from `at` first."""
        self._sizes[number] = size
        dropped: list[int] = []
        held = sum(self._sizes.values())
        if held <= self._budget:
            return dropped
        for other in sorted(self._sizes, key=lambda other: abs(other - at), reverse=True):
            if held <= self._budget or other in (at, number):
                break
            held -= self._sizes.pop(other)
            dropped.append(other)
        return dropped

    def forget(self) -> None:
        """Record that the viewer holds nothing, because it was loaded again."""
        self._sizes.clear()
