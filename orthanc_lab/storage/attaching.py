"""Attachments that are written, replaced and deleted apart from uploads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.annotations import key_of
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.room import Room
from orthanc_lab.storage.transaction import Key, Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Attaching", "CheckAttachment"]

CheckAttachment = Callable[[Attachment | None], None]
"""Raises if an attachment must not be changed: called with what is there, None if there is none."""

_FIRST_OF_USER = 1024


class Attaching:
    """Writes, replaces and deletes attachments; user-defined ones log an UpdatedAttachment change.

    Each makes room for itself, as an upload does.
    """

    def __init__(self, transactions: Transactions, files: AttachmentFiles, room: Room) -> None:
        self._transactions = transactions
        self._files = files
        self._room = room

    def put(
        self, id: str, type: int, data: bytes, date: str, *, compressed: bool, check: CheckAttachment | None = None
    ) -> Attachment:
        """Write or replace an attachment."""

        def operation(transaction: Transaction) -> Attachment:
            key = key_of(transaction, id)
            current = transaction.attachments(key).get(type)
            if check is not None:
                check(current)
            return self._put(transaction, key, file, current, date)

        file = self._files.prepare(type, data, compressed=compressed)
        return self._take_over(file, operation)

    def replace(self, id: str, old: Attachment, data: bytes, date: str, *, compressed: bool) -> bool:
        """Write the content of an attachment anew; False if it has been replaced in the meantime."""

        def operation(transaction: Transaction) -> Attachment:
            key = key_of(transaction, id)
            current = transaction.attachments(key).get(old.type)
            if current is None:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            if current.uuid != old.uuid:
                raise _ReplacedError
            return self._put(transaction, key, file, current, date)

        file = self._files.prepare(old.type, data, compressed=compressed)
        try:
            self._take_over(file, operation)
        except _ReplacedError:
            return False
        return True

    def _put(
        self, transaction: Transaction, key: Key, file: PreparedFile, current: Attachment | None, date: str
    ) -> Attachment:
        replaced = 0
        if current is not None:
            file = replace(file, attachment=replace(file.attachment, revision=current.revision + 1))
            replaced = current.compressed_size
        self._room.make_for_attachment(transaction, key, file.attachment.compressed_size, replaced)
        attachment = transaction.put_attachment(key, file)
        _log(transaction, key, attachment.type, date)
        return attachment

    def _take_over(self, file: PreparedFile, operation: Callable[[Transaction], Attachment]) -> Attachment:
        try:
            return self._transactions.run(operation, taken=lambda _: [file])
        except BaseException:
            self._files.abandon([file])
            raise

    def delete(self, id: str, type: int, date: str, check: CheckAttachment | None = None) -> bool:
        """Delete an attachment; False if there is none."""

        def operation(transaction: Transaction) -> bool:
            key = key_of(transaction, id)
            current = transaction.attachments(key).get(type)
            if check is not None:
                check(current)
            if current is None:
                return False
            transaction.remove_attachment(key, type)
            _log(transaction, key, type, date)
            return True

        return self._transactions.run(operation)


def _log(transaction: Transaction, key: Key, type: int, date: str) -> None:
    if type >= _FIRST_OF_USER:
        transaction.log_change(ChangeType.UPDATED_ATTACHMENT, key, date)


class _ReplacedError(Exception):
    pass
