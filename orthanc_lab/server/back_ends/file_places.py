"""Where the files of a storage are: in a folder, in a bucket, or in both."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from orthanc_lab.protocol.errors import ErrorCode, OrthancError
from orthanc_lab.protocol.ports import Clock, Settings
from orthanc_lab.storage.files.area import DiskArea, FileArea
from orthanc_lab.storage.files.hybrid import FILE_SYSTEM, OBJECT_STORAGE, HybridArea
from orthanc_lab.storage.objects.options import SECTIONS, BucketOptions, read_bucket_options

__all__ = ["FilePlace", "bucket_options", "open_file_place"]

_log = logging.getLogger("orthanc_lab")
_NO_EXTRA = "Files in a bucket need a further package: pip install 'orthanc-lab[cluster]'"


@dataclass(frozen=True, slots=True)
class FilePlace:
    """A file area, and what there is to know of it."""

    area: FileArea
    is_elsewhere: bool = False  # on another machine: what comes from there is checked, and may be late
    parts: Mapping[str, FileArea] = field(default_factory=dict)  # between which files can be moved


def bucket_options(settings: Settings) -> BucketOptions | None:
    """Return the options of the bucket that the settings name, None if they name none."""
    sections: Mapping[str, Mapping[str, Any]] = {name: settings[name] for name in SECTIONS}
    return read_bucket_options(sections)


def open_file_place(
    storage: Path,
    options: BucketOptions | None,
    clock: Clock,
    table: FileArea | None = None,
    *,
    is_written: bool = True,
) -> FilePlace:
    """Return where the files of the storage are; a bucket has answered then.

    Parameters
    ----------
    storage
        The folder of the storage.
    options
        Of a bucket, if there is one.
    table
        In a database (``EnableStorage``), if there is one.
    is_written
        False for who only reads: a bucket must allow no more then.

    Raises
    ------
    OrthancError
        36 if the bucket stays away, 32 if it refuses what the server needs, 2036 if there is a table, too.
    """
    disk = DiskArea(storage)
    if options is None:
        return FilePlace(table or disk)
    if table is not None:
        raise OrthancError(ErrorCode.STORAGE_AREA_TAKEN, f"PostgreSQL.EnableStorage and {options.section} are given")
    try:
        from orthanc_lab.storage.objects.opening import check_bucket, open_bucket  # noqa: PLC0415 - rarely needed
    except ImportError as error:
        raise OrthancError(ErrorCode.STORAGE_AREA_PLUGIN, _NO_EXTRA) from error
    for warning in options.warnings:
        _log.warning("%s", warning)
    check_bucket(options, clock, is_written=is_written)
    bucket = open_bucket(options, clock)
    parts: dict[str, FileArea] = {FILE_SYSTEM: disk, OBJECT_STORAGE: bucket}
    match options.hybrid:
        case "WriteToFileSystem":
            return FilePlace(HybridArea(disk, bucket), is_elsewhere=True, parts=parts)
        case "WriteToObjectStorage":
            return FilePlace(HybridArea(bucket, disk), is_elsewhere=True, parts=parts)
        case _:
            return FilePlace(bucket, is_elsewhere=True)
