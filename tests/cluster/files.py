"""No file in the shared folder of which the database knows nothing, and none missing of which it does."""

from __future__ import annotations

import os
from pathlib import Path

import psycopg

__all__ = ["check_files", "files_below"]

_UUID_LENGTH = 36
_NEEDED = "SELECT uuid FROM files UNION ALL SELECT key FROM output_parts WHERE size > 0 AND key <> ''"
_KNOWN = f"{_NEEDED} UNION ALL SELECT name FROM file_journal UNION ALL SELECT key FROM output_parts"
_ALL = f"{_KNOWN} UNION ALL SELECT key FROM output_trash"


def check_files(uri: str, folder: Path) -> None:
    """Compare the folder with what the database knew before and knows afterwards."""
    known, needed = _names(uri, _ALL), _names(uri, _NEEDED)
    there = {path.name[:_UUID_LENGTH] for path in files_below(folder)}
    unknown = there - known - _names(uri, _ALL)
    assert not unknown, f"nobody knows {len(unknown)} files: {sorted(unknown)[:5]}"
    missing = (needed & _names(uri, _NEEDED)) - there
    assert not missing, f"{len(missing)} files are missing: {sorted(missing)[:5]}"


def files_below(folder: Path) -> list[Path]:
    """Return the files in a folder, from which others are being removed, with their folders."""
    return [Path(place, name) for place, _, names in os.walk(folder) for name in names]


def _names(uri: str, query: str) -> set[str]:
    with psycopg.connect(uri, options="-c search_path=orthanc_lab") as connection:
        return {name[:_UUID_LENGTH] for (name,) in connection.execute(query.encode())}
