"""Where the files of the members of an archive are: looked up for many members at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from orthanc_lab.jobs.kinds.archives.archive_plan import PlannedMember
from orthanc_lab.storage.ports import Files
from orthanc_lab.storage.records import Attachment

__all__ = ["LocatedMember", "located"]

_AT_ONCE = 64  # an index that is far away is asked once for as many


@dataclass(frozen=True, slots=True)
class LocatedMember:
    """A member whose file was looked up."""

    planned: PlannedMember
    file: Attachment | None  # None if the instance was gone

    @property
    def size(self) -> int:
        """Bytes, uncompressed."""
        return self.planned.size


def located(storage: Files, members: Sequence[PlannedMember]) -> Iterator[LocatedMember]:
    """Look up the files of members, some at a time, as they are asked for."""
    for start in range(0, len(members), _AT_ONCE):
        group = members[start : start + _AT_ONCE]
        files = storage.dicom_files([member.instance for member in group])
        for member in group:
            yield LocatedMember(member, files.get(member.instance))
