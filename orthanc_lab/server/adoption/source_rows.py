"""The rows of the index of a real Orthanc, as records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from orthanc_lab.protocol.changes import ChangeType
from orthanc_lab.protocol.levels import LEVELS, Level
from orthanc_lab.storage.metadata_names import METADATA_NUMBERS

__all__ = ["CHANGE_TYPES", "LEVEL_NUMBERS", "METADATA_NAMES", "SourceFile", "SourceInstance", "SourceResource"]

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

    key: int
    level: Level
    id: str
    tags: Mapping[str, str] = field(default_factory=dict)
    metadata: Mapping[str, str] = field(default_factory=dict)
    labels: Sequence[str] = ()
    files: Sequence[SourceFile] = ()
    is_protected: bool = False


@dataclass(frozen=True, slots=True)
class SourceInstance:
    """An instance with what is above it: patient, study, series, instance."""

    lineage: Sequence[SourceResource]

    @property
    def own(self) -> SourceResource:
        """The instance itself."""
        return self.lineage[-1]
