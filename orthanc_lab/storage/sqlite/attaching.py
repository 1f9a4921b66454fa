"""Attachments: their rows, and how they come and go other than by an upload."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.attachments import AttachmentFiles, PreparedFile
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.sqlite.additions import key_of
from orthanc_lab.storage.sqlite.deletion import delete_attachment
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Attaching", "attach"]

_FIRST_OF_USER = 1024
_ADD, _ADD_SMALL = SQL["add_attachment"], SQL["add_small_file"]


def attach(transaction: Transaction, key: int, file: PreparedFile) -> Attachment:
    """Add a row for a file that is ready."""
    row = None
    totals = transaction.totals
    if file.content is not None:
        totals.last_small_file += 1
        row = totals.last_small_file
        transaction.execute(_ADD_SMALL, (row, file.content))
    it = file.attachment
    transaction.execute(
        _ADD,
        (
            key,
            int(it.type),
            it.uuid,
            it.uncompressed_size,
            it.uncompressed_md5,
            it.compressed_size,
            it.compressed_md5,
            int(it.compressed),
            row,
        ),
    )
    totals.disk_size += it.compressed_size
    totals.uncompressed_size += it.uncompressed_size
    return it if row is None else replace(it, row=row)


class Attaching:
    """Writes, replaces and deletes attachments; user-defined ones log an UpdatedAttachment change."""

    def __init__(self, writer: Writer, files: AttachmentFiles) -> None:
        self._writer = writer
        self._files = files

    def put(self, id: str, type: int, data: bytes, date: str, *, compressed: bool) -> Attachment:
        """Write or replace an attachment."""
        file = self._files.prepare(type, data, compressed=compressed)
        return self._take_over(file, lambda transaction: _replace(transaction, id, file, date))

    def replace(self, id: str, old: Attachment, data: bytes, date: str, *, compressed: bool) -> bool:
        """Write the content of an attachment anew; False if it was replaced by somebody else in the meantime."""

        def operation(transaction: Transaction) -> Attachment:
            row = transaction.execute(SQL["attachment"], (id, old.type)).fetchone()
            if row is None:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            if row[1] != old.uuid:
                raise _ReplacedError
            return _replace(transaction, id, file, date)

        file = self._files.prepare(old.type, data, compressed=compressed)
        try:
            self._take_over(file, operation)
        except _ReplacedError:
            return False
        return True

    def _take_over(self, file: PreparedFile, operation: Callable[[Transaction], Attachment]) -> Attachment:
        try:
            attachment = self._writer.run(operation)
        except BaseException:
            self._files.abandon([file])
            raise
        self._files.settle([file])
        return attachment

    def delete(self, id: str, type: int, date: str) -> bool:
        """Delete an attachment; False if there is none."""

        def operation(transaction: Transaction) -> bool:
            key = key_of(transaction, id)
            found = delete_attachment(transaction, key, type)
            if found and type >= _FIRST_OF_USER:
                log_change(transaction, ChangeType.UPDATED_ATTACHMENT, key, date)
            return found

        return self._writer.run(operation)


def _replace(transaction: Transaction, id: str, file: PreparedFile, date: str) -> Attachment:
    key, type = key_of(transaction, id), file.attachment.type
    delete_attachment(transaction, key, type)
    if type >= _FIRST_OF_USER:
        log_change(transaction, ChangeType.UPDATED_ATTACHMENT, key, date)
    return attach(transaction, key, file)


class _ReplacedError(Exception):
    pass
