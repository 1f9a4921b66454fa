"""Operations on the index, and what becomes of the files that they release."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.attachments import AttachmentFiles
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.index import Index, UnsyncedError
from orthanc_lab.storage.records import Attachment
from orthanc_lab.storage.transaction import Transaction

__all__ = ["Transactions", "Work"]

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Work(Generic[T]):
    """What `Transactions.run` is given."""

    operation: Callable[[Transaction], T]
    about: Collection[tuple[Level, str]] = ()
    taken: Callable[[T], Sequence[PreparedFile]] | None = None


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
            Returns, for a result, the files that the index has taken over: the caller abandons all others.
        """
        attempt = _Attempt(self._files, operation, taken)
        try:
            result = self._index.run(attempt, about)
        except UnsyncedError:
            self._files.settle(attempt.taken)
            raise
        self._conclude(attempt)
        return result

    def run_each(self, works: Sequence[Work[T]]) -> list[T | BaseException]:
        """Run operations as `run` does, each for itself; return what each one returned or raised."""
        attempts = [_Attempt(self._files, work.operation, work.taken) for work in works]
        pairs = [(attempt, work.about) for attempt, work in zip(attempts, works, strict=True)]
        outcomes = self._index.run_each(pairs)
        for attempt, outcome in zip(attempts, outcomes, strict=True):
            if isinstance(outcome, UnsyncedError):
                self._files.settle(attempt.taken)
            elif not isinstance(outcome, BaseException):
                self._conclude(attempt)
        return outcomes

    def _conclude(self, attempt: _Attempt[T]) -> None:
        self._files.settle(attempt.taken)  # first: whatever goes wrong from here on, they are not given up
        if attempt.released:
            self._files.remove(attempt.released)


class _Attempt(Generic[T]):
    """An operation, and what it means for files; it may run more than once."""

    def __init__(
        self,
        files: AttachmentFiles,
        operation: Callable[[Transaction], T],
        taken: Callable[[T], Sequence[PreparedFile]] | None,
    ) -> None:
        self._files = files
        self._operation = operation
        self._taken_of = taken
        self.taken: Sequence[PreparedFile] = ()
        self.released: Sequence[Attachment] = ()

    def __call__(self, transaction: Transaction) -> T:
        result = self._operation(transaction)
        if self._taken_of is not None:
            self.taken = self._taken_of(result)
            self._files.take_over(transaction, self.taken)
        self.released = transaction.released
        if self.released:
            self._files.announce_removal(transaction, self.released)
        return result
