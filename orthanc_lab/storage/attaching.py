"""Attachments: their rows, and how they come and go other than by an upload."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.storage.files.attachments import AttachmentFiles, PreparedFile
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.sqlite.attachment_column import read_attachments, write_attachments
from orthanc_lab.storage.sqlite.deletion import forget_file
from orthanc_lab.storage.sqlite.json_text import bindable
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.statements import SQL
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["Attaching", "place", "take_over"]

_FIRST_OF_USER = 1024
_ADD_SMALL = SQL["add_small_file"]


def place(transaction: Transaction, files: Sequence[PreparedFile]) -> list[Attachment]:
    """Return the attachments that files will be: the small ones know their rows. Nothing is written."""
    row = transaction.totals.last_small_file
    attachments = []
    for file in files:
        if file.content is None:
            attachments.append(file.attachment)
        else:
            row += 1
            attachments.append(replace(file.attachment, row=row))
    return attachments


def take_over(transaction: Transaction, attachments: Sequence[Attachment], files: Sequence[PreparedFile]) -> None:
    """Write what `place` promised; the caller writes the column."""
    totals = transaction.totals
    for attachment, file in zip(attachments, files, strict=True):
        totals.disk_size += attachment.compressed_size
        totals.uncompressed_size += attachment.uncompressed_size
        if attachment.row is not None:
            totals.last_small_file = attachment.row
            transaction.awaits_disk = True
            transaction.execute(_ADD_SMALL, (attachment.row, file.content))


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
            current = _read(transaction, id)[1].get(old.type)
            if current is None:
                raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
            if current.uuid != old.uuid:
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
            key, attachments = _read(transaction, id)
            old = attachments.pop(type, None)
            if old is None:
                return False
            forget_file(transaction, old)
            _write(transaction, key, attachments, type, date)
            return True

        return self._writer.run(operation)


def _replace(transaction: Transaction, id: str, file: PreparedFile, date: str) -> Attachment:
    key, attachments = _read(transaction, id)
    type = file.attachment.type
    if type in attachments:
        forget_file(transaction, attachments[type])
    placed = place(transaction, [file])
    take_over(transaction, placed, [file])
    attachments[type] = placed[0]
    _write(transaction, key, attachments, type, date)
    return placed[0]


def _read(transaction: Transaction, id: str) -> tuple[int, dict[int, Attachment]]:
    row = transaction.execute(SQL["attachments"], (bindable(id),)).fetchone()
    if row is None:
        raise OrthancError(ErrorCode.UNKNOWN_RESOURCE)
    return row[0], read_attachments(row[1])


def _write(transaction: Transaction, key: int, attachments: dict[int, Attachment], changed: int, date: str) -> None:
    transaction.execute(SQL["set_attachments"], (write_attachments(attachments.values()), key))
    if changed >= _FIRST_OF_USER:
        log_change(transaction, ChangeType.UPDATED_ATTACHMENT, key, date)


class _ReplacedError(Exception):
    pass
