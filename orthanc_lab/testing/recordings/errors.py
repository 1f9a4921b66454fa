"""What can be wrong with a recording."""

from __future__ import annotations

__all__ = ["NotRecordedError", "RecordingError"]


class RecordingError(ValueError):
    """The file is not a recording, is of another version, or is damaged; the message says which, and where."""


class NotRecordedError(AssertionError):
    """A request was sent to a replayed server that is not in its recording; the message shows the nearest ones."""
