"""Attachments that are written, replaced and deleted apart from uploads."""

from __future__ import annotations

from collections.abc import Callable

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.annotations import key_of
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.transaction import Key, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Attaching"]

_FIRST_OF_USER = 1024


class Attaching:
    """Writes, replaces and deletes attachments; user-defined ones log an UpdatedAttachment change."""

    def __init__(self, transactions: Transactions, files: AttachmentFiles) -> None:
        self._transactions = transactions
        self._files = files

    def put(self, id: str, type: int, data: bytes, date: str, *, compressed: bool) -> Attachment:
        """Write or replace an attachment."""
        file = self._files.prepare(type, data, compressed=compressed)
        return self._take_over(file, lambda transaction: _put(transaction, key_of(transaction, id), file, date))

    def replace(self, id: str, old: Attachment, data: bytes, date: str, *, compressed: bool) -> bool:
        """Write the content of an attachment anew; False if it has been replaced in the meantime."""

        def operation(transaction: Transaction) -> Attachment:
            key = key_of(transaction, id)
            current = transaction.attachments(key).get(old.type)
            if current is None:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            if current.uuid != old.uuid:
                raise _ReplacedError
            return _put(transaction, key, file, date)

        file = self._files.prepare(old.type, data, compressed=compressed)
        try:
            self._take_over(file, operation)
        except _ReplacedError:
            return False
        return True

    def _take_over(self, file: PreparedFile, operation: Callable[[Transaction], Attachment]) -> Attachment:
        try:
            attachment = self._transactions.run(operation, taken=lambda _: [file])
        except BaseException:
            self._files.abandon([file])
            raise
        self._files.settle([file])
        return attachment

    def delete(self, id: str, type: int, date: str) -> bool:
        """Delete an attachment; False if there is none."""

        def operation(transaction: Transaction) -> bool:
            key = key_of(transaction, id)
            if type not in transaction.attachments(key):
                return False
            transaction.remove_attachment(key, type)
            _log(transaction, key, type, date)
            return True

        return self._transactions.run(operation)


def _put(transaction: Transaction, key: Key, file: PreparedFile, date: str) -> Attachment:
    attachment = transaction.put_attachment(key, file)
    _log(transaction, key, attachment.type, date)
    return attachment


def _log(transaction: Transaction, key: Key, type: int, date: str) -> None:
    if type >= _FIRST_OF_USER:
        transaction.log_change(ChangeType.UPDATED_ATTACHMENT, key, date)


class _ReplacedError(Exception):
    pass
