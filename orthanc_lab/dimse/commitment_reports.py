"""The storage commitments that we have asked for, and the reports on them: in the database, so that none is lost."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from threading import Lock

from orthanc_lab.dimse.commitment_data import CommitmentResult, Failure, Reference
from orthanc_lab.storage.ports import PropertyKeeping

__all__ = ["CommitmentReport", "CommitmentReports"]


@dataclass(frozen=True, slots=True)
class CommitmentReport:
    """A transaction."""

    number: int  # in the order of the requests
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
    """The last transactions; a new one takes the place of the oldest.

    Parameters
    ----------
    storage
        Keeps each as a global property of its own, so that a report of many instances does not rewrite the others.
    size
        How many are kept, ``StorageCommitmentReportsSize``; 0 for all.
    """

    def __init__(self, storage: PropertyKeeping, size: int) -> None:
        self._storage = storage
        self._size = size
        self._lock = Lock()
        self._slots: dict[str, int] | None = None  # by transaction, oldest first; None: not read yet

    def add(self, transaction: str, aet: str) -> None:
        """Take note of a request, before it is sent."""
        with self._lock:
            slots = self._known()
            last = [self._read(slots[uid]) for uid in list(slots)[-1:]]
            number = last[0].number + 1 if last and last[0] is not None else 1
            if self._size and len(slots) >= self._size:
                slot = slots.pop(next(iter(slots)))
            else:
                used = set(slots.values())
                slot = next(slot for slot in range(len(used) + 1) if slot not in used)
            self._write(slot, CommitmentReport(number, transaction, aet))
            slots[transaction] = slot

    def get(self, transaction: str) -> CommitmentReport | None:
        """Return a transaction, None if it is unknown."""
        with self._lock:
            slot = self._known().get(transaction)
            return None if slot is None else self._read(slot)

    def take(self, result: CommitmentResult) -> bool:
        """Keep a report; False if its transaction is unknown."""
        with self._lock:
            slot = self._known().get(result.transaction)
            report = None if slot is None else self._read(slot)
            if slot is None or report is None:
                return False
            known = replace(report, is_pending=False, success=result.success, failures=result.failures)
            self._write(slot, known)
            return True

    def _known(self) -> dict[str, int]:
        if self._slots is None:
            found = []
            slot = 0
            while (report := self._read(slot)) is not None:
                found.append((report.number, report.transaction, slot))
                slot += 1
            kept = sorted(found)[-self._size :] if self._size else sorted(found)
            self._slots = {transaction: slot for _, transaction, slot in kept}
        return self._slots

    def _read(self, slot: int) -> CommitmentReport | None:
        text = self._storage.get_property(_name(slot))
        if not text:
            return None
        saved = json.loads(text)
        return CommitmentReport(
            saved["number"],
            saved["transaction"],
            saved["aet"],
            saved["pending"],
            [Reference(*item) for item in saved["success"]],
            [Failure(*item) for item in saved["failures"]],
        )

    def _write(self, slot: int, report: CommitmentReport) -> None:
        saved = {
            "number": report.number,
            "transaction": report.transaction,
            "aet": report.aet,
            "pending": report.is_pending,
            "success": report.success,
            "failures": report.failures,
        }
        self._storage.set_property(_name(slot), json.dumps(saved))


def _name(slot: int) -> str:
    return f"StorageCommitment-{slot}"
