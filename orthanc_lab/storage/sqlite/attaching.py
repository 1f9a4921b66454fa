"""Attachments other than by an upload."""

from __future__ import annotations

from dataclasses import replace

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.storage.files.attachments import AttachmentFiles, PreparedFile
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.sqlite.annotations import key_of
from orthanc_lab.storage.sqlite.deletion import delete_attachments
from orthanc_lab.storage.sqlite.logs import log_change
from orthanc_lab.storage.sqlite.writer import Transaction, Writer

__all__ = ["FIRST_OF_USER", "attach", "put", "remove"]

FIRST_OF_USER = 1024
_ATTACH = "INSERT INTO attachments VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)"


def attach(transaction: Transaction, key: int, file: PreparedFile) -> Attachment:
    """Add a row for a file that is ready."""
    row = None
    totals = transaction.totals
    if file.content is not None:
        totals.last_small_file += 1
        row = totals.last_small_file
        transaction.execute("INSERT INTO small_files VALUES (?, ?)", (row, file.content))
    it = file.attachment
    transaction.execute(
        _ATTACH,
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


def put(
    writer: Writer, files: AttachmentFiles, date: str, id: str, type: int, data: bytes, compressed: bool
) -> Attachment:
    """Write or replace an attachment; a user-defined one logs a change (unless `date` is empty)."""

    def operation(transaction: Transaction) -> Attachment:
        key = key_of(transaction, id)
        delete_attachments(transaction, [key], type)
        attachment = attach(transaction, key, file)
        if date and type >= FIRST_OF_USER:
            log_change(transaction, ChangeType.UPDATED_ATTACHMENT, key, date)
        return attachment

    file = files.prepare(type, data, compressed=compressed)
    try:
        attachment = writer.run(operation)
    except BaseException:
        files.abandon([file])
        raise
    files.settle([file])
    return attachment


def remove(writer: Writer, date: str, id: str, type: int) -> bool:
    """Delete an attachment; False if there is none."""

    def operation(transaction: Transaction) -> bool:
        key = key_of(transaction, id)
        known = transaction.execute("SELECT 1 FROM attachments WHERE resource = ? AND type = ?", (key, type)).fetchone()
        if known is None:
            return False
        delete_attachments(transaction, [key], type)
        if type >= FIRST_OF_USER:
            log_change(transaction, ChangeType.UPDATED_ATTACHMENT, key, date)
        return True

    return writer.run(operation)
