"""Room in the storage: its limits, and the patients that are recycled to stay within them."""

from __future__ import annotations

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.deletion import recycle_one
from orthanc_lab.storage.options import StorageOptions
from orthanc_lab.storage.transaction import Key, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Room"]


class Room:
    """Keeps the storage within ``MaximumStorageSize`` and ``MaximumPatientCount``."""

    def __init__(self, options: StorageOptions) -> None:
        self._largest = options.maximum_storage_size << 20
        self._most_patients = options.maximum_patient_count
        self._recycles = options.maximum_storage_mode != "Reject"
        self.is_limited = bool(self._largest or self._most_patients)

    def make(self, transaction: Transaction, arriving: int, spared: Key | None, *, is_new: bool = False) -> bool:
        """Recycle patients until `arriving` bytes fit in; False if they cannot.

        Parameters
        ----------
        spared
            The patient that must stay.
        is_new
            Whether a patient arrives.
        """
        while self._is_too_much(transaction, arriving, 1 if is_new else None):
            if not self._recycles or not recycle_one(transaction, spared):
                return False
        return True

    def make_for_attachment(self, transaction: Transaction, key: Key, size: int, replaced: int) -> None:
        """Make room for an attachment of a resource, in which another one of `replaced` bytes goes.

        Raises
        ------
        OrthancError
            19 if it does not fit in.
        """
        if not self._largest:
            return
        if size > self._largest:
            details = f"Cannot store an instance of size {size} bytes in a storage area limited to {self._largest}"
            raise OrthancError(ErrorCode.FULL_STORAGE, details, status=500)
        if not self.make(transaction, size - replaced, _patient_of(transaction, key)):
            raise OrthancError(ErrorCode.FULL_STORAGE, "Cannot recycle more patients", status=500)

    def recycle(self, transactions: Transactions) -> None:
        """Recycle what is too much by limits that are new, as far as patients are not protected."""
        while self._recycles and self.is_limited and transactions.run(self._recycle_one):
            pass  # others write in between

    def _recycle_one(self, transaction: Transaction) -> bool:
        return self._is_too_much(transaction, 0, 0) and recycle_one(transaction, None)

    def _is_too_much(self, transaction: Transaction, arriving: int, patients: int | None) -> bool:
        """Tell whether so many more bytes and patients are too much; None: as many patients as there are."""
        totals = transaction.totals()
        if self._largest and totals.disk_size + arriving > self._largest:
            return True
        return bool(self._most_patients) and patients is not None and totals.patients + patients > self._most_patients


def _patient_of(transaction: Transaction, key: Key) -> Key:
    while (parent := transaction.place_of(key).parent) is not None:
        key = parent
    return key
