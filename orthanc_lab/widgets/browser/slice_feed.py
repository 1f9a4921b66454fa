"""Which slices a viewer is sent next, and which it drops: pure."""

from __future__ import annotations

__all__ = ["SliceFeed"]


class SliceFeed:
    """What a viewer holds of a stack of slices, around the one that is looked at.

    Parameters
    ----------
    count
        Number of slices.
    ahead
        So many on both sides are sent before they are asked for.
    budget
        Bytes that the viewer holds at most.

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

    def missing(self, at: int) -> int | None:
        """Return the nearest slice that is not there, None if all around `at` are."""
        for distance in range(self._ahead + 1):
            for number in (at + distance, at - distance):
                if 0 <= number < self.count and number not in self._sizes:
                    return number if distance == 0 or self._has_room(at, number) else None
        return None

    def _has_room(self, at: int, number: int) -> bool:
        """Whether a slice like the others may come without driving out a nearer one."""
        nearer = [size for other, size in self._sizes.items() if abs(other - at) <= abs(number - at)]
        return not nearer or sum(nearer) + max(nearer) <= self._budget

    def put(self, at: int, number: int, size: int) -> list[int]:
        """Note that a slice is there; return those that go for it, the farthest from `at` first."""
        self._sizes[number] = size
        dropped = []
        for other in sorted(self._sizes, key=lambda other: abs(other - at), reverse=True):
            if sum(self._sizes.values()) <= self._budget or other in (at, number):
                break
            del self._sizes[other]
            dropped.append(other)
        return dropped

    def forget(self) -> None:
        """Note that the viewer holds nothing: it began anew."""
        self._sizes.clear()
