"""The contract of the storage: what the floors above may ask, on any back-end.

It is made of roles, so that whoever uses a storage names what it needs of it: those that read are `READING`, and a
server with ``ReadOnly`` hands out these alone. `id` is always an Orthanc identifier.

Every method is safe to call from many threads. Each one that changes something has it
on disk when it returns: a ``kill -9`` a moment later loses nothing and leaves nothing half.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Protocol

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.errors import OrthancError
from orthanc_lab.protocol.levels import Level
from orthanc_lab.storage.adopted import AdoptedInstance, AdoptedLog
from orthanc_lab.storage.records import (
    Attachment,
    Change,
    Export,
    FindQuery,
    MovedFiles,
    NewInstance,
    Origin,
    Resource,
    ResourceStatistics,
    Statistics,
    Stored,
    StoreStatus,
)

__all__ = [
    "READING",
    "Adoption",
    "Annotations",
    "Attachments",
    "Deletion",
    "Files",
    "Ingest",
    "LogKeeping",
    "Logs",
    "Properties",
    "PropertyKeeping",
    "Readable",
    "Resources",
    "Search",
    "Storage",
    "Totals",
]


class Resources(Protocol):
    """Patients, studies, series and instances."""

    def find_level(self, id: str) -> Level | None:
        """Return the level of a resource, None if it is unknown."""
        ...

    def get(self, id: str, level: Level | None = None) -> Resource | None:
        """Return a resource, None if it is unknown or of another level than `level`."""
        ...

    def get_many(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, in the order of `ids`."""
        ...

    def family(self, ids: Sequence[str]) -> list[Resource]:
        """Return the known ones of many resources, and all that is above and below them, in any order."""
        ...

    def list_ids(self, level: Level, since: int = 0, limit: int = 0) -> list[str]:
        """Return the identifiers of a level, sorted (as Orthanc lists them); limit 0 = all."""
        ...

    def list_resources(self, level: Level, since: int = 0, limit: int = 0) -> list[Resource]:
        """Return the resources of a level in order of their identifiers."""
        ...

    def descendants(self, id: str, level: Level) -> list[str]:
        """Return the identifiers below `id` (or `id` itself) at a level, sorted (as Orthanc lists them)."""
        ...

    def first_instance(self, id: str) -> str | None:
        """Return the instance below `id` (or `id` itself) that was stored first: it speaks for them all."""
        ...

    def ancestor(self, id: str, level: Level) -> str | None:
        """Return the identifier above `id` (or `id` itself) at a level."""
        ...

    def all_labels(self) -> list[str]:
        """Return all labels in use, sorted."""
        ...


class Search(Protocol):
    """Resources by their tags and identifiers."""

    def lookup_identifier(self, value: str) -> list[tuple[Level, str]]:
        """Return the resources whose PatientID or UID of their own level is `value`, in upper or lower case."""
        ...

    def find(self, query: FindQuery) -> list[str]:
        """Return the identifiers that match a query on tags of the index, sorted unless the query orders them.

        Tags which are not in the index are the caller's to check on the files.
        """
        ...

    def find_resources(self, query: FindQuery) -> list[Resource]:
        """Return what `find` finds as resources, in the same order."""
        ...

    def version(self) -> int | None:
        """Return a number that is another one after each change; None if others change the index too.

        What was found in the index, and nowhere else, is found again as long as the number is the same.
        """
        ...

    def indexed_tags(self, level: Level) -> frozenset[str]:
        """Return the tags (``gggg,eeee``) that the index keeps for a level and those above."""
        ...


class Files(Protocol):
    """The content of DICOM files and other attachments."""

    def dicom_files(self, instances: Sequence[str]) -> Mapping[str, Attachment]:
        """Return the DICOM files of many instances, without those that are unknown, for `read_dicom`."""
        ...

    def read_dicom(self, instance: str, *, keep: bool = True, known: Attachment | None = None) -> bytes:
        """Return the DICOM file of an instance, uncompressed.

        Parameters
        ----------
        keep
            False for one file of very many: it takes no place in the cache of files.
        known
            What `dicom_files` returned a moment ago: it is not looked for, unless it is gone.

        Raises
        ------
        OrthancError
            17 if the instance is unknown, 13 if its file has vanished.
        """
        ...

    def read_dicom_header(self, instance: str) -> bytes:
        """Return the DICOM file up to its pixel data (or whole, if it has none)."""
        ...

    def read_dicom_part(self, instance: str, offset: int, size: int) -> bytes:
        """Return `size` bytes of the DICOM file of an instance from `offset` on, uncompressed; less at its end.

        Raises
        ------
        OrthancError
            As `read_dicom`.
        """
        ...

    def read_attachment(self, attachment: Attachment, *, of: str, raw: bool = False, fresh: bool = False) -> bytes:
        """Return the bytes of an attachment; `raw` as they are on disk, `fresh` not from memory.

        Parameters
        ----------
        of
            The resource that has it: another server may have moved the file since this was asked for it.
        """
        ...

    def file_places(self) -> Sequence[str]:
        """Return the names of the places between which files can be moved; none, if they are all in one place."""
        ...


class Logs(Protocol):
    """Changes and exports."""

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


class Totals(Protocol):
    """Counts and sizes."""

    def statistics(self) -> Statistics:
        """Return the totals of the database."""
        ...

    def resource_statistics(self, id: str) -> ResourceStatistics:
        """Return the totals below one resource."""
        ...


class Properties(Protocol):
    """Global properties of the database."""

    def get_property(self, name: str) -> str | None:
        """Return a global property of the database (server identifier, peers …)."""
        ...


class Readable(Resources, Search, Files, Logs, Totals, Properties, Protocol):
    """All roles that only read."""


class Ingest(Protocol):
    """Resources are stored, and their tags brought up to date."""

    def store(
        self, dicom: bytes, origin: Origin, *, overwrite: bool | None = None, metadata: Mapping[str, str] | None = None
    ) -> Stored:
        """Store one DICOM file (Part 10).

        Parameters
        ----------
        overwrite
            Replaces ``OverwriteInstances`` for this call.
        metadata
            Further metadata of the instance (``ModifiedFrom`` …).

        Raises
        ------
        OrthancError
            15 or 21 if it is not a DICOM file or lacks an identifier, 19 if the storage is
            full, 14 if the file cannot be written.
        """
        ...

    def store_each(self, files: Sequence[tuple[bytes, Origin]]) -> list[Stored | BaseException]:
        """Store DICOM files that came at the same time, each for itself; return what `store` would return or raise.

        Small ones share a commit and a wait for the disk.
        """
        ...

    def store_all(self, files: Iterable[bytes], origin: Origin, *, skip_foreign: bool = False) -> list[Stored]:
        """Store many files as one: all of them, or (on an error) none.

        Parameters
        ----------
        skip_foreign
            Leave out files that are not DICOM or lack identifiers, in place of raising 5, 15 or 21.
        """
        ...

    def store_made(self, made: Sequence[NewInstance], origin: Origin, *, keep_labels: bool = False) -> list[Stored]:
        """Store files that were made, or came from another server, as one: all of them, or (on an error) none.

        Parameters
        ----------
        keep_labels
            Where an instance is replaced (``OverwriteInstances``), it keeps its labels, and so do the resources
            above it.

        Raises
        ------
        OrthancError
            As `store`.
        """
        ...

    def refresh_parents(self, instance: str, levels: Collection[Level]) -> None:
        """Give the resources of these levels above an instance the main DICOM tags that stand in its file.

        Raises
        ------
        OrthancError
            17 if the instance is unknown.
        """
        ...

    def set_default_encoding(self, name: str) -> None:
        """Read files that name no character set by this one from now on, a value of ``DefaultEncoding``."""
        ...

    def reconstruct(self, id: str | None = None) -> None:
        """Read the main DICOM tags of a resource and all below it (None = of all) from the files again.

        Metadata, labels, attachments and changes stay as they are.

        Raises
        ------
        OrthancError
            17 if the resource is unknown.
        """
        ...


class Adoption(Protocol):
    """What another server stored is taken over, with what its index knew of it."""

    def adopt(self, instances: Sequence[AdoptedInstance]) -> list[StoreStatus | OrthancError]:
        """Take over instances as one, byte for byte; what is here already is completed, and keeps what it has.

        No change is logged, and nothing is recycled; what is new is as stable as it was. An instance is there with
        all that belongs to it, or not at all.

        Returns
        -------
        list
            For each instance what became of it, or why it cannot be taken: 15 or 21 if it is not a DICOM file or
            lacks an identifier, 20 if its tags are those of another instance.

        Raises
        ------
        OrthancError
            19 if the storage is full, 14 if a file cannot be written.
        """
        ...

    def adopt_log(self, log: AdoptedLog) -> int:
        """Add lines of the other server's logs; return how many changes were of resources that are here.

        Changes and exports keep their numbers unless later ones have been given here.
        """
        ...


class Deletion(Protocol):
    """Resources are deleted."""

    def delete(self, id: str, level: Level | None = None) -> tuple[bool, tuple[Level, str] | None]:
        """Delete a resource with all below it and the parents that become empty.

        Returns
        -------
        tuple
            False if it is unknown (or of another level), and the closest ancestor that remains.
        """
        ...

    def delete_all(self, ids: Sequence[str]) -> None:
        """Delete many resources, as `delete` does; those that are unknown are passed over.

        It is done in groups: after a crash the first ones may be gone, and the others there.
        """
        ...


class Attachments(Protocol):
    """Attachments are written and deleted."""

    def put_attachment(
        self, id: str, type: int, data: bytes, check: Callable[[Attachment | None], None] | None = None
    ) -> Attachment:
        """Write or replace an attachment.

        Parameters
        ----------
        check
            Raises if what is there must not be replaced; nobody changes it in between. It may be called repeatedly.
        """
        ...

    def delete_attachment(self, id: str, type: int, check: Callable[[Attachment | None], None] | None = None) -> bool:
        """Delete an attachment; False if there is none.

        Parameters
        ----------
        check
            As for `put_attachment`.
        """
        ...

    def compress_attachment(self, id: str, type: int, compressed: bool) -> None:
        """Compress or uncompress an attachment on disk; what is so already stays as it is."""
        ...

    def move_files(self, ids: Sequence[str], place: str) -> MovedFiles:
        """Move the files of some resources (not those below them) to a place; they stay as they are.

        Files that are there, that the index keeps, or that are deleted meanwhile, are passed over.

        Parameters
        ----------
        place
            One of `Files.file_places`.
        """
        ...


class Annotations(Protocol):
    """Metadata, labels and protection are changed."""

    def set_metadata(
        self, id: str, name: str, value: str, check: Callable[[str | None, int], None] | None = None
    ) -> int:
        """Write a metadata and return its revision; a user-defined one logs an UpdatedMetadata change.

        Parameters
        ----------
        check
            Raises if what is there must not be changed: called with the value, None if there is none, and its
            revision; nobody changes it in between. It may be called repeatedly.
        """
        ...

    def delete_metadata(self, id: str, name: str, check: Callable[[str | None, int], None] | None = None) -> bool:
        """Delete a metadata; False if there is none.

        Parameters
        ----------
        check
            As for `set_metadata`.
        """
        ...

    def set_label(self, id: str, label: str, present: bool) -> None:
        """Add or remove a label."""
        ...

    def set_protected(self, patient: str, protected: bool) -> None:
        """Protect a patient from recycling, or no longer."""
        ...


class LogKeeping(Protocol):
    """Exports are logged, and logs are cleared."""

    def clear_changes(self) -> None:
        """Forget the changes; numbers go on."""
        ...

    def log_export(self, id: str, remote_modality: str) -> None:
        """Add a line to the exports."""
        ...

    def clear_exports(self) -> None:
        """Forget the exports."""
        ...


class PropertyKeeping(Properties, Protocol):
    """Global properties and counters, read and written."""

    def next_number(self, sequence: str) -> int:
        """Return 1, 2, … of a named counter kept in the database (``AnonymizedN``)."""
        ...

    def set_property(self, name: str, value: str) -> None:
        """Write a global property."""
        ...

    def change_property(self, name: str, change: Callable[[str | None], str]) -> None:
        """Replace a global property by what `change` makes of it (None if there is none); nobody writes in between.

        It may be called more than once, so it changes nothing else.
        """
        ...


class Storage(Readable, Ingest, Adoption, Deletion, Attachments, Annotations, LogKeeping, PropertyKeeping, Protocol):
    """Index and attachments behind one face: all roles."""

    def close(self) -> None:
        """Give up the lock on the index and close all files."""
        ...


READING: tuple[type, ...] = (Resources, Search, Files, Logs, Totals, Properties)
"""The roles that change nothing. A method of any other one is refused by a server with ``ReadOnly``."""
