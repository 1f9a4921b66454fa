"""What an import reads: the rows of the other index as records, and the ports that hand them over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.adopted import AdoptedChange, AdoptedExport
from orthanc_lab.storage.metadata_names import METADATA_NUMBERS

__all__ = [
    "CHANGE_TYPES",
    "LEVEL_NUMBERS",
    "METADATA_NAMES",
    "FileError",
    "FileSource",
    "InstanceSource",
    "LogSource",
    "SourceFile",
    "SourceInstance",
    "SourceResource",
]

CHANGE_TYPES: Mapping[int, ChangeType] = {
    1: ChangeType.COMPLETED_SERIES,
    2: ChangeType.NEW_INSTANCE,
    3: ChangeType.NEW_PATIENT,
    4: ChangeType.NEW_SERIES,
    5: ChangeType.NEW_STUDY,
    6: ChangeType.ANONYMIZED_STUDY,
    7: ChangeType.ANONYMIZED_SERIES,
    8: ChangeType.MODIFIED_STUDY,
    9: ChangeType.MODIFIED_SERIES,
    10: ChangeType.ANONYMIZED_PATIENT,
    11: ChangeType.MODIFIED_PATIENT,
    12: ChangeType.STABLE_PATIENT,
    13: ChangeType.STABLE_STUDY,
    14: ChangeType.STABLE_SERIES,
    15: ChangeType.UPDATED_ATTACHMENT,
    16: ChangeType.UPDATED_METADATA,
}
"""As Orthanc 1.12.7 shows rows with these numbers."""

LEVEL_NUMBERS: Mapping[int, Level] = dict(enumerate(LEVELS, 1))
METADATA_NAMES: Mapping[int, str] = {number: name for name, number in METADATA_NUMBERS.items()}


@dataclass(frozen=True, slots=True)
class SourceFile:
    """A row of the attachments."""

    type: int
    uuid: str
    compressed_size: int
    uncompressed_size: int
    compression: int  # 1 = none, 2 = zlib
    uncompressed_md5: str  # "" if the server was not to compute it
    compressed_md5: str


@dataclass(frozen=True, slots=True)
class SourceResource:
    """A resource with what the index keeps of it."""

    key: int  # of an instance: larger than those of all that were stored before
    level: Level
    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    files: Sequence[SourceFile] = ()
    is_protected: bool = False
    is_stable: bool = True


@dataclass(frozen=True, slots=True)
class SourceInstance:
    """An instance with what is above it: patient, study, series, instance."""

    lineage: Sequence[SourceResource]

    @property
    def own(self) -> SourceResource:
        """The instance itself."""
        return self.lineage[-1]


class FileError(Exception):
    """A file that is not what its row says; the message says how."""


class InstanceSource(Protocol):
    """The instances of the other server."""

    def count(self) -> int:
        """Return how many there are, with those that belong to no series."""
        ...

    def instances(self) -> Iterator[SourceInstance]:
        """Return them in the order in which they were stored, each with what is above it."""
        ...


class FileSource(Protocol):
    """The files of the other server."""

    def read(self, file: SourceFile) -> bytes:
        """Return the content of a file, uncompressed.

        Raises
        ------
        FileError
            If it is missing or cannot be read, or its size or MD5 is not that of its row.
        """
        ...


class LogSource(Protocol):
    """The logs of the other server. Each part of a log comes with how many of its rows cannot be understood."""

    def changes(self, since: int, limit: int) -> tuple[list[AdoptedChange], int | None, int]:
        """Return the changes after `since`, and the number of the last row read (None at the end)."""
        ...

    def exports(self, since: int, limit: int) -> tuple[list[AdoptedExport], int | None, int]:
        """Return the exports after `since`, as `changes` does."""
        ...

    def last_numbers(self) -> tuple[int, int]:
        """Return the numbers of the last change and of the last export ever logged."""
        ...

    def recycling(self) -> Sequence[str]:
        """Return the patients that may be recycled, the first one first."""
        ...

    def counters(self) -> Mapping[str, int]:
        """Return what named counters have reached."""
        ...
