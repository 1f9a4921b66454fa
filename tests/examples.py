"""How many examples a hypothesis test takes."""

from __future__ import annotations

from hypothesis import settings

__all__ = ["examples"]


def examples(number: int) -> settings:
    """Return the settings for so many examples in the long run, and for the same part of them as of all else."""
    return settings(max_examples=max(10, number * settings().max_examples // 100))
