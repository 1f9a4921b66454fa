"""The index as the storage uses it: look-ups, and operations on a transaction. A back end is one of these."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Protocol, TypeVar

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.records import Attachment, Change, Export, Resource, ResourceStatistics, Statistics
from orthanc_lab.storage.search_plan import SearchPlan
from orthanc_lab.storage.transaction import Key, Transaction

__all__ = ["Index", "Operation", "UnsyncedError"]

T = TypeVar("T")

Operation = tuple[Callable[[Transaction], T], Collection[tuple[Level, str]]]
"""What is done in a transaction, and the levels and identifiers that it is going to look for."""


class UnsyncedError(OrthancError):
    """What an operation did is committed, but cannot be promised to be there after a power cut."""


class Index(Protocol):
    """Resources, logs, totals and properties, safe to use from many threads.

    The look-ups are those of `orthanc_lab.storage.ports.Storage`, with the same promises, apart from the names of
    metadata: the index has numbers for user-defined ones.
    """

    is_shared: bool
    """Whether other servers may change it, too."""

    def run(self, operation: Callable[[Transaction], T], about: Collection[tuple[Level, str]] = ()) -> T:
        """Run an operation in a transaction and return its result once that is committed, and on the disk.

        The operation may run more than once (if another one that shares its commit fails, or a back end with
        several owners has to try again), so it changes nothing but the transaction.

        Parameters
        ----------
        about
            Levels and identifiers that the operation is going to look for: an index that is far away asks for all at
            once.

        Raises
        ------
        UnsyncedError
            If it is committed, and not on the disk.
        """
        ...

    def run_each(self, operations: Sequence[Operation[T]]) -> list[T | BaseException]:
        """Run operations as `run` does, each for itself, and return what each one returned or raised.

        They share what they can: at best one commit and one wait for the disk.
        """
        ...

    def version(self) -> int | None:
        """Return a number that is another one after each commit, before `run` returns; None if others commit too."""
        ...

    # -- resources -----------------------------------------------------------------

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource, None if it is unknown."""
        ...

    def get(self, id: str) -> Resource | None:
        """Return a resource, None if it is unknown."""
        ...

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        ...

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them, in any order."""
        ...

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level, sorted; limit 0 = all."""
        ...

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level in order of their identifiers."""
        ...

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, sorted."""
        ...

    def first_instance(self, id: str) -> str | None:
        """Return the instance below `id` (or `id` itself) that was stored first."""
        ...

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        ...

    def by_identifier(self, folded: str) -> list[tuple[Level, str]]:
        """Return the resources whose `IndexedTags.identifier` is this, by level, then identifier."""
        ...

    def search(self, plan: SearchPlan) -> list[str]:
        """Return the identifiers of the resources that a plan finds."""
        ...

    def search_resources(self, plan: SearchPlan) -> list[Resource]:
        """Return the resources that a plan finds."""
        ...

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        ...

    def unstable(self) -> Sequence[tuple[Key, int]]:
        """Return the resources that are not stable, with their last `touch`; those below before those above them."""
        ...

    # -- files ---------------------------------------------------------------------

    def attachment(self, id: str, type: int) -> Attachment | None:
        """Return an attachment, None if there is none."""
        ...

    def attachments(self, ids: Sequence[str], type: int) -> dict[str, Attachment]:
        """Return the attachments of one type of many resources, without those that have none."""
        ...

    def small_file(self, key: int) -> bytes | None:
        """Return the content of a small file (`SmallFile.key`), None if there is none."""
        ...

    def known_files(self, names: Iterable[str]) -> set[str]:
        """Return those of the files (UUIDs) that an attachment refers to."""
        ...

    # -- logs, totals, properties --------------------------------------------------

    def changes(
        self, since: int = 0, limit: int = 100, *, to: int | None = None, types: Sequence[ChangeType] = ()
    ) -> tuple[list[Change], bool]:
        """Return the changes after `since` (with `to` alone: the last ones up to it), and whether that is all."""
        ...

    def last_change(self) -> Change | None:
        """Return the last change that is still listed."""
        ...

    def last_change_number(self) -> int:
        """Return the number of the last change ever logged; 0 at first, never lowered."""
        ...

    def exports(self, since: int = 0, limit: int = 100) -> tuple[list[Export], bool]:
        """Return the exports after `since`, and whether that is all."""
        ...

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        ...

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource.

        Raises
        ------
        OrthancError
            17 if it is unknown.
        """
        ...

    def get_property(self, name: str) -> str | None:
        """Return a global property."""
        ...

    def close(self) -> None:
        """Close all connections, after the operations that wait."""
        ...
