"""Operations on the index, and what becomes of the files that they release."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.index import Index
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.transaction import Transaction

__all__ = ["Transactions"]

T = TypeVar("T")


class Transactions:
    """Runs operations; files that nothing refers to afterwards are removed."""

    def __init__(self, index: Index, files: AttachmentFiles) -> None:
        self._index = index
        self._files = files

    def run(
        self,
        operation: Callable[[Transaction], T],
        about: Collection[tuple[Level, str]] = (),
        taken: Callable[[T], Sequence[PreparedFile]] | None = None,
    ) -> T:
        """Run `operation` and return its result once it is committed. It may run more than once.

        Parameters
        ----------
        about
            Levels and identifiers that it is going to look for.
        taken
            Returns, for a result, the files that the index has taken over.
        """
        released: Sequence[Attachment] = ()

        def attempt(transaction: Transaction) -> T:
            nonlocal released
            result = operation(transaction)
            if taken is not None:
                self._files.take_over(transaction, taken(result))
            released = transaction.released
            if released:
                self._files.announce_removal(transaction, released)
            return result

        result = self._index.run(attempt, about)
        if released:
            self._files.remove(released)
        return result
