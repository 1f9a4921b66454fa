"""The sub-operations of a C-GET or C-MOVE, counted (PS3.7 sections 9.1.3 and 9.1.4)."""

from __future__ import annotations

from orthanc_lab.dimse.command_set import Command, Field

__all__ = ["SubOperations"]


class SubOperations:
    """How many instances are sent, and how it went.

    Parameters
    ----------
    total
        The instances to send.
    """

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self.completed = 0
        self.failed = 0
        self.warning = 0

    @property
    def remaining(self) -> int:
        """How many are not done yet."""
        return self.total - self.completed - self.failed - self.warning

    def fields(self, *, with_remaining: bool) -> Command:
        """Return the counts for a response; the remaining ones belong to those that are pending or cancelled."""
        fields = {
            Field.COMPLETED_SUBOPERATIONS: _number(self.completed),
            Field.FAILED_SUBOPERATIONS: _number(self.failed),
            Field.WARNING_SUBOPERATIONS: _number(self.warning),
        }
        return {Field.REMAINING_SUBOPERATIONS: _number(self.remaining), **fields} if with_remaining else fields


def _number(count: int) -> int:
    return min(count, 0xFFFF)
