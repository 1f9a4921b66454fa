"""The two ends of a migration: each a configuration, or a folder."""

from __future__ import annotations

from pathlib import Path

from orthanc_lab.server.adoption.errors import SourceError
from orthanc_lab.server.options.configuration_files import read_configuration
from orthanc_lab.server.options.settings import CheckedSettings

__all__ = ["INDEX", "read_end"]

INDEX = "index.sqlite"


def read_end(path: Path, *, new: bool) -> CheckedSettings:
    """Return the settings of the server that an argument names.

    Parameters
    ----------
    path
        The file of a configuration, a folder of such files, or the ``StorageDirectory`` of a server with SQLite.
    new
        Whether a folder may be empty, or missing: it becomes one then.

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
    if new and (not path.exists() or (is_folder and not any(path.iterdir()))):
        return CheckedSettings({"StorageDirectory": str(path.absolute())})
    raise SourceError(f"{path} is neither a configuration nor the folder of a server")
