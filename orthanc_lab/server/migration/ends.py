"""The two ends of a migration: each a configuration, or a folder."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.back_ends.file_places import bucket_options
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["COPIES", "INDEX", "LOCK", "check_apart", "read_end"]

INDEX = "index.sqlite"
LOCK = "index.lock"
COPIES = "migrated"
"""The folder in the target for copies of what cannot be read without writing."""


def read_end(path: Path, *, new: bool) -> CheckedSettings:
    """Return the settings of the server that an argument names.

    Parameters
    ----------
    path
        The file of a configuration, a folder of such files, or the ``StorageDirectory`` of a server with SQLite.
    new
        Whether a folder may be empty, or missing, or have what a migration left that ended at its very beginning: it
        becomes one then.

    Raises
    ------
    SourceError
        If it is none of these.
    OrthancError
        If the configuration is refused.
    """
    is_folder = path.is_dir()
    if is_folder and (path / INDEX).is_file():
        return CheckedSettings({"StorageDirectory": str(path.absolute())})
    if path.is_file() or (is_folder and any(path.glob("*.json"))):
        configuration = read_configuration(path)
        return CheckedSettings(configuration.values, configuration.folder)
    if new and (not path.exists() or (is_folder and _is_begun({one.name for one in path.iterdir()}))):
        return CheckedSettings({"StorageDirectory": str(path.absolute())})
    raise SourceError(f"{path} is neither a configuration nor the folder of a server")


def _is_begun(names: set[str]) -> bool:
    """Tell whether these are the names in a folder that has no index yet, and is to get one."""
    return LOCK in names or names <= {COPIES}


def check_apart(source: CheckedSettings, target: CheckedSettings) -> None:
    """Refuse two servers that would have something in common.

    Raises
    ------
    SourceError
        If they have: the source would be written to.
    """
    for ours in _folders(target):
        for theirs in _folders(source):
            if ours.resolve().is_relative_to(theirs.resolve()):
                raise SourceError(f"{ours} is, or is inside, a folder of the source: the target needs its own")
    bucket = bucket_options(target)
    if bucket is not None and bucket == bucket_options(source):
        raise SourceError("Both have their files in the same bucket: the target needs a RootPath of its own")


def _folders(settings: CheckedSettings) -> list[Path]:
    """Return the folders in which a server keeps something."""
    database, bucket = settings["PostgreSQL"], bucket_options(settings)
    folders = []
    if not database.get("EnableIndex"):
        folders.append(Path(settings["IndexDirectory"]))
    if not database.get("EnableStorage") and (bucket is None or bucket.hybrid != "Disabled"):
        folders.append(Path(settings["StorageDirectory"]))
    return folders
