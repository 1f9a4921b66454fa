"""Files that go from one place to another, while they are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace

from orthanc_lab.protocol.errors import VANISHED, OrthancError
from orthanc_lab.protocol.execution import Executor
from orthanc_lab.storage.files.area import FileArea
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.index import Index
from orthanc_lab.storage.records import Attachment, MovedFiles
from orthanc_lab.storage.transaction import Transaction
from orthanc_lab.storage.transactions import Transactions

__all__ = ["Moving"]

_AT_ONCE = 8
_MOST_BESIDE = 16 << 20  # bytes; a larger file is waited for before the next one begins


@dataclass(frozen=True, slots=True)
class _Copy:
    resource: str
    old: Attachment
    file: PreparedFile


class Moving:
    """Moves files between the places of a storage.

    A file is copied under a UUID of its own, and the copy compared with it; then one transaction makes the attachments
    refer to the copies, unless they have been replaced meanwhile, and releases what they referred to before. So
    somebody who moves the same file elsewhere at the same time, on whichever server, loses nothing.
    """

    def __init__(
        self,
        index: Index,
        transactions: Transactions,
        files: AttachmentFiles,
        places: Mapping[str, FileArea],
        executor: Executor,
    ) -> None:
        self._index = index
        self._transactions = transactions
        self._files = files
        self._places = places
        self._pool = executor.pool("storage-moves", _AT_ONCE)

    def places(self) -> Sequence[str]:
        """Return the names of the places; see `orthanc_lab.storage.ports.Files.file_places`."""
        return tuple(self._places)

    def move(self, ids: Sequence[str], place: str) -> MovedFiles:
        """Move the files of some resources; see `orthanc_lab.storage.ports.Attachments.move_files`."""
        copies, failures = self._copied(ids, self._places[place])
        moved = self._take_over(copies) if copies else []
        size = sum(file.attachment.compressed_size for file in moved)
        return MovedFiles(len(moved), size, tuple(failures))

    def close(self) -> None:
        """End the work on threads."""
        self._pool.shutdown()

    def _copied(self, ids: Sequence[str], area: FileArea) -> tuple[list[_Copy], list[OrthancError]]:
        """Copy the files that are not in the area yet; return the copies, and what went wrong."""
        begun: list[tuple[str, Attachment, Future[PreparedFile | None]]] = []
        for resource in self._index.get_many(ids):
            for attachment in resource.attachments.values():
                copying = self._pool.submit(self._files.copy, attachment, area)
                begun.append((resource.id, attachment, copying))
                if attachment.compressed_size > _MOST_BESIDE:
                    copying.exception()
        copies: list[_Copy] = []
        problems: list[tuple[str, Attachment, BaseException]] = []
        for id, old, copying in begun:
            problem = copying.exception()
            if problem is None:
                file = copying.result()
                if file is not None:
                    copies.append(_Copy(id, old, file))
            else:
                problems.append((id, old, problem))
        try:
            return copies, self._failures(problems)
        except BaseException:
            self._files.abandon([copy.file for copy in copies])
            raise

    def _failures(self, problems: Sequence[tuple[str, Attachment, BaseException]]) -> list[OrthancError]:
        """Return what went wrong with files that are still wanted."""
        failures: list[OrthancError] = []
        for id, old, problem in problems:
            if not isinstance(problem, OrthancError):
                raise problem
            if problem.code not in VANISHED or self._is_current(id, old):
                failures.append(problem)
        return failures

    def _is_current(self, id: str, attachment: Attachment) -> bool:
        current = self._index.attachment(id, attachment.type)
        return current is not None and current.uuid == attachment.uuid

    def _take_over(self, copies: Sequence[_Copy]) -> list[PreparedFile]:
        """Make the attachments refer to the copies; return the copies that are in use now."""

        def operation(transaction: Transaction) -> list[PreparedFile]:
            replaced = [copy for copy in copies if _replace(transaction, copy)]
            for copy in replaced:
                self._files.note_move(copy.old.uuid, copy.file.attachment)
            return [copy.file for copy in replaced]

        try:
            moved = self._transactions.run(operation, taken=lambda files: files)
        except BaseException:
            self._files.abandon([copy.file for copy in copies])
            raise
        used = {file.attachment.uuid for file in moved}
        self._files.abandon([copy.file for copy in copies if copy.file.attachment.uuid not in used])
        return moved


def _replace(transaction: Transaction, copy: _Copy) -> bool:
    """Make an attachment refer to a copy of its file; False if it is gone, or is another one by now."""
    place = transaction.place(copy.resource)
    current = transaction.attachments(place.key).get(copy.old.type) if place is not None else None
    if place is None or current is None or current.uuid != copy.old.uuid:
        return False
    attachment = replace(copy.file.attachment, revision=current.revision)
    transaction.put_attachment(place.key, replace(copy.file, attachment=attachment))
    return True
