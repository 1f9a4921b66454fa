"""What a rule of the storage may do to the index, all or nothing: the port that a back end implements.

A back end stores and finds; it decides nothing. Totals follow from what is inserted and deleted, numbers of changes
are given in the order of their log, and what it remembers between transactions is its own business.

Each upload makes `IndexedTags` and a `NewResource`: they are named tuples, as frozen data classes take four times as
long to make.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.files.prepared import PreparedFile
from orthanc_lab.storage.records import Attachment, Statistics

__all__ = ["IndexedTags", "Key", "Lineage", "NewExport", "NewResource", "Place", "Transaction"]

Key = int
"""What an index calls a resource: larger for each new one, and never used twice."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a resource stands."""

    key: Key
    id: str  # Orthanc identifier
    level: Level
    parent: Key | None


class IndexedTags(NamedTuple):
    """What the index keeps of the tags of a resource."""

    identifier: str  # PatientID, or the UID of the level; folded, without outer blanks
    tags: Mapping[str, str]  # "gggg,eeee" -> value
    folded: Mapping[str, str]  # those of the values that differ from their folded form, in that form


class NewResource(NamedTuple):
    """A resource that is about to be."""

    level: Level
    id: str
    parent: Key | None
    tags: IndexedTags
    metadata: Mapping[str, str]
    files: Sequence[PreparedFile] = ()
    last_update: str | None = None  # metadata LastUpdate; None for an instance


@dataclass(frozen=True, slots=True)
class Lineage:
    """A series and what is above it."""

    patient: Key
    study: Key
    series: Key
    expected: str | None  # metadata ExpectedNumberOfInstances of the series


@dataclass(frozen=True, slots=True)
class NewExport:
    """A line of the exports that is about to be."""

    level: Level
    id: str
    remote_modality: str
    date: str
    identifiers: Mapping[Level, str]  # of the resource and those above it; folded


class Transaction(Protocol):
    """The index, as an operation sees and changes it; the changes show elsewhere once they are committed.

    Dates are ``YYYYMMDDTHHMMSS``, UTC. Names of metadata are those of the index (numbers for user-defined ones).
    """

    released: list[Attachment]
    """Attachments that were deleted or replaced so far."""

    # -- resources -----------------------------------------------------------------

    def find(self, level: Level, id: str) -> Key | None:
        """Return the key of a resource of a level, None if there is none."""
        ...

    def place(self, id: str) -> Place | None:
        """Return where a resource stands, None if it is unknown."""
        ...

    def place_of(self, key: Key) -> Place:
        """Return where a known resource stands."""
        ...

    def lineage(self, series: str) -> Lineage | None:
        """Return a series and what is above it, by its Orthanc identifier; None if it is unknown."""
        ...

    def children(self, key: Key, limit: int) -> Sequence[Key]:
        """Return at most so many of the resources one level below."""
        ...

    def with_descendants(self, key: Key) -> Sequence[Key]:
        """Return a resource and all below it."""
        ...

    def identifiers(self, id: str) -> Mapping[Level, str]:
        """Return the folded PatientID and UIDs of a resource and those above it; empty if it is unknown."""
        ...

    def insert_resource(self, resource: NewResource) -> Key | None:
        """Insert a resource with its files; None, and nothing happens, if its level has one with this identifier.

        From then on `find` returns that one, even if another owner of the database has just inserted it.
        A new patient is the last one to be recycled. An instance is stable, all else is not.
        """
        ...

    def delete_resources(self, keys: Iterable[Key]) -> None:
        """Delete resources with their attachments, labels and changes."""
        ...

    def touch(self, lineage: Lineage, date: str) -> int:
        """Note an instance at this date: sets LastUpdate of all three, none is stable, the patient is recycled last.

        A protected patient stays protected. The result is for `settle`: a number that is larger in another second,
        or 0 in an index with one owner.
        """
        ...

    def set_last_update(self, keys: Sequence[Key], date: str) -> None:
        """Set LastUpdate of resources above an instance."""
        ...

    def instance_indexes(self, series: Key) -> Counter[int]:
        """Return how many instances of a series have each IndexInSeries that is a number (`parse_index`)."""
        ...

    def totals(self) -> Statistics:
        """Return the totals, with what this transaction has done."""
        ...

    # -- what a resource has -------------------------------------------------------

    def set_tags(self, key: Key, tags: IndexedTags) -> None:
        """Replace the tags of a resource; its identifier stays."""
        ...

    def metadata(self, key: Key) -> dict[str, str]:
        """Return the metadata of a resource, without LastUpdate."""
        ...

    def metadata_revisions(self, key: Key) -> dict[str, int]:
        """Return how often metadata of a resource were replaced, for those that were; empty if nobody counts."""
        ...

    def set_metadata(self, key: Key, metadata: Mapping[str, str], revisions: Mapping[str, int] | None = None) -> None:
        """Replace the metadata of a resource, and (unless None) their revisions, if the index keeps them."""
        ...

    def attachments(self, key: Key) -> Mapping[int, Attachment]:
        """Return the attachments of a resource by type."""
        ...

    def put_attachment(self, key: Key, file: PreparedFile) -> Attachment:
        """Add an attachment, or replace the one of its type."""
        ...

    def remove_attachment(self, key: Key, type: int) -> None:
        """Delete an attachment."""
        ...

    def labels(self, key: Key) -> Sequence[str]:
        """Return the labels of a resource, in any order."""
        ...

    def set_label(self, key: Key, label: str, present: bool) -> None:
        """Add or remove a label."""
        ...

    # -- recycling and stability ---------------------------------------------------

    def is_protected(self, patient: Key) -> bool:
        """Tell whether a patient is protected from recycling."""
        ...

    def set_protected(self, patient: Key, protected: bool) -> None:
        """Protect a patient, or make it the last one to be recycled."""
        ...

    def next_to_recycle(self, spared: Key | None) -> Place | None:
        """Return the unprotected patient that was touched (or lost its protection) first, apart from `spared`."""
        ...

    def settle(self, touched: Mapping[Key, int]) -> Sequence[tuple[Key, Level]]:
        """Make resources stable; return those that were not, in this order.

        In an index with several owners, those that were touched after the number given here stay as they are: the
        owner that touched them is going to make them stable.
        """
        ...

    # -- logs, counters, properties ------------------------------------------------

    def log_change(self, type: ChangeType, key: Key, date: str) -> None:
        """Add a change of a resource, with the next number."""
        ...

    def skip_changes(self, number: int) -> None:
        """Give later changes numbers above this one."""
        ...

    def clear_changes(self) -> None:
        """Delete all changes; numbers go on."""
        ...

    def log_export(self, export: NewExport) -> None:
        """Add a line to the exports, with the next number."""
        ...

    def skip_exports(self, number: int) -> None:
        """Give later exports numbers above this one."""
        ...

    def clear_exports(self) -> None:
        """Delete all exports; numbers go on."""
        ...

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter."""
        ...

    def property(self, name: str) -> str | None:
        """Return a global property, None if there is none."""
        ...

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        ...
