"""UIDs by name, as Orthanc reads them (``=CTImageStorage``)."""

from __future__ import annotations

import functools

from orthanc_lab.dicom.dictionary.text_tables import read_lines

__all__ = ["name_of_uid", "uid_by_name"]


def uid_by_name(name: str) -> str | None:
    """Return the UID of a name, None for an unknown one."""
    return _table().get(name)


def name_of_uid(uid: str) -> str | None:
    """Return the name of a UID, None for an unknown one."""
    return next((name for name, other in _table().items() if other == uid), None)


@functools.cache
def _table() -> dict[str, str]:
    return dict(line.split(" ") for line in read_lines("uid_names.txt"))
