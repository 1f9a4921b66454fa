"""The storage commitments that we have asked for, and the reports on them: in the database, so that none is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from orthanc_lab.dimse.commitment_data import CommitmentResult, Failure, Reference
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["CommitmentReport", "CommitmentReports"]

_LIST = "StorageCommitments"


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """A transaction."""

    transaction: str  # UID
    aet: str  # the node that was asked
    is_pending: bool = True
    success: Sequence[Reference] = ()
    failures: Sequence[Failure] = ()

    @property
    def status(self) -> str:
        """``Pending``, ``Success`` or ``Failure``."""
        if self.is_pending:
            return "Pending"
        return "Failure" if self.failures else "Success"


class CommitmentReports:
    """The last transactions, of all servers that share the database; a new one takes the place of the oldest.

    Parameters
    ----------
    storage
        Keeps each as a global property of its own, so that a report of many instances does not rewrite the others.
        A further one lists which property (its slot) is whose.
    size
        How many are kept, ``StorageCommitmentReportsSize``; 0 for all.
    """

    def __init__(self, storage: PropertyKeeping, size: int) -> None:
        self._storage = storage
        self._size = size

    def add(self, transaction: str, aet: str) -> None:
        """Take note of a request, before it is sent."""
        earlier = self._slots()
        chosen = 0

        def change(text: str | None) -> str:
            nonlocal chosen
            slots = dict(earlier) if text is None else _read_slots(text)
            while self._size and len(slots) > self._size:
                slots.pop(next(iter(slots)))
            if self._size and len(slots) == self._size:
                chosen = slots.pop(next(iter(slots)))
            else:
                used = set(slots.values())
                chosen = next(slot for slot in range(len(used) + 1) if slot not in used)
            slots[transaction] = chosen
            return json.dumps(slots)

        self._storage.change_property(_LIST, change)
        self._storage.set_property(_name(chosen), _written(CommitmentReport(transaction, aet)))

    def get(self, transaction: str) -> CommitmentReport | None:
        """Return a transaction, None if it is unknown."""
        slot = self._slots().get(transaction)
        return None if slot is None else _read(self._storage.get_property(_name(slot)), transaction)

    def take(self, result: CommitmentResult) -> bool:
        """Keep a report; False if its transaction is unknown."""
        slot = self._slots().get(result.transaction)
        if slot is None:
            return False
        is_known = False

        def change(text: str | None) -> str:
            nonlocal is_known
            report = _read(text, result.transaction)
            is_known = report is not None
            if report is None:  # its place was given to another one
                return text or ""
            return _written(replace(report, is_pending=False, success=result.success, failures=result.failures))

        self._storage.change_property(_name(slot), change)
        return is_known

    def _slots(self) -> dict[str, int]:
        """Return the slots by transaction, the oldest first."""
        text = self._storage.get_property(_LIST)
        if text is not None:
            return _read_slots(text)
        found: list[tuple[int, str, int]] = []  # a version before this one had no list
        while saved := json.loads(self._storage.get_property(_name(len(found))) or "null"):
            found.append((saved["number"], saved["transaction"], len(found)))
        return {transaction: slot for _, transaction, slot in sorted(found)}


def _name(slot: int) -> str:
    return f"StorageCommitment-{slot}"


def _read_slots(text: str) -> dict[str, int]:
    slots: dict[str, int] = json.loads(text)
    return slots


def _read(text: str | None, transaction: str) -> CommitmentReport | None:
    saved: dict[str, Any] | None = json.loads(text) if text else None
    if saved is None or saved["transaction"] != transaction:
        return None
    return CommitmentReport(
        saved["transaction"],
        saved["aet"],
        saved["pending"],
        [Reference(*item) for item in saved["success"]],
        [Failure(*item) for item in saved["failures"]],
    )


def _written(report: CommitmentReport) -> str:
    saved = {
        "transaction": report.transaction,
        "aet": report.aet,
        "pending": report.is_pending,
        "success": report.success,
        "failures": report.failures,
    }
    return json.dumps(saved)
